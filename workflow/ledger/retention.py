"""Retention: ended submissions can be deleted, by age and by count. Unfinished ones never are."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, select

from workflow.ledger.print_tables import prints
from workflow.ledger.store import Store
from workflow.ledger.tables import (
    decisions,
    earlier_decisions,
    events,
    forgotten_sends,
    in_place_files,
    seen_before,
    sends,
    submissions,
)
from workflow.model import ENDED_STATES

DELETIONS_PER_TRANSACTION = 500
"""Submissions deleted in one transaction: others can write in between."""
_DELETABLE = and_(
    submissions.c.state.in_([state.value for state in ENDED_STATES]),
    submissions.c.step.is_(None),
    submissions.c.ended_at.is_not(None),
    submissions.c.followed.is_not(True),
)


class RetentionStore(Store):
    """Deletion of old submissions."""

    def delete_ended(self, before: datetime | None, keep: int | None) -> int:
        """Delete submissions that ended before a time, and the oldest beyond `keep`; return how many.

        A file that a read-only inbox still shows stays remembered, or it would be taken again. So do the
        receipts of builds that other submissions have as well, or they would count as theirs.
        """
        deleted = 0
        while count := self._delete_batch(before, keep):
            deleted += count
        return deleted

    def _delete_batch(self, before: datetime | None, keep: int | None) -> int:
        with self.write_transaction() as connection:
            free = and_(_DELETABLE, submissions.c.id.not_in(select(in_place_files.c.submission)))
            oldest_first = (
                select(submissions.c.id).where(free).order_by(submissions.c.ended_at, submissions.c.id)
            )
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
            for table in (events, sends, seen_before, decisions, earlier_decisions, prints):
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
    """Delete the receipts of builds that no submission has any more: such a build is never sent again."""
    known = select(submissions.c.id).where(submissions.c.build_id == forgotten_sends.c.build_id)
    connection.execute(delete(forgotten_sends).where(~known.exists()))


def _count(connection: Connection, which: ColumnElement[bool]) -> int:
    return int(connection.execute(select(func.count()).select_from(submissions).where(which)).scalar_one())
