"""Slice jobs that are due to be asked for: taken by putting them off, so nobody has to own them.

A crash while asking loses nothing: the row has a time at which it is asked for again.
"""

from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import and_, bindparam, func, or_, select, update

from workflow.ledger.changes import MAX_DUE_AHEAD_SECONDS, seconds_now
from workflow.ledger.ledger import Ledger
from workflow.ledger.rows import submission_from
from workflow.ledger.statements import PreparedStatement
from workflow.ledger.tables import submissions
from workflow.model import Step, Submission

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
    return tuple(replace(submission, due_at=datetime.fromtimestamp(later, UTC)) for submission in due)


def next_poll_seconds(ledger: Ledger) -> float:
    """Return in how many seconds the next slice job is due; infinite without any. Raises StateFolderError."""
    with ledger.read_connection() as connection:
        due_at = _NEXT_POLL.execute(connection).scalar_one_or_none()
    return float("inf") if due_at is None else due_at - seconds_now()
