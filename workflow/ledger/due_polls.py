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
from workflow.model import EventKind, Step, Submission, SubmissionChanges, SubmissionState

ASK_AGAIN_SECONDS = 60.0
"""One question takes less; a process that died while asking delays the next one by this."""
_is_poll = submissions.c.step == Step.POLL.value
_NEXT_POLL = PreparedStatement(  # two, so that each reads one end of the index
    select(
        select(func.min(submissions.c.due_at)).where(_is_poll).scalar_subquery().label("first"),
        select(func.max(submissions.c.due_at)).where(_is_poll).scalar_subquery().label("last"),
    )
)
_is_due = or_(submissions.c.due_at <= bindparam("now"), submissions.c.due_at > bindparam("too_far"))
_due = (
    select(submissions.c.id)
    .where(and_(_is_poll, _is_due))
    .order_by(submissions.c.due_at)
    .limit(bindparam("room"))
    .with_for_update(skip_locked=True)
    .cte("due")
)
_POSTPONE_DUE = PreparedStatement(
    update(submissions)
    .where(submissions.c.id.in_(select(_due.c.id)))
    .values(due_at=bindparam("later"))
    .returning(*submissions.c)
)
_this_poll = and_(
    submissions.c.id == bindparam("number"), submissions.c.turn == bindparam("at_turn"), _is_poll
)
_POLL_AGAIN = PreparedStatement(
    update(submissions)
    .where(_this_poll)
    .values(
        due_at=bindparam("new_due_at"),
        slice_status=bindparam("new_slice_status"),
        tries=bindparam("new_tries"),
    )
)


@frozen
class NextPoll:
    """The next poll of a slice job that has not ended, and what the last one told."""

    submission: Submission
    due_at: datetime
    slice_status: str | None
    tries: int = 0


def postpone_due_polls(ledger: Ledger, room: int) -> tuple[Submission, ...]:
    """Return up to `room` submissions whose slice job is due for longest; each is put off by a minute.

    No two processes get the same one. Raises StateFolderError.
    """
    if room < 1:
        return ()
    now = seconds_now()
    values = {"now": now, "too_far": now + MAX_DUE_AHEAD_SECONDS, "later": now + ASK_AGAIN_SECONDS}
    with ledger.write_transaction(durable=False) as connection:
        rows = _POSTPONE_DUE.execute(connection, room=room, **values).mappings().all()
    return tuple(submission_from(row) for row in rows)


def schedule_next_polls(ledger: Ledger, polls: Collection[NextPoll]) -> None:
    """Write when slice jobs are polled next, in one transaction; what has gone on meanwhile stays as it is.

    Raises StateFolderError. Then each is polled again within a minute.
    """
    if not polls:
        return
    values = [
        {
            "number": poll.submission.id,
            "at_turn": poll.submission.turn,
            "new_due_at": poll.due_at.timestamp(),
            "new_slice_status": poll.slice_status,
            "new_tries": poll.tries,
        }
        for poll in polls
    ]
    with ledger.write_transaction(durable=False) as connection:
        _POLL_AGAIN.execute_many(connection, values)


def next_poll_seconds(ledger: Ledger) -> float:
    """Return in how many seconds the next slice job is due; infinite without any. Raises StateFolderError.

    A time so far ahead that nothing waits for it was written while the clock was wrong: due now.
    """
    with ledger.read_connection() as connection:
        row = _NEXT_POLL.execute(connection).mappings().all()[0]
    if row["first"] is None:
        return float("inf")
    now = seconds_now()
    return 0.0 if row["last"] > now + MAX_DUE_AHEAD_SECONDS else float(row["first"]) - now


_WAITING_FOR_SLICING = and_(
    submissions.c.state == SubmissionState.SLICING.value, submissions.c.step == Step.POLL.value
)
_COUNT_POLLS = PreparedStatement(select(func.count()).select_from(submissions).where(_is_poll))
_OLDEST_UPLOAD = PreparedStatement(select(func.min(submissions.c.uploaded_at)).where(_WAITING_FOR_SLICING))


def count_waiting_for_slicing(ledger: Ledger) -> int:
    """Return how many submissions wait for slicing. Raises StateFolderError."""
    with ledger.read_connection() as connection:
        return int(_COUNT_POLLS.execute(connection).scalar_one())


def find_oldest_upload(ledger: Ledger) -> datetime | None:
    """Return when the first of those that wait for slicing was uploaded; None if none waits.

    This reads each of their rows. Raises StateFolderError.
    """
    with ledger.read_connection() as connection:
        since = _OLDEST_UPLOAD.execute(connection).scalar_one_or_none()
    return None if since is None else datetime.fromtimestamp(since, UTC)


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
