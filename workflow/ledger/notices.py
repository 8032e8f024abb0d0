"""The outbox of notices: rows are written with the change that they tell of, and sent later by a thread.

A row is claimed (`begin`), sent, and settled. What was begun and not settled may have arrived: it is sent
again under the same message id, and counted as unconfirmed.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import field
from datetime import datetime

from sqlalchemy import Connection, and_, case, delete, func, insert, literal_column, or_, select, update

from workflow.frozen import frozen
from workflow.ledger.changes import acquire_transaction_lock, chunks, seconds_now
from workflow.ledger.rows import notice_from, replace_unstorable
from workflow.ledger.store import Store
from workflow.ledger.tables import notices
from workflow.model import Notice, NoticeEvent

DELIVERED, GIVEN_UP, UNCONFIRMED, OUTDATED = "delivered", "given up", "unconfirmed", "outdated"
"""How a notice ended. UNCONFIRMED: it may have arrived, and is not sent again. OUTDATED: no longer true."""
_LOCK = "notices"
_MAX_READ = 5_000
_waits = notices.c.outcome.is_(None)
_addressed = notices.c.target != ""
_free = and_(_waits, notices.c.begun_at.is_(None))


@frozen
class OutboxCondition:
    """How many notices wait, and what became of those of the last days that were not delivered."""

    waiting: int = 0
    failing: int = 0
    """Of those that wait, how many were tried in vain."""
    problems: Mapping[str, str] = field(default_factory=dict)
    """Why the last try failed, by target."""
    given_up: int = 0
    unconfirmed: int = 0


class NoticeStore(Store):
    """The outbox of one ledger; several workers may send from it, each row once."""

    def add(self, event: NoticeEvent, subject: str, detail: str) -> None:
        """Add a notice that belongs to no submission, once for each subject."""
        with self.write_transaction() as connection:
            acquire_transaction_lock(connection, _LOCK)
            known = select(notices.c.id).where(notices.c.subject == subject)
            if connection.execute(known).first() is None:
                row = {"event": event, "subject": subject, "detail": replace_unstorable(detail)}
                connection.execute(insert(notices).values(**row, at=seconds_now()))

    def list_unaddressed(self, limit: int = _MAX_READ) -> tuple[Notice, ...]:
        """Return notices whose targets are not known yet, oldest first."""
        with self.read_connection() as connection:
            query = select(notices).where(_waits, notices.c.target == "").order_by(notices.c.id).limit(limit)
            return tuple(map(notice_from, connection.execute(query).mappings()))

    def address(self, targets: Mapping[int, Collection[str]]) -> None:
        """Put a row for each target in the place of the unaddressed one; without targets, none."""
        with self.write_transaction(durable=False) as connection:
            acquire_transaction_lock(connection, _LOCK)
            for numbers in chunks(targets):
                present = and_(notices.c.id.in_(numbers), notices.c.target == "")
                rows = connection.execute(select(notices).where(present)).mappings().all()
                connection.execute(delete(notices).where(present))
                copies = [
                    {**{name: row[name] for name in ("event", "subject", "submission", "at", "detail")},
                     "target": target, "due_at": row["at"]}
                    for row in rows
                    for target in targets[row["id"]]
                ]  # fmt: skip
                if copies:
                    connection.execute(insert(notices), copies)

    def list_waiting(self, limit: int = _MAX_READ) -> tuple[Notice, ...]:
        """Return the notices that wait to be sent and are not being sent: of each target the oldest."""
        named = select(notices.c.target).where(_free, _addressed).distinct()
        with self.read_connection() as connection:
            found: list[Notice] = []
            for target in connection.execute(named).scalars().all():
                query = select(notices).where(_free, notices.c.target == target).order_by(notices.c.id)
                found += map(notice_from, connection.execute(query.limit(limit)).mappings())
            return tuple(found)

    def begin(self, numbers: Collection[int], message: str) -> bool:
        """Claim notices for one message before it is sent; False, and nothing is claimed, if any is taken."""
        values = {"begun_at": seconds_now(), "message": message, "tries": notices.c.tries + 1}
        with self.write_transaction() as connection:
            acquire_transaction_lock(connection, _LOCK)
            free = select(func.count()).select_from(notices).where(_free)
            found = [
                connection.execute(free.where(notices.c.id.in_(some))).scalar_one()
                for some in chunks(numbers)
            ]
            if sum(found) != len(numbers):
                return False
            for some in chunks(numbers):
                connection.execute(update(notices).where(notices.c.id.in_(some)).values(values))
            return True

    def settle(self, message: str, outcome: str, problem: str = "") -> None:
        """Record how a message ended."""
        self._update_message(message, {"outcome": outcome, "settled_at": seconds_now(), "problem": problem})

    def postpone(self, message: str, due_at: datetime, problem: str) -> None:
        """Send the notices of a message later, in another one perhaps: it did not arrive."""
        same = case(
            (notices.c.unconfirmed > 0, notices.c.message), else_=None
        )  # an earlier try may have arrived
        values = {"begun_at": None, "due_at": due_at.timestamp(), "problem": problem, "message": same}
        self._update_message(message, values)

    def repeat(self, message: str, due_at: datetime, problem: str) -> None:
        """Send the same message again later: it may have arrived."""
        values = {"begun_at": None, "due_at": due_at.timestamp(), "problem": problem}
        self._update_message(message, {**values, "unconfirmed": notices.c.unconfirmed + 1})

    def end(self, numbers: Iterable[int], outcome: str) -> None:
        """Settle notices that are not sent at all."""
        numbers = list(numbers)
        values = {"outcome": outcome, "settled_at": seconds_now()}
        if not numbers:
            return
        with self.write_transaction(durable=False) as connection:
            acquire_transaction_lock(connection, _LOCK)
            for some in chunks(numbers):
                connection.execute(update(notices).where(_free, notices.c.id.in_(some)).values(values))

    def free_interrupted(self, before: datetime) -> int:
        """Make notices free again whose sending began before a time and never ended; return how many.

        They may have arrived. Their sender was killed, or hangs longer than any channel may.
        """
        stuck = and_(_waits, notices.c.begun_at < before.timestamp())
        if not self.exists(select(notices.c.id).where(stuck).limit(1)):
            return 0
        values = {"begun_at": None, "due_at": seconds_now(), "unconfirmed": notices.c.unconfirmed + 1}
        told = {"problem": "stlflow was stopped while it was sent"}
        with self.write_transaction(durable=False) as connection:
            return connection.execute(update(notices).where(stuck).values(**values, **told)).rowcount

    def condition(self, since: datetime) -> OutboxCondition:
        """Return what waits, and what was not delivered since a time."""
        ended = and_(notices.c.settled_at >= since.timestamp(), notices.c.outcome.is_not(None))
        tried = notices.c.tries > literal_column("0")  # Postgres takes two parameters for two expressions
        groups = select(
            notices.c.target,
            notices.c.outcome,
            tried,
            func.count(),
            func.max(notices.c.problem),
        ).where(or_(and_(_waits, _addressed), ended))
        with self.read_connection() as connection:
            rows = connection.execute(groups.group_by(notices.c.target, notices.c.outcome, tried)).all()
        waiting = [row for row in rows if row[1] is None]
        counts = {
            outcome: sum(row[3] for row in rows if row[1] == outcome) for outcome in (GIVEN_UP, UNCONFIRMED)
        }
        return OutboxCondition(
            sum(row[3] for row in waiting),
            sum(row[3] for row in waiting if row[2] and row[4]),
            {row[0]: row[4] for row in rows if row[4] and row[1] != DELIVERED},
            counts[GIVEN_UP],
            counts[UNCONFIRMED],
        )

    def delete_settled(self, before: datetime) -> None:
        """Delete notices that were settled before a time."""
        old = notices.c.settled_at < before.timestamp()
        if self.exists(select(notices.c.id).where(old).limit(1)):
            with self.write_transaction(durable=False) as connection:
                connection.execute(delete(notices).where(old))

    def _update_message(self, message: str, values: Mapping[str, object]) -> None:
        with self.write_transaction() as connection:
            _update_open(connection, message, values)


def _update_open(connection: Connection, message: str, values: Mapping[str, object]) -> None:
    open_rows = and_(notices.c.message == message, _waits)
    connection.execute(update(notices).where(open_rows).values(dict(values)))
