"""The last seen state of each printer, so that a page can show it without asking Eiger."""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, insert, select

from workflow.ledger.changes import acquire_transaction_lock, chunks
from workflow.ledger.print_tables import printers, prints
from workflow.ledger.rows import replace_unstorable
from workflow.ledger.store import Store
from workflow.model import LoadedMaterial, PrinterSnapshot, PrintPhase, RunningPrint

KEEP_UNLISTED = timedelta(days=90)
"""A printer that was sold, or has another id, is on no page for ever."""


class PrinterStore(Store):
    """One row per printer that Eiger has listed lately."""

    def latest(self) -> tuple[PrinterSnapshot, ...]:
        """Return the last seen state of each printer, by name."""
        query = select(printers).order_by(printers.c.name, printers.c.id)
        with self.read_connection() as connection:
            queued, printing = _ours(connection)
            rows = connection.execute(query).mappings()
            return tuple(_snapshot_from(row, queued, printing) for row in rows)

    def write(self, seen: Collection[PrinterSnapshot]) -> None:
        """Store these states in place of earlier ones; printers that are not among them stay for a while."""
        if not seen:
            return
        rows = {each.id: _row(each) for each in seen}
        forgotten = max(each.seen_at for each in seen) - KEEP_UNLISTED
        with self.write_transaction(durable=False) as connection:
            acquire_transaction_lock(connection, "printers")
            connection.execute(delete(printers).where(printers.c.seen_at < forgotten.timestamp()))
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


def _ours(connection: Connection) -> tuple[Mapping[str, Sequence[int]], Mapping[str, int]]:
    """Return which submissions wait in the queue of each device, and which one each print job prints."""
    queued: dict[str, list[int]] = defaultdict(list)
    printing: dict[str, int] = {}
    awaited = prints.c.phase.in_([PrintPhase.QUEUED.value, PrintPhase.PRINTING.value])
    for row in connection.execute(select(prints).where(awaited).order_by(prints.c.submission)).mappings():
        if row["phase"] == PrintPhase.PRINTING:
            printing.setdefault(row["job_id"], row["submission"])
        elif row["device_id"] is not None:
            queued[row["device_id"]].append(row["submission"])
    return queued, printing


def _snapshot_from(
    row: RowMapping, queued: Mapping[str, Sequence[int]], printing: Mapping[str, int]
) -> PrinterSnapshot:
    plain: dict[str, Any] = {
        name: row[name]
        for name in ("id", "name", "model", "series", "state", "queue_length", "queue_seconds")
    }
    running = None if row["running"] is None else RunningPrint(**json.loads(row["running"]))
    if running is not None:
        running = replace(running, submission=printing.get(running.job_id))
    return PrinterSnapshot(
        **plain,
        seen_at=datetime.fromtimestamp(row["seen_at"], UTC),
        running=running,
        queued=tuple(queued.get(row["id"], ())),
        loaded=tuple(LoadedMaterial(**each) for each in json.loads(row["loaded"])),
    )
