"""Commands of a person: reading and changing in one transaction, so that nothing moves in between."""

from collections.abc import Callable, Collection
from dataclasses import field

from sqlalchemy import ColumnElement, Connection, and_, func, insert, select, update

from workflow.frozen import frozen
from workflow.ledger.changes import (
    acquire_transaction_lock,
    append_event,
    apply_changes,
    inserted_id,
    lock_submission,
    next_turn,
    read_submission,
    seconds_now,
)
from workflow.ledger.database import CLOCK
from workflow.ledger.duplicates import IsDuplicate, find_competing_submission, find_unfinished_duplicate
from workflow.ledger.rows import to_columns
from workflow.ledger.sends import CHECKED_BY_OPERATOR
from workflow.ledger.store import Store
from workflow.ledger.tables import sends, submissions
from workflow.model import EventKind, Step, Submission, SubmissionChanges, SubmissionState

REORDERED_FIELDS = (
    "claimed_as", "size", "sha256", "mesh", "preset", "preset_id", "intake_rule", "owner_id", "folder_id",
    "part_version_id", "slice_job_id", "slice_status", "uploaded_at", "build_id", "dropped_by",
)  # fmt: skip
"""What a submission has in common with the one whose build it sends once more."""


@frozen
class SendState:
    """How far a submission is sent.

    `open`: an attempt's outcome is unknown. `under_way`: an attempt may be running now. `sent` counts the
    copies that are certainly sent. `rival` is another submission that sends the same build, if there is one.
    """

    open: bool
    under_way: bool
    sent: int = 0
    rival: int | None = None


@frozen
class CommandEffect:
    """What a command does: the step that begins now (None if nothing is left to do), the event, the changes.

    `looked`: a person has checked, and unconfirmed attempts no longer count. `receipt`: they worked.
    `undone`: they did not.
    """

    step: Step | None
    event: EventKind
    detail: str
    changes: SubmissionChanges = field(default_factory=SubmissionChanges)
    looked: bool = False
    receipt: str | None = None
    undone: bool = False


class CommandStore(Store):
    """Commands on submissions."""

    def execute(self, number: int, decide: Callable[[Submission, SendState], CommandEffect]) -> Submission:
        """Decide on the current state of a submission, write the decision, and return the submission.

        Raises UnknownSubmission, and whatever `decide` raises to refuse; then nothing is changed.
        """
        with self.write_transaction() as connection:
            submission = _lock_with_content(connection, number)
            effect = decide(submission, _send_state(connection, submission))
            _settle_open_sends(connection, number, effect)
            present = None if effect.step is None else CLOCK.now()
            changes: SubmissionChanges = {**next_turn(submission, effect.step, present), **effect.changes}
            return apply_changes(connection, submission, changes, (effect.event, effect.detail))

    def list_sends_in_doubt(self, numbers: Collection[int]) -> frozenset[int]:
        """Return those of some submissions that may be sent or not: an attempt's outcome is unknown."""
        if not numbers:
            return frozenset()
        query = select(sends.c.submission).where(sends.c.submission.in_(numbers), _IS_OPEN)
        with self.read_connection() as connection:
            return frozenset(connection.execute(query).scalars().all())

    def begin_reorder(
        self, earlier: Submission, path: str, origin: str, detail: str, is_duplicate: IsDuplicate
    ) -> int | None:
        """Begin a submission that sends the build of an earlier one once more, and return its number.

        None while another one sends this build, or is a duplicate of the new one. If `origin` has begun
        one before, return its number.
        """
        with self.write_transaction() as connection:
            acquire_transaction_lock(connection, earlier.sha256 or "")
            begun = connection.execute(select(submissions.c.id).where(submissions.c.origin == origin))
            if (number := begun.scalars().first()) is not None:
                return int(number)
            like = find_unfinished_duplicate(connection, earlier, earlier.sha256 or "", is_duplicate)
            if like or find_competing_submission(connection, earlier.build_id, besides=0) is not None:
                return None
            row = to_columns({name: getattr(earlier, name) for name in REORDERED_FIELDS})
            fresh = {
                "path": path,
                "origin": origin,
                "reused": earlier.id,
                "state": SubmissionState.SLICED.value,
                "step": Step.DELIVER.value,
                "due_at": seconds_now(),
                "opened_at": seconds_now(),
                "waiting_since": seconds_now(),
            }
            number = inserted_id(connection.execute(insert(submissions).values({**row, **fresh})))
            append_event(connection, number, EventKind.CLAIMED, origin)
            append_event(connection, number, EventKind.REORDERED, detail)
            return number


def _lock_with_content(connection: Connection, number: int) -> Submission:
    """Lock the content, so that nobody takes the build in between, and then the row, as all writers do."""
    content = read_submission(connection, number).sha256
    acquire_transaction_lock(connection, content or "")
    submission = lock_submission(connection, number)
    if submission.sha256 != content:
        acquire_transaction_lock(connection, submission.sha256 or "")
    return submission


def _send_state(connection: Connection, submission: Submission) -> SendState:
    deadlines = connection.execute(select(sends.c.deadline).where(_open_sends(submission.id))).scalars().all()
    under_way = any(end > seconds_now() for end in deadlines)
    settled = and_(sends.c.submission == submission.id, sends.c.receipt_id.is_not(None))
    sent = connection.execute(select(func.count()).select_from(sends).where(settled)).scalar_one()
    return SendState(bool(deadlines), under_way, int(sent), _rival(connection, submission))


def _rival(connection: Connection, submission: Submission) -> int | None:
    """Return another submission that sends this build. Only a reused build may belong to another as well."""
    if submission.reused is None:
        return None
    return find_competing_submission(connection, submission.build_id, besides=submission.id)


def _settle_open_sends(connection: Connection, number: int, effect: CommandEffect) -> None:
    if effect.receipt is not None:
        known = {"receipt_id": effect.receipt, "settled_at": seconds_now()}
        connection.execute(update(sends).where(_open_sends(number)).values(known))
    elif effect.looked:
        never, looked = {"lost": None, "times": 0}, {"lost": CHECKED_BY_OPERATOR, "times": 1}
        fresh = {**(never if effect.undone else looked), "deadline": 0.0}
        connection.execute(update(sends).where(_open_sends(number)).values(fresh))


_IS_OPEN = and_(sends.c.receipt_id.is_(None), sends.c.times > 0)


def _open_sends(number: int) -> ColumnElement[bool]:
    return and_(sends.c.submission == number, _IS_OPEN)
