"""`stlflow printers`: who is out of choice, why and until when, in words and as JSON."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.conftest import Say
from workflow.ledger import Ledger
from workflow.model import LoadedMaterial, PrinterSnapshot, RunningPrint

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
ANVIL = PrinterSnapshot(
    "d-1", "Mark Two - Anvil", "Mark Two", "Desktop Series", NOON, "Printing",
    RunningPrint("j-1", "bracket", "b-1", 55.0, 3600.0), 2, 7200.0,
    loaded=(LoadedMaterial("material", "Onyx", 612.5), LoadedMaterial("fiber", "Carbon Fiber")),
)  # fmt: skip


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A state folder in which one printer is known."""
    monkeypatch.setenv("STLFLOW_TIMEZONE", "Europe/Vienna")
    (tmp_path / "state").mkdir()
    ledger = Ledger(f"sqlite:///{tmp_path / 'state' / 'stlflow.db'}")
    ledger.printers.write([ANVIL])
    ledger.close()


@pytest.mark.usefixtures("known")
def test_out_and_back(say: Say) -> None:
    line = (
        "Mark Two - Anvil  Printing, prints bracket 55%, 2 queued, 2.0 h, Onyx 612 cm³ left, Carbon Fiber\n"
    )
    assert say("printers").out == line
    out = say("printers", "out", "Mark Two - Anvil", "--reason", "new nozzle", "--until", "2100-01-04 08:00")
    assert out.out.startswith("Mark Two - Anvil is out of choice until Mon 04 Jan 08:00: new nozzle (")
    assert say("printers").out.splitlines()[1].startswith("    is out of choice until Mon 04 Jan 08:00")
    (row,) = say("printers", "--json").document()
    assert row["out_of_choice"]["until"] == "2100-01-04T07:00:00+00:00"
    assert row["running"] == {"name": "bracket", "percent": 55.0, "seconds_left": 3600.0}
    assert say("printers", "back", "Mark Two - Anvil").out == "Mark Two - Anvil is back in choice.\n"
    assert say("printers", "back", "d-1").out == "Mark Two - Anvil was in choice already.\n"
    assert say("printers").out == line


@pytest.mark.usefixtures("known")
def test_a_wrong_name_is_refused_with_the_nearest_one(say: Say) -> None:
    refused = say("printers", "out", "anvil", "--reason", "x")
    assert refused.code == 2
    assert "Did you mean 'Mark Two - Anvil'?" in refused.err
    for until, why in (
        ("2020-01-01", "is over already"),
        ("9999-12-31", "is no time"),
        ("0001-01-01", "is no"),
    ):
        ended = say("printers", "out", "Mark Two - Anvil", "--reason", "x", "--until", until)
        assert (ended.code, why in ended.err) == (2, True), ended.err


def test_before_the_first_list(say: Say) -> None:
    assert say("printers").out == "No printer is known yet: stlflow lists them once it runs.\n"
    assert say("printers", "--json").document() == []
