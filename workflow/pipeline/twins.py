"""Others of the same content or of the same name: held ones that came back, duplicates, revisions."""

import unicodedata
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import PurePosixPath

from loguru import logger

from workflow.errors import NotNow, UnknownSubmission
from workflow.feedback import remove_note
from workflow.intake import Custody, Outcome
from workflow.ledger import Begun, Order, earlier_from, give_order, record_content
from workflow.model import ENDED, Hold, State, Submission
from workflow.pipeline.clock import now
from workflow.pipeline.workshop import Workshop

LATEST_LOOKED_AT = 20
"""A file that is sent again and again has many twins; one of the latest was dragged back."""


def take_over_content(shop: Workshop, submission: Submission, custody: Custody) -> Submission:
    """Write down the content, and what it means for others. A duplicate ends here, as canceled.

    The same content in the same folder is sent once at a time; in another folder it is another wish,
    for rules look at folders. Raises Superseded, StateError.
    """
    in_doubt = _retire_held_twins(shop, submission, custody.sha256)
    fresh: dict[str, object] = {
        "size": custody.size,
        "dropped_by": custody.owner,
        "mesh": None,
        "intake_rule": None,
        "reason": None,
        "tries": 0,
    }
    detail = f"{custody.size:,} bytes, sha256 {custody.sha256}"

    def is_twin(other: Submission) -> bool:
        alike = _folder(other) == _folder(submission) or other.id in in_doubt
        return shop.sets_duplicates_aside and alike

    twin = record_content(shop.ledger, submission, custody.sha256, detail, is_twin, _set_aside, **fresh)
    submission = shop.ledger.get(submission.id)
    if twin is not None:
        logger.info("Submission {} ({}) set aside: {}", submission.id, submission.path, submission.reason)
        return submission
    return _say_revision(shop, submission)


def _set_aside(twin: Submission) -> Mapping[str, object]:
    reason = (
        f"The same file is under way as submission {twin.id} ({twin.path}): it is not sent twice at once."
    )
    if twin.state is State.HELD:
        reason = f"The same file is held as submission {twin.id} ({twin.path}): {twin.reason}"
        if twin.hold is not Hold.SEND:
            reason += f" `stlflow retry {twin.id}` takes that one up, or drag its file back into the inbox."
    return {"state": State.CANCELED, "reason": reason, "ended_at": now(), "hold": None}


def _say_revision(shop: Workshop, submission: Submission) -> Submission:
    """A file of the same name with other content before: both are kept, and the new one says so."""
    contents = [each for each in earlier_from(shop.ledger, submission) if each.sha256]
    others = list(dict.fromkeys(each.sha256 for each in contents if each.sha256 != submission.sha256))
    if not others:
        return submission
    last = next(each for each in reversed(contents) if each.sha256 != submission.sha256)
    where = f"{last.state} to {last.destination}" if last.state is State.DISPATCHED else str(last.state)
    detail = (
        f"revision {len(others) + 1} of {submission.path}: "
        f"submission {last.id} had other content and is {where}"
    )
    logger.info("Submission {}: {}", submission.id, detail)
    return shop.ledger.record(submission, "revision", detail)


def _retire_held_twins(shop: Workshop, submission: Submission, sha256: str) -> frozenset[int]:
    """A held file that was dragged back to the inbox goes on as the new submission.

    Gives those that may not, whatever folder the file was dragged to: a person has to look first.
    """
    in_doubt: set[int] = set()
    if not shop.share.is_there():
        return frozenset()
    twins = shop.ledger.with_content(sha256)
    _remove_notes_left_alone(shop, twins)
    for twin in twins:
        put_away_before = (twin.claimed_as or "").startswith(f"{Outcome.HELD}/")
        gone = twin.state is State.HELD and put_away_before and not shop.source(twin).exists()
        if gone and twin.id != submission.id and not _retired(shop, twin, submission.id):
            in_doubt.add(twin.id)
    return frozenset(in_doubt)


def _retired(shop: Workshop, twin: Submission, heir: int) -> bool:
    """Cancel a held one, unless it was sent in part, or may be: of that nothing is sent blindly again.

    Looked at and changed in one step: a printer may have come free for it just now.
    """

    def decide(current: Submission, begun: Begun) -> Order:
        if current.hold is Hold.SEND or begun.open or begun.sent or current.state is not State.HELD:
            raise NotNow(f"Submission {twin.id} is sent, or may be.")
        detail = f"dragged back to the inbox: goes on as submission {heir}"
        canceled = {"state": State.CANCELED, "reason": detail, "ended_at": now()}
        return Order(None, "canceled", detail, canceled)

    try:
        give_order(shop.ledger, twin.id, decide)
    except (NotNow, UnknownSubmission) as refusal:
        logger.debug("Submission {} was not retired: {}", twin.id, refusal)
        return False
    return True


def _remove_notes_left_alone(shop: Workshop, twins: Sequence[Submission]) -> None:
    """The note of a file that was dragged back from done/ or rejected/ would stay there for ever."""
    put_away = (
        twin for twin in twins if twin.state in ENDED and twin.step is None and not twin.left_in_place
    )
    for twin in islice(put_away, LATEST_LOOKED_AT):
        if not shop.source(twin).exists():
            with suppress(OSError):
                remove_note(shop.source(twin))


def _folder(submission: Submission) -> str:
    """Give the folder that a file was dropped into, the same for any case and any form of an umlaut."""
    if submission.left_in_place:
        return str(PurePosixPath(submission.origin or submission.claimed_as or "").parent)
    return unicodedata.normalize("NFC", str(PurePosixPath(submission.path).parent)).casefold()
