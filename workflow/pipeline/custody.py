"""Taking the bytes into custody, and giving the file back to a folder that a person looks into."""

from contextlib import suppress
from datetime import date, datetime, timedelta
from pathlib import Path

from loguru import logger

from workflow.errors import NotAPlainFile, StillChanging
from workflow.feedback import note_path, note_text, remove_note, write_note
from workflow.intake import (
    Outcome,
    call_back,
    exists,
    move_into_place,
    plan_place,
    take_custody,
)
from workflow.ledger import Superseded
from workflow.model import ENDED, Hold, State, Step, Submission
from workflow.pipeline.clock import now
from workflow.pipeline.outcome import hold, wait_in_line
from workflow.pipeline.workshop import Workshop

STILL_CHANGING_SECONDS = 2.0
CHANCES_FOR_A_NOTE = 12
"""Over about three quarters of an hour; then the file stands where it belongs without one."""


def take_in(shop: Workshop, submission: Submission) -> Submission:
    """Copy the claimed bytes into the spool and learn their sha256: what is checked is what is sent."""
    spool_file = shop.spool_file(submission)
    if submission.sha256 and spool_file.is_file() and spool_file.stat().st_size == submission.size:
        return submission
    try:
        submission = _back_to_work(shop, submission)
        shop.spool.mkdir(parents=True, exist_ok=True)  # whoever tidied it away is not the file's fault
        root = None if submission.left_in_place else shop.share.root
        custody = take_custody(shop.source(submission), spool_file, root=root)
    except StillChanging as error:
        return wait_in_line(shop, submission, STILL_CHANGING_SECONDS, str(error))
    except NotAPlainFile as refusal:
        return hold(shop, submission, Hold.FILE, str(refusal))
    except FileNotFoundError:
        return _gone(shop, submission)
    except PermissionError:
        if submission.left_in_place:  # nobody but its owner can change that; a share may come round
            return hold(shop, submission, Hold.FILE, f"{submission.claimed_as} can't be read: no permission.")
        raise
    detail = f"{custody.size:,} bytes, sha256 {custody.sha256}"
    submission = shop.ledger.record(
        submission,
        "taken",
        detail,
        sha256=custody.sha256,
        size=custody.size,
        mesh=None,
        intake_rule=None,
        reason=None,
        tries=0,
    )
    _retire_held_twins(shop, submission)
    return submission


def _gone(shop: Workshop, submission: Submission) -> Submission:
    again = "Put it back, then retry." if submission.left_in_place else "Drop it into the inbox again."
    gone = f"The file is gone from {submission.claimed_as}. {again}"
    return hold(shop, submission, Hold.FILE, gone)


def put_away(shop: Workshop, submission: Submission) -> Submission:
    """Move the file to the folder that says how it ended, with a note beside it."""
    outcome = _outcome(submission)
    if outcome is None:
        return submission
    if not submission.left_in_place:
        submission = _move(shop, submission, outcome)
    shop.spool_file(submission).unlink(missing_ok=True)
    return shop.ledger.next_turn(submission, *_afterwards(shop, submission))


def _outcome(submission: Submission) -> Outcome | None:
    if submission.state is State.HELD:
        return Outcome.HELD
    if submission.state in {State.REJECTED, State.CANCELED}:
        return Outcome.REJECTED
    return Outcome.DONE if submission.state in ENDED else None


def _afterwards(shop: Workshop, submission: Submission) -> tuple[Step | None, datetime | None]:
    """A missing build is looked for even while the file is held: somebody may make it in Eiger."""
    if submission.state is not State.HELD or submission.hold is not Hold.BUILD:
        return None, None
    age = now() - (submission.waiting_since or now())
    return Step.DELIVER, now() + timedelta(seconds=shop.patience.next_look(age.total_seconds()))


def _move(shop: Workshop, submission: Submission, outcome: Outcome) -> Submission:
    """Write down where the file will stand, move it there, write down that it stands there."""
    submission = _called_back(shop, submission)
    here = submission.claimed_as or ""
    try:
        submission = _move_as_planned(shop, submission, outcome)
    except FileNotFoundError:
        return _say_gone(shop, submission, here)
    with suppress(OSError):
        remove_note(shop.share.root / here)
    target = submission.placed_as or here
    submission = shop.ledger.change(submission, claimed_as=target, placed_as=None)
    _write_note(shop, submission, shop.share.root / target)
    return submission


def _called_back(shop: Workshop, submission: Submission) -> Submission:
    """A retry that was cut off or canceled may have left the file in processing/."""
    place = shop.share.claimed_path(submission.path, submission.id)
    if submission.claimed_as == place or not exists(shop.share, place):
        return submission
    return shop.ledger.change(submission, claimed_as=place, placed_as=None)


def _move_as_planned(shop: Workshop, submission: Submission, outcome: Outcome) -> Submission:
    """A plan is made anew, and written down anew, when somebody took the name meanwhile."""
    here = submission.claimed_as or ""
    while True:
        if submission.placed_as is None:
            day = date.today() if shop.date_folders else None
            target = plan_place(shop.share, here, submission.path, outcome, day)
            submission = shop.ledger.change(submission, placed_as=target)
        try:
            move_into_place(shop.share, here, submission.placed_as or "")
        except FileExistsError:
            submission = shop.ledger.change(submission, placed_as=None)
        else:
            return submission


def _say_gone(shop: Workshop, submission: Submission, here: str) -> Submission:
    submission = shop.ledger.change(submission, placed_as=None)
    if any(event.event == "file gone" for event in shop.ledger.events(submission.id)):
        return submission
    lost = f"The file is no longer at {here}: somebody took it away."
    return shop.ledger.record(submission, "file gone", lost)


def _write_note(shop: Workshop, submission: Submission, stl: Path) -> None:
    """Write the note; a full or faulty share gets several chances. Raises OSError while it has some left."""
    try:
        write_note(note_path(stl), note_text(submission, shop.ledger.events(submission.id)))
    except OSError as error:
        if submission.tries < CHANCES_FOR_A_NOTE:
            raise
        logger.warning("No note beside {}: {}", stl.name, error.strerror)


def _back_to_work(shop: Workshop, submission: Submission) -> Submission:
    """On a retry the file stands in an outcome folder: bring it back to processing/."""
    placed = submission.claimed_as or ""
    if submission.left_in_place or placed.startswith("processing/"):
        return submission
    with suppress(OSError):
        remove_note(shop.share.root / placed)  # what it says is no longer true
    claimed_as = call_back(shop.share, placed, submission.id, submission.path)
    return shop.ledger.change(submission, claimed_as=claimed_as, placed_as=None)


def _retire_held_twins(shop: Workshop, submission: Submission) -> None:
    """A held file that was dragged back to the inbox goes on as the new submission."""
    if not shop.share.is_there():
        return
    for twin in shop.ledger.with_content(submission.sha256 or ""):
        put_away_before = twin.state is State.HELD and (twin.step is None or twin.due_at is not None)
        gone = put_away_before and not twin.left_in_place and not shop.source(twin).exists()
        if gone and twin.id != submission.id:
            detail = f"dragged back to the inbox: goes on as submission {submission.id}"
            canceled = {"state": State.CANCELED, "reason": detail, "ended_at": now()}
            try:
                shop.ledger.next_turn(twin, None, None, "canceled", detail, **canceled)
            except Superseded:
                logger.debug("Submission {} went on meanwhile.", twin.id)
