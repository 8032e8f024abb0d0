"""The last seen state of each printer, so that a page can show it without asking Eiger."""

import json
from collections.abc import Collection
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import RowMapping, delete, insert, select

from workflow.ledger.changes import chunks
from workflow.ledger.rows import replace_unstorable
from workflow.ledger.store import Store
from workflow.ledger.tables import printers
from workflow.model import LoadedMaterial, PrinterSnapshot, RunningPrint


class PrinterStore(Store):
    """One row per printer that Eiger has ever listed."""

    def latest(self) -> tuple[PrinterSnapshot, ...]:
        """Return the last seen state of each printer, by name."""
        query = select(printers).order_by(printers.c.name, printers.c.id)
        with self.read_connection() as connection:
            return tuple(_snapshot_from(row) for row in connection.execute(query).mappings())

    def write(self, seen: Collection[PrinterSnapshot]) -> None:
        """Store these states in place of earlier ones; printers that are not among them stay as they are."""
        if not seen:
            return
        rows = {each.id: _row(each) for each in seen}
        with self.write_transaction(durable=False) as connection:
            for some in chunks(rows):
                connection.execute(delete(printers).where(printers.c.id.in_(some)))
            connection.execute(insert(printers), list(rows.values()))


def _row(seen: PrinterSnapshot) -> dict[str, object]:
    running = None if seen.running is None else json.dumps(asdict(seen.running))
    words = {name: getattr(seen, name) for name in ("id", "name", "model", "series", "state")}
    texts = {name: word and replace_unstorable(word) for name, word in words.items()}
    return {
        **texts,
        "seen_at": seen.seen_at.timestamp(),
        "running": running,
        "queue_length": seen.queue_length,
        "queue_seconds": seen.queue_seconds,
        "loaded": json.dumps([asdict(each) for each in seen.loaded]),
    }


def _snapshot_from(row: RowMapping) -> PrinterSnapshot:
    plain: dict[str, Any] = {
        name: row[name]
        for name in ("id", "name", "model", "series", "state", "queue_length", "queue_seconds")
    }
    running = None if row["running"] is None else RunningPrint(**json.loads(row["running"]))
    return PrinterSnapshot(
        **plain,
        seen_at=datetime.fromtimestamp(row["seen_at"], UTC),
        running=running,
        loaded=tuple(LoadedMaterial(**each) for each in json.loads(row["loaded"])),
    )
