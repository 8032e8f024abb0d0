"""Printers that a person took out of choice: why, by whom, and until when."""

from datetime import UTC, datetime

from sqlalchemy import Delete, RowMapping, delete, insert, or_, select

from workflow.ledger.changes import acquire_transaction_lock
from workflow.ledger.rows import replace_unstorable
from workflow.ledger.store import Store
from workflow.ledger.tables import printer_outages
from workflow.model import PrinterOutage


class OutageStore(Store):
    """At most one row per printer."""

    def list_current(self, moment: datetime) -> tuple[PrinterOutage, ...]:
        """Return the outages that are not over at this moment."""
        lasts = or_(printer_outages.c.until.is_(None), printer_outages.c.until > moment.timestamp())
        query = select(printer_outages).where(lasts).order_by(printer_outages.c.device_id)
        with self.read_connection() as connection:
            return tuple(map(_outage_from, connection.execute(query).mappings()))

    def list_people(self) -> set[str]:
        """Return who took printers out of choice."""
        with self.read_connection() as connection:
            return set(connection.execute(select(printer_outages.c.by_whom)).scalars())

    def count_current(self, now: float) -> int:
        """Return how many printers are out of choice; the time is seconds since 1970."""
        return len(self.list_current(datetime.fromtimestamp(now, UTC)))

    def begin(self, outage: PrinterOutage) -> None:
        """Take a printer out of choice, in place of an earlier outage of it."""
        row = {
            "device_id": outage.device_id,
            "reason": replace_unstorable(outage.reason),
            "by_whom": replace_unstorable(outage.by),
            "since": outage.since.timestamp(),
            "until": None if outage.until is None else outage.until.timestamp(),
        }
        with self.write_transaction() as connection:
            acquire_transaction_lock(connection, f"printer {outage.device_id}")
            connection.execute(_delete_of(outage.device_id))
            connection.execute(insert(printer_outages).values(row))

    def end(self, device_id: str) -> bool:
        """Put a printer back into choice; False if it was not out."""
        with self.write_transaction() as connection:
            return connection.execute(_delete_of(device_id)).rowcount > 0


def _delete_of(device_id: str) -> Delete:
    return delete(printer_outages).where(printer_outages.c.device_id == device_id)


def _outage_from(row: RowMapping) -> PrinterOutage:
    return PrinterOutage(
        row["device_id"],
        row["reason"],
        row["by_whom"],
        datetime.fromtimestamp(row["since"], UTC),
        None if row["until"] is None else datetime.fromtimestamp(row["until"], UTC),
    )
