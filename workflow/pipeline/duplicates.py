"""Others of the same content or of the same name: held ones that came back, duplicates, revisions."""

import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from itertools import islice
from pathlib import PurePosixPath

from loguru import logger

from workflow.errors import UnknownSubmission, WrongSubmissionState
from workflow.intake import APPROVED_FOLDER, Outcome, SpooledFile, exists_in_share
from workflow.ledger import CommandEffect, Draft, SendState, draft_of
from workflow.model import (
    ENDED_STATES,
    SENT_STATES,
    EventKind,
    HoldReason,
    Submission,
    SubmissionChanges,
    SubmissionState,
)
from workflow.notes import remove_notes_left, remove_submission_note
from workflow.pipeline.context import Context, now
from workflow.pipeline.missing_file import belongs_to_newer, find_moved_file
from workflow.pipeline.submission_log import log_of

MEANWHILE = timedelta(minutes=1)
"""A file that is claimed so soon after its submission was sent left held/ before that."""
MAX_CHECKED_DUPLICATES = 20
"""A file that is sent again and again has many twins; one of the latest was dragged back."""


def record_content(context: Context, draft: Draft, spooled: SpooledFile) -> Draft:
    """Return the draft with the content of the private copy, and with what it is a revision of.

    What was decided about the same bytes stays: another machine copies them again after a takeover, and a
    release by a person is not asked for twice.
    """
    submission = draft.submission
    detail = f"{spooled.size:,} bytes, sha256 {spooled.sha256}"
    if submission.intake_rule is not None and submission.sha256 == spooled.sha256:
        return draft.record(EventKind.TAKEN, detail)
    fresh: SubmissionChanges = {
        "sha256": spooled.sha256,
        "size": spooled.size,
        "dropped_by": context.ledger.console_drops.find(submission.path, spooled.sha256) or spooled.owner,
        "mesh": None,
        "intake_rule": None,
        "reason": None,
        "tries": 0,
    }
    if submission.passed and submission.sha256 not in {None, spooled.sha256}:
        fresh["passed"] = ()
        detail += ": changed since it was released, so the release does not apply"
    return _with_revision(context, draft.record(EventKind.TAKEN, detail, **fresh))


def write_examined(context: Context, draft: Draft) -> Submission:
    """Write what the examination of a file found. A duplicate ends here as canceled, whatever was found.

    The same content in the same folder is sent once at a time. In another folder it is a different order,
    because rules depend on folders. Raises Superseded.
    """
    sha256 = draft.changes.get("sha256")
    if sha256 is None:
        return context.ledger.write(draft, durable=False)
    twins = context.ledger.list_with_content(sha256) if context.share.is_reachable() else ()
    not_canceled = _cancel_replaced_holds(context, draft.submission, twins)
    if (sent := _find_sent_meanwhile(context, draft.stored, twins)) is not None:
        return context.ledger.write(_set_aside(draft, sent), durable=False)

    def is_duplicate(other: Submission) -> bool:
        alike = _folder(other) == _folder(draft.submission) or other.id in not_canceled
        return context.sets_duplicates_aside and alike

    written = context.ledger.duplicates.write_content(draft, sha256, is_duplicate, _duplicate_changes)
    if written.state is SubmissionState.CANCELED:
        log_of(written, reason=written.reason or "").info(
            "Submission {} ({}) set aside: {}", written.id, written.path, written.reason
        )
    elif any(event is EventKind.REVISION for event, _ in draft.events):
        _cancel_replaced_revisions(context, written)
    return written


def _find_sent_meanwhile(
    context: Context, submission: Submission, twins: Sequence[Submission]
) -> Submission | None:
    """Return the submission that was sent while its file was on its way from held/ back to the inbox."""
    was_read_before = submission.sha256 is not None or submission.reused is not None
    if was_read_before or not context.sets_duplicates_aside:
        return None
    for twin in twins:  # newest first
        if twin.id == submission.id:
            continue
        was_held = twin.state in SENT_STATES and (twin.claimed_as or "").startswith(f"{Outcome.HELD}/")
        ended = twin.ended_at or twin.opened_at
        is_moved = was_held and submission.opened_at - ended < MEANWHILE and not _has_file(context, twin)
        return twin if is_moved else None  # of an older one the file was here before
    return None


def _set_aside(draft: Draft, sent: Submission) -> Draft:
    """Return the draft canceled, with nothing but its content."""
    reason = (
        f"The file was moved to the inbox while it was sent as submission {sent.id}: it is not sent twice. "
        "To print it again, drag it back into the inbox."
    )
    log_of(draft.submission, reason=reason).info("Submission {} set aside: {}", draft.submission.id, reason)
    ended: SubmissionChanges = {"state": SubmissionState.CANCELED, "reason": reason, "ended_at": now()}
    content: SubmissionChanges = {"sha256": draft.submission.sha256, "size": draft.submission.size, **ended}
    return draft_of(draft.stored).record(EventKind.DUPLICATE, f"of submission {sent.id}", **content)


def _duplicate_changes(duplicate: Submission) -> SubmissionChanges:
    reason = (
        f"The same file is in progress as submission {duplicate.id} ({duplicate.path}): "
        "it is not sent twice at once."
    )
    if duplicate.state is SubmissionState.HELD:
        reason = f"The same file is held as submission {duplicate.id} ({duplicate.path}): {duplicate.reason}"
        if duplicate.hold is not HoldReason.SEND:
            reason += (
                f" `stlflow retry {duplicate.id}` takes that one up, or drag its file back into the inbox."
            )
    return {"state": SubmissionState.CANCELED, "reason": reason, "ended_at": now(), "hold": None}


