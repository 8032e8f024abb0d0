"""A printer that a person took out of choice gets nothing from any rule, and it is said why."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.routing.test_choose_device import LOADED, ONYX, READY
from workflow.errors import SettingsError
from workflow.ledger import Ledger
from workflow.model import PrinterOutage, PrinterSnapshot
from workflow.pipeline.context import now
from workflow.pipeline.outages import put_printer_back, take_printer_out, with_outages
from workflow.routing.choose_device import choose_device

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
ANVIL = PrinterSnapshot("1", "Mark Two - Anvil", "Mark Two", "Desktop Series", NOON, "Ready")


def test_it_is_passed_over_with_the_reason_and_the_time() -> None:
    outage = PrinterOutage("1", "new nozzle", "anna", NOON, NOON + timedelta(hours=20))
    (device,) = with_outages([READY], [outage], UTC)
    choice = choose_device(LOADED, ONYX, [device])
    assert choice.device is None
    assert choice.reasons == ("M2-1: is out of choice until Sat 28 Nov 08:00: new nozzle (anna)",)
    assert with_outages([READY], [PrinterOutage("2", "x", "y", NOON)], UTC) == (READY,)


def test_out_and_back(ledger: Ledger) -> None:
    ledger.printers.write([ANVIL])
    printer, outage = take_printer_out(ledger, "mark two - anvil", "  new\nnozzle ", "anna")
    assert (printer, outage.reason, outage.until) == (ANVIL, "new nozzle", None)
    assert ledger.outages.list_current(now()) == (outage,)
    later = now() + timedelta(hours=1)
    _, longer = take_printer_out(ledger, "1", "bed", "kim", later)
    assert ledger.outages.list_current(now()) == (longer,)
    assert ledger.outages.list_current(later) == ()
    assert put_printer_back(ledger, ANVIL.name, "anna") == (ANVIL, True)
    assert put_printer_back(ledger, ANVIL.name, "anna") == (ANVIL, False)
    assert ledger.outages.list_current(now()) == ()


@pytest.mark.parametrize(
    ("name", "reason", "hours", "says"),
    [
        ("Anvill", "x", None, "Did you mean 'Mark Two - Anvil'"),
        (ANVIL.name, "  ", None, "Say why"),
        (ANVIL.name, "x", -1, "is over already"),
    ],
)
def test_what_is_refused(ledger: Ledger, name: str, reason: str, hours: int | None, says: str) -> None:
    ledger.printers.write([ANVIL])
    until = None if hours is None else now() + timedelta(hours=hours)
    with pytest.raises(SettingsError, match=says):
        take_printer_out(ledger, name, reason, "anna", until)
    assert ledger.outages.list_current(now()) == ()


def test_nothing_is_known_before_the_first_list(ledger: Ledger) -> None:
    with pytest.raises(SettingsError, match="Start `stlflow run`"):
        put_printer_back(ledger, "Anvil", "anna")
