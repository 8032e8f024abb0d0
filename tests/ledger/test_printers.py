"""The last seen state of each printer comes back as it was stored."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from workflow.ledger import Ledger
from workflow.model import LoadedMaterial, PrinterSnapshot, RunningPrint

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
BUSY = PrinterSnapshot(
    "d-1", "Mark Two - Anvil", "Mark Two", "Desktop Series", NOON, "Printing",
    RunningPrint("j-1", "bracket", "b-1", 55.0, 3600.0), 2, 7200.0,
    loaded=(LoadedMaterial("material", "Onyx", 612.5), LoadedMaterial("fiber", "Carbon Fiber")),
)  # fmt: skip
OFFLINE = PrinterSnapshot("d-2", "Onyx Pro - Dowel", "Onyx Pro", "Desktop Series", NOON, "Offline")


def test_printers_come_back_as_they_were_seen(ledger: Ledger) -> None:
    assert ledger.printers.latest() == ()
    ledger.printers.write([OFFLINE, BUSY])
    assert ledger.printers.latest() == (BUSY, OFFLINE)


def test_a_printer_that_is_no_longer_listed_keeps_its_last_state(ledger: Ledger) -> None:
    ledger.printers.write([OFFLINE, BUSY])
    idle = replace(BUSY, state="Ready", running=None, seen_at=datetime(2026, 11, 27, 13, tzinfo=UTC))
    ledger.printers.write([idle])
    assert ledger.printers.latest() == (idle, OFFLINE)
    ledger.printers.write([])
    assert ledger.printers.latest() == (idle, OFFLINE)
    much_later = replace(idle, seen_at=NOON + timedelta(days=91))
    ledger.printers.write([much_later])
    assert ledger.printers.latest() == (much_later,)


def test_a_name_that_no_database_takes_is_stored_all_the_same(ledger: Ledger) -> None:
    ledger.printers.write([replace(OFFLINE, name="a\0b")])
    assert [each.name for each in ledger.printers.latest()] == ["a\N{REPLACEMENT CHARACTER}b"]
