"""The past: what has ended can be forgotten, by age and by count. What is unfinished never is."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, select

from workflow.ledger.ledger import Ledger
from workflow.ledger.tables import (
    decisions,
    events,
    forgotten_sends,
    left_files,
    seen_before,
    sends,
    submissions,
)
from workflow.model import ENDED, Submission

AT_ONCE = 500
"""Submissions forgotten in one transaction: others get their turn in between."""
_OVER = and_(
    submissions.c.state.in_([state.value for state in ENDED]),
    submissions.c.step.is_(None),
    submissions.c.ended_at.is_not(None),
)


def forget_ended(ledger: Ledger, before: datetime | None, keep: int | None) -> int:
    """Forget submissions that ended before then, and the oldest beyond so many; gives how many those were.

    What a read-only inbox still shows is remembered, else it would be taken again; so are the receipts of
    builds that others have too, else they would count as theirs.
    """
    forgotten = 0
    while count := _forget_some(ledger, before, keep):
        forgotten += count
    return forgotten


def stand_in_place(ledger: Ledger, place: str) -> tuple[Submission, ...]:
    """Give the submissions whose file stands in a place, or is about to."""
    there = (submissions.c.claimed_as == place) | (submissions.c.placed_as == place)
    return ledger.several(select(submissions).where(there))


def _forget_some(ledger: Ledger, before: datetime | None, keep: int | None) -> int:
    with ledger.writing() as connection:
        free = and_(_OVER, submissions.c.id.not_in(select(left_files.c.submission)))
        oldest_first = select(submissions.c.id).where(free).order_by(submissions.c.ended_at, submissions.c.id)
        numbers: set[int] = set()
        if before is not None:
            aged = oldest_first.where(submissions.c.ended_at < before.timestamp()).limit(AT_ONCE)
            numbers.update(connection.execute(aged).scalars())
        if keep is not None:
            too_many = max(_count(connection, free) - keep, 0)
            numbers.update(connection.execute(oldest_first.limit(min(too_many, AT_ONCE))).scalars())
        _keep_receipts(connection, numbers)
        for table in (events, sends, seen_before, decisions):
            connection.execute(delete(table).where(table.c.submission.in_(numbers)))
        connection.execute(delete(submissions).where(submissions.c.id.in_(numbers)))
        _drop_receipts(connection)
        return len(numbers)


def _keep_receipts(connection: Connection, numbers: Collection[int]) -> None:
    other = submissions.alias()
    shared = select(other.c.build_id).where(
        other.c.id.not_in(numbers), other.c.build_id == submissions.c.build_id
    )
    receipts = (
        select(submissions.c.build_id, sends.c.receipt_id)
        .join(sends, sends.c.submission == submissions.c.id)
        .where(submissions.c.id.in_(numbers), sends.c.receipt_id.is_not(None), shared.exists())
    )
    connection.execute(insert(forgotten_sends).from_select(["build_id", "receipt_id"], receipts))


def _drop_receipts(connection: Connection) -> None:
    """A build that no submission has any more is never sent once more."""
    known = select(submissions.c.id).where(submissions.c.build_id == forgotten_sends.c.build_id)
    connection.execute(delete(forgotten_sends).where(~known.exists()))


def _count(connection: Connection, which: ColumnElement[bool]) -> int:
    return int(connection.execute(select(func.count()).select_from(submissions).where(which)).scalar_one())