def _with_revision(context: Context, draft: Draft) -> Draft:
    """Return the draft with an event if a file of this name had other content before: both are kept."""
    submission = draft.submission
    contents = [each for each in context.ledger.duplicates.find_earlier_revisions(submission) if each.sha256]
    others = list(dict.fromkeys(each.sha256 for each in contents if each.sha256 != submission.sha256))
    if not others:
        return draft
    last = next(each for each in reversed(contents) if each.sha256 != submission.sha256)
    where = (
        f"{last.state} to {last.destination}"
        if last.state is SubmissionState.DISPATCHED
        else last.state.replace("_", " ")
    )
    detail = (
        f"revision {len(others) + 1} of {submission.path}: "
        f"submission {last.id} had other content and is {where}"
    )
    log_of(submission).info("Submission {}: {}", submission.id, detail)
    return draft.record(EventKind.REVISION, detail)


def _cancel_replaced_revisions(context: Context, submission: Submission) -> None:
    """Cancel held submissions of the same name whose file was taken away: this one replaces them."""
    for held in context.ledger.duplicates.find_earlier_revisions(submission):
        if context.share.is_reachable() and held.sha256 and _was_taken_away(context, held):
            _cancel_replaced_hold(context, held, submission.id, "replaced by a revision")


def _was_taken_away(context: Context, waiting: Submission) -> bool:
    """True if a person has taken the file of a held submission, or of a retried one, out of its folder.

    Not if it is in approved/: then that submission goes on.
    """
    folder = (waiting.claimed_as or "").partition("/")[0]
    put_away = folder in {Outcome.HELD, Outcome.REJECTED, APPROVED_FOLDER}
    goes_on = waiting.state not in ENDED_STATES and put_away
    if not goes_on or waiting.left_in_place or _has_file(context, waiting):
        return False
    return find_moved_file(context.ledger, context.share, waiting, APPROVED_FOLDER) is None


def _has_file(context: Context, submission: Submission) -> bool:
    """True if the file is where it was put away, or a worker has just taken it from there.

    Raises OSError if the share is away.
    """
    share, place = context.share, submission.claimed_as or ""
    if exists_in_share(share, place) and not belongs_to_newer(context.ledger, submission):
        return True
    others = (share.claimed_path(submission.path, submission.id), submission.placed_as)
    return any(exists_in_share(share, each) for each in others if each)


def _cancel_replaced_holds(
    context: Context, submission: Submission, twins: Sequence[Submission]
) -> frozenset[int]:
    """Cancel held submissions whose file was dragged back to the inbox: this one replaces them.

    Return the numbers of those that can't be canceled: they were sent in part, or may have been.
    """
    in_doubt: set[int] = set()
    _remove_orphaned_notes(context, twins)
    for duplicate in twins:
        if duplicate.id == submission.id or not _was_taken_away(context, duplicate):
            continue
        if not _cancel_replaced_hold(context, duplicate, submission.id, "dragged back to the inbox"):
            in_doubt.add(duplicate.id)
    return frozenset(in_doubt)


def _cancel_replaced_hold(context: Context, duplicate: Submission, heir: int, what: str) -> bool:
    """Cancel a waiting one, unless it was sent in part, or may be: of that nothing is sent blindly again.

    Looked at and changed in one step: a printer may have come free for it just now.
    """

    def decide(current: Submission, begun: SendState) -> CommandEffect:
        goes_on = current.state is not SubmissionState.HELD and current.turn != duplicate.turn
        if (
            current.hold is HoldReason.SEND
            or begun.open
            or begun.sent
            or current.state in ENDED_STATES
            or goes_on
        ):
            raise WrongSubmissionState(f"Submission {duplicate.id} is sent, or may be.")
        detail = f"{what}: goes on as submission {heir}"
        canceled: SubmissionChanges = {"state": SubmissionState.CANCELED, "reason": detail, "ended_at": now()}
        return CommandEffect(None, EventKind.CANCELED, detail, canceled)

    try:
        context.ledger.commands.execute(duplicate.id, decide)
    except (WrongSubmissionState, UnknownSubmission) as refusal:
        logger.debug("Submission {} was not retired: {}", duplicate.id, refusal)
        return False
    with suppress(OSError):
        remove_submission_note(context.source(duplicate), duplicate.id)
    return True


def _remove_orphaned_notes(context: Context, twins: Sequence[Submission]) -> None:
    """Remove notes in done/ and rejected/ whose file was dragged back."""
    put_away = (
        duplicate
        for duplicate in twins
        if duplicate.state in ENDED_STATES and duplicate.step is None and not duplicate.left_in_place
    )
    for duplicate in islice(put_away, MAX_CHECKED_DUPLICATES):
        if not context.source(duplicate).exists():
            with suppress(OSError):
                remove_notes_left(context.source(duplicate))


def _folder(submission: Submission) -> str:
    """Return the folder that a file was dropped into, the same for any case and any form of an umlaut."""
    if submission.left_in_place:
        return str(PurePosixPath(submission.origin or submission.claimed_as or "").parent)
    return _plain_folder(submission.path)


def same_folder(path: str, other: str) -> bool:
    """True if two files were dropped into the same folder."""
    return _plain_folder(path) == _plain_folder(other)


def _plain_folder(path: str) -> str:
    return unicodedata.normalize("NFC", str(PurePosixPath(path).parent)).casefold()
