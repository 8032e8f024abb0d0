"""Giving the file back to a folder that a person looks into, with a note that says why it is there."""

from contextlib import suppress
from datetime import date, datetime, timedelta
from pathlib import Path

from loguru import logger

from workflow.feedback import note_path, note_text, remove_note, write_note
from workflow.intake import Outcome, exists, make_folders, move_into_place, note_place, plan_place
from workflow.model import ENDED, GOES_BY_ITSELF, Hold, State, Step, Submission
from workflow.pipeline.clock import now
from workflow.pipeline.workshop import Workshop

CHANCES_FOR_A_NOTE = 12
"""Over about three quarters of an hour; then the file stands where it belongs without one."""


def put_away(shop: Workshop, submission: Submission) -> Submission:
    """Move the file to the folder that says how it ended, with a note beside it."""
    outcome = _outcome(submission)
    if outcome is None:
        return submission
    if not submission.left_in_place:
        submission = _move(shop, submission, outcome)
    elif shop.share.left_inbox is not None:
        submission = _note_apart(shop, submission, outcome)
    shop.spool_file(submission).unlink(missing_ok=True)
    return shop.ledger.next_turn(submission, *_afterwards(shop, submission))


def _outcome(submission: Submission) -> Outcome | None:
    if submission.state is State.HELD:
        return Outcome.HELD
    if submission.state in {State.REJECTED, State.CANCELED}:
        return Outcome.REJECTED
    return Outcome.DONE if submission.state in ENDED else None


def _afterwards(shop: Workshop, submission: Submission) -> tuple[Step | None, datetime | None]:
    """A missing build or device is looked for even while the file is held: it may come by itself."""
    if submission.state is not State.HELD or submission.hold not in GOES_BY_ITSELF:
        return None, None
    age = now() - (submission.waiting_since or now())
    for_device = submission.hold is Hold.DEVICE
    next_look = shop.patience.next_device_look if for_device else shop.patience.next_look
    return Step.DELIVER, now() + timedelta(seconds=next_look(age.total_seconds()))


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


def _note_apart(shop: Workshop, submission: Submission, outcome: Outcome) -> Submission:
    """The file stays in its read-only inbox: the note stands in the outcome folder, with the number."""
    target = note_place(outcome, submission.path, submission.id)
    if submission.placed_as not in {None, target}:
        with suppress(OSError):
            remove_note(shop.share.root / (submission.placed_as or ""))
    submission = shop.ledger.change(submission, placed_as=target)
    make_folders(shop.share, target)
    _write_note(shop, submission, shop.share.root / target)
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
