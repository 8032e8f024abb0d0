"""What monitors and pages count, on SQLite and Postgres alike."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Unpack

import pytest

from workflow.ledger import CLOCK, CanaryFlight, Ledger
from workflow.model import (
    DecisionRecord,
    EventKind,
    HoldReason,
    PrinterOutage,
    PrinterSnapshot,
    SubmissionChanges,
    SubmissionState,
)
from workflow.pipeline.context import now


def test_counts_matches_outages_and_flights(ledger: Ledger) -> None:
    moment = now()
    for number, days in enumerate((0, 1, 40)):
        submission = ledger.open(f"{number}.stl")
        ledger.claimed(submission, f"processing/{number}.stl")
        decided = DecisionRecord("intake", moment - timedelta(days=days), "r", "metal", {})
        ledger.record_decision(ledger.get(submission), decided, EventKind.INSPECTED, "")
    held = ledger.get(1)
    ledger.record_event(held, EventKind.HELD, "", state=SubmissionState.HELD, hold=HoldReason.MESH, step=None)
    counts = ledger.vital_counts.read()
    assert (counts.by_state, counts.by_hold) == ({"held": 1, "claimed": 2}, {"mesh": 1})
    assert sum(counts.steps_due.values()) + sum(counts.steps_running.values()) == 2
    assert counts.oldest_held_seconds is not None
    assert len(counts.durations["inspect"]) == 3
    found = ledger.rule_matches.count(moment - timedelta(days=30))["intake", "metal"]
    assert found.recent == 2
    assert abs(found.last_at - moment) < timedelta(seconds=1)
    ledger.outages.begin(PrinterOutage("d", "bed \0 lost", "anna", moment, moment + timedelta(hours=1)))
    assert [each.reason for each in ledger.outages.list_current(moment)] == [
        "bed \N{REPLACEMENT CHARACTER} lost"
    ]
    assert ledger.outages.list_current(moment + timedelta(hours=2)) == ()
    assert ledger.notices.condition(moment - timedelta(days=1)).waiting == 0
    ledger.canary.begin()
    ledger.canary.end(2, passed=True)
    assert ledger.canary.read() != CanaryFlight()
    assert [each.id for each in ledger.all()] == [3, 1]


def test_the_oldest_held_is_the_one_that_is_held_longest(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the one that was dropped first, and not from an earlier hold on."""
    moment = CLOCK.seconds()

    def happened(
        number: int, hours_ago: float, event: EventKind, **changes: Unpack[SubmissionChanges]
    ) -> None:
        monkeypatch.setattr(CLOCK, "_seen", (moment - 3600 * hours_ago, time.monotonic()))
        ledger.record_event(ledger.get(number), event, "", **changes)

    for hours in (9, 5):
        monkeypatch.setattr(CLOCK, "_seen", (moment - 3600 * hours, time.monotonic()))
        number = ledger.open(f"{hours}.stl")
        ledger.claimed(number, f"held/{hours}.stl")
    assert ledger.vital_counts.read().oldest_held_seconds is None
    happened(1, 8, EventKind.HELD, state=SubmissionState.HELD)
    happened(1, 7, EventKind.RELEASED, state=SubmissionState.CLAIMED)
    happened(2, 3, EventKind.HELD, state=SubmissionState.HELD)
    happened(1, 2, EventKind.HELD, state=SubmissionState.HELD)
    happened(2, 1, EventKind.WAITING)
    monkeypatch.setattr(CLOCK, "_seen", (moment, time.monotonic()))
    held = ledger.vital_counts.read().oldest_held_seconds
    assert held == pytest.approx(3 * 3600, abs=60)


def test_what_is_one_for_all_workers_may_be_written_by_all_at_once(ledger: Ledger) -> None:
    """Each write replaces a row: two that meet must not end one of them, such as the start of a worker."""
    moment = now()
    writes: list[Callable[[int], object]] = [
        lambda n: ledger.metadata.write("key", str(n)),
        lambda n: ledger.printers.write([PrinterSnapshot("d", str(n), "Mark Two", "Desktop", moment)]),
        lambda n: ledger.outages.begin(PrinterOutage("d", str(n), "anna", moment, None)),
        lambda _: ledger.console_tokens.make("anna", "work"),
    ]
    with ThreadPoolExecutor(8) as pool:
        for write in writes:
            list(pool.map(write, range(40)))
    assert ledger.metadata.read("key") is not None
    assert len(ledger.printers.latest()) == len(ledger.console_tokens.list_all()) == 1
