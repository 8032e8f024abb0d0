"""Submissions that wait for slicing: how many, whom a build concerns, and which are due for a poll.

A due poll is taken by postponing it, so nobody has to own it. A crash while polling loses nothing: the row
has a time at which it is polled again.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Unpack

from sqlalchemy import and_, bindparam, func, or_, select, update

from workflow.frozen import frozen
from workflow.ledger.changes import MAX_DUE_AHEAD_SECONDS, apply_changes, chunks, next_turn, seconds_now
from workflow.ledger.database import CLOCK
from workflow.ledger.ledger import Ledger
from workflow.ledger.rows import submission_from
from workflow.ledger.statements import PreparedStatement
from workflow.ledger.tables import submissions
from workflow.model import EventKind, Step, Submission, SubmissionChanges, SubmissionState, evolve

ASK_AGAIN_SECONDS = 60.0
"""One question takes less; a process that died while asking delays the next one by this."""
_is_poll = submissions.c.step == Step.POLL.value
_NEXT_POLL = PreparedStatement(select(func.min(submissions.c.due_at)).where(_is_poll))
_is_due = or_(submissions.c.due_at <= bindparam("now"), submissions.c.due_at > bindparam("too_far"))
_DUE_POLLS = PreparedStatement(
    select(submissions)
    .where(and_(_is_poll, _is_due))
    .order_by(submissions.c.due_at)
    .limit(bindparam("room"))
    .with_for_update(skip_locked=True)
)


def postpone_due_polls(ledger: Ledger, room: int) -> tuple[Submission, ...]:
    """Return up to `room` submissions whose slice job is due, longest due first; each is put off by a minute.

    No two processes get the same one. Raises StateFolderError.
    """
    if room < 1:
        return ()
    now = seconds_now()
    later = now + ASK_AGAIN_SECONDS
    with ledger.write_transaction(durable=False) as connection:
        rows = _DUE_POLLS.execute(connection, now=now, too_far=now + MAX_DUE_AHEAD_SECONDS, room=room)
        due = [submission_from(dict(row)) for row in rows.mappings()]
        if due:
            these = submissions.c.id.in_([submission.id for submission in due])
            connection.execute(update(submissions).where(these).values(due_at=later))
    return tuple(evolve(submission, due_at=datetime.fromtimestamp(later, UTC)) for submission in due)


def next_poll_seconds(ledger: Ledger) -> float:
    """Return in how many seconds the next slice job is due; infinite without any. Raises StateFolderError."""
    with ledger.read_connection() as connection:
        due_at = _NEXT_POLL.execute(connection).scalar_one_or_none()
    return float("inf") if due_at is None else due_at - seconds_now()


_WAITING_FOR_SLICING = and_(
    submissions.c.state == SubmissionState.SLICING.value, submissions.c.step == Step.POLL.value
)
_WAITING_COUNT = select(
    func.count().label("waiting"), func.min(submissions.c.uploaded_at).label("since")
).where(_WAITING_FOR_SLICING)


@frozen
class WaitingForSlicing:
    """How many submissions wait for slicing, and when the first of them was uploaded."""

    count: int
    since: datetime | None


def count_waiting_for_slicing(ledger: Ledger) -> WaitingForSlicing:
    """Return how much waits for slicing. Raises StateFolderError."""
    with ledger.read_connection() as connection:
        row = connection.execute(_WAITING_COUNT).one()
    return WaitingForSlicing(
        row.waiting, None if row.since is None else datetime.fromtimestamp(row.since, UTC)
    )


def filter_waiting_for_slicing(ledger: Ledger, numbers: Collection[int]) -> tuple[Submission, ...]:
    """Return those of these submissions that wait for slicing. Raises StateFolderError."""
    some = chunks(sorted(numbers))
    queries = (select(submissions).where(submissions.c.id.in_(each), _WAITING_FOR_SLICING) for each in some)
    return tuple(submission for query in queries for submission in ledger.select_submissions(query))


def find_waiting_by_part_version(ledger: Ledger, part_version_ids: Collection[str]) -> tuple[Submission, ...]:
    """Return submissions that wait for the slicing of one of these part versions. Raises StateFolderError."""
    ours = submissions.c.part_version_id.in_(list(part_version_ids))
    return ledger.select_submissions(select(submissions).where(ours, _WAITING_FOR_SLICING))


def start_delivery(
    ledger: Ledger,
    submission: Submission,
    events: Sequence[tuple[EventKind, str]],
    **changes: Unpack[SubmissionChanges],
) -> None:
    """Begin to deliver what was parked, with all its news at once. Raises Superseded, StateFolderError."""
    ahead = next_turn(submission, Step.DELIVER, CLOCK.now())
    with ledger.write_transaction() as connection:
        delivery: SubmissionChanges = {**ahead, **changes}
        apply_changes(connection, submission, delivery, *events)
