"""The past: what has ended can be forgotten, by age and by count. What is unfinished never is."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, select

from workflow.ledger.ledger import Ledger
from workflow.ledger.tables import (
    decisions,
    events,
    forgotten_sends,
    in_place_files,
    seen_before,
    sends,
    submissions,
)
from workflow.model import ENDED_STATES, Submission

DELETIONS_PER_TRANSACTION = 500
"""Submissions forgotten in one transaction: others get their turn in between."""
_DELETABLE = and_(
    submissions.c.state.in_([state.value for state in ENDED_STATES]),
    submissions.c.step.is_(None),
    submissions.c.ended_at.is_not(None),
)


def delete_ended_submissions(ledger: Ledger, before: datetime | None, keep: int | None) -> int:
    """Forget submissions that ended before then, and the oldest beyond so many; gives how many those were.

    What a read-only inbox still shows is remembered, else it would be taken again; so are the receipts of
    builds that others have too, else they would count as theirs.
    """
    forgotten = 0
    while count := _delete_batch(ledger, before, keep):
        forgotten += count
    return forgotten


def list_submissions_at_path(ledger: Ledger, place: str) -> tuple[Submission, ...]:
    """Give the submissions whose file stands in a place, or is about to."""
    there = (submissions.c.claimed_as == place) | (submissions.c.placed_as == place)
    return ledger.select_submissions(select(submissions).where(there))


def _delete_batch(ledger: Ledger, before: datetime | None, keep: int | None) -> int:
    with ledger.write_transaction() as connection:
        free = and_(_DELETABLE, submissions.c.id.not_in(select(in_place_files.c.submission)))
        oldest_first = select(submissions.c.id).where(free).order_by(submissions.c.ended_at, submissions.c.id)
        numbers: set[int] = set()
        if before is not None:
            aged = oldest_first.where(submissions.c.ended_at < before.timestamp()).limit(
                DELETIONS_PER_TRANSACTION
            )
            numbers.update(connection.execute(aged).scalars())
        if keep is not None:
            too_many = max(_count(connection, free) - keep, 0)
            numbers.update(
                connection.execute(oldest_first.limit(min(too_many, DELETIONS_PER_TRANSACTION))).scalars()
            )
        _preserve_shared_receipts(connection, numbers)
        for table in (events, sends, seen_before, decisions):
            connection.execute(delete(table).where(table.c.submission.in_(numbers)))
        connection.execute(delete(submissions).where(submissions.c.id.in_(numbers)))
        _delete_unneeded_receipts(connection)
        return len(numbers)


def _preserve_shared_receipts(connection: Connection, numbers: Collection[int]) -> None:
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


def _delete_unneeded_receipts(connection: Connection) -> None:
    """A build that no submission has any more is never sent once more."""
    known = select(submissions.c.id).where(submissions.c.build_id == forgotten_sends.c.build_id)
    connection.execute(delete(forgotten_sends).where(~known.exists()))


def _count(connection: Connection, which: ColumnElement[bool]) -> int:
    return int(connection.execute(select(func.count()).select_from(submissions).where(which)).scalar_one())
