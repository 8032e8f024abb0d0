"""Troubles: what is wrong with the cloud, the share and the like, so that people hear of it once."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from workflow.ledger.changes import acquire_transaction_lock, seconds_now
from workflow.ledger.rows import replace_unstorable
from workflow.ledger.store import Store
from workflow.ledger.tables import notices, troubles
from workflow.model import NoticeEvent, TroubleState

Change = Callable[[TroubleState], tuple[TroubleState, NoticeEvent | None]]
"""Returns the state that follows, and what people are to be told, if anything."""
_TIMES = ("since", "fine_since", "told_at")


class TroubleStore(Store):
    """The state of each kind of trouble."""

    def read(self) -> tuple[TroubleState, ...]:
        """Return every trouble that lasts, by kind."""
        with self.read_connection() as connection:
            query = select(troubles).where(troubles.c.since.is_not(None)).order_by(troubles.c.kind)
            return tuple(_state(row) for row in connection.execute(query).mappings())

    def update(self, kind: str, change: Change) -> None:
        """Change the state of a kind; its notice is written in the same transaction."""
        with self.read_connection() as connection:
            known = _read(connection, kind)
        if change(known) == (known, None):
            return
        with self.write_transaction() as connection:
            acquire_transaction_lock(connection, f"trouble {kind}")
            before = _read(connection, kind)
            after, told = change(before)
            connection.execute(delete(troubles).where(troubles.c.kind == kind))
            connection.execute(insert(troubles).values(_columns(after)))
            if told is not None:
                since = (after if after.since is not None else before).since
                subject = f"{told} {kind} {since.timestamp() if since else 0:.3f}"
                row = {"event": told, "subject": subject, "detail": replace_unstorable(after.words)}
                connection.execute(insert(notices).values(**row, at=seconds_now()))


def _read(connection: Connection, kind: str) -> TroubleState:
    row = connection.execute(select(troubles).where(troubles.c.kind == kind)).mappings().first()
    return TroubleState(kind) if row is None else _state(row)


def _state(row: Mapping[Any, Any]) -> TroubleState:
    times = {name: None if row[name] is None else datetime.fromtimestamp(row[name], UTC) for name in _TIMES}
    return TroubleState(row["kind"], is_told=bool(row["is_told"]), words=row["words"], **times)


def _columns(state: TroubleState) -> dict[str, object]:
    times = {name: getattr(state, name) for name in _TIMES}
    seconds = {name: None if at is None else at.timestamp() for name, at in times.items()}
    return {"kind": state.kind, "is_told": state.is_told, "words": state.words, **seconds}
