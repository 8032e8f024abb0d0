"""Decisions are kept as they were taken; what the past says is counted."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.routing.test_devices import READY
from workflow.ledger import (
    Given,
    Intent,
    Ledger,
    Superseded,
    begin_send,
    decided_since,
    decisions_of,
    forget_ended,
    given_since,
    keep_rules,
    last_sent,
    receipts_of,
    rules_text,
    sent_before,
    settle_send,
)
from workflow.model import Decided, Destination, Facts, State, Submission

NOON = datetime(2026, 12, 17, 12, 0, tzinfo=UTC)
FACTS: Facts = {"path": "größe \ud800.stl", "longest_mm": 80.5, "watertight": True, "triangles": 12}


@pytest.fixture
def submission(ledger: Ledger) -> Submission:
    number = ledger.open("a.stl")
    return ledger.get(number)


def routed(device_id: str, at: datetime) -> Decided:
    devices = (READY, READY.__class__("x", "X7", "X7", "Industrial Series", last_sent_at=NOON))
    return Decided("routing", at, "abc", "rush", FACTS, ("a rule", "grün"), devices, device_id)


def test_a_decision_is_read_as_it_was_written(ledger: Ledger, submission: Submission) -> None:
    intake = Decided("intake", NOON, "abc", "rest", FACTS)
    for decided in (intake, routed("1", NOON)):
        ledger.record_decision(submission, decided, "decided", "")
    assert decisions_of(ledger, submission.id) == {"intake": intake, "routing": routed("1", NOON)}


def test_a_later_decision_takes_the_place_of_the_earlier_one(ledger: Ledger, submission: Submission) -> None:
    for day in (0, 1):
        ledger.record_decision(submission, routed("1", NOON + timedelta(days=day)), "routed", "")
    assert decisions_of(ledger, submission.id)["routing"].at == NOON + timedelta(days=1)
    assert decided_since(ledger, NOON + timedelta(hours=1)) == [submission.id]
    assert decided_since(ledger, NOON + timedelta(days=2)) == []


def test_who_is_late_decides_nothing(ledger: Ledger, submission: Submission) -> None:
    ledger.next_turn(submission, None, None)
    with pytest.raises(Superseded):
        ledger.record_decision(submission, routed("1", NOON), "routed", "")
    assert decisions_of(ledger, submission.id) == {}


def test_when_each_device_got_something_last(ledger: Ledger) -> None:
    for device, hours in (("1", 0), ("2", 1), ("1", 2)):
        made = ledger.get(ledger.open("a.stl"))
        ledger.record_decision(made, routed(device, NOON + timedelta(hours=hours)), "routed", "")
    assert last_sent(ledger) == {"1": NOON + timedelta(hours=2), "2": NOON + timedelta(hours=1)}


def test_what_was_given_lately_counts_whoever_gave_it_and_not_what_was_refused(ledger: Ledger) -> None:
    given = {"device_id": "1", "destination": Destination.DEVICE_QUEUE, "copies": 2}
    for device, hours, changes in (
        ("1", 2, given),
        ("1", 0, given),  # long ago
        ("2", 2, {}),  # refused: it waits for a device again
        ("3", 2, {**given, "device_id": "3"}),  # nobody asks for that one
    ):
        made, at = ledger.get(ledger.open("a.stl")), NOON + timedelta(hours=hours)
        decided = replace(routed(device, at), facts={"build.print_hours": 0.5})
        ledger.record_decision(made, decided, "routed", "", **changes)
    assert given_since(ledger, NOON + timedelta(hours=1), ["1", "2"]) == (
        Given("1", Destination.DEVICE_QUEUE, 2, 1800.0),
    )


def test_only_what_was_sent_counts_as_sent_before(ledger: Ledger) -> None:
    numbers = [ledger.open("a.stl") for _ in range(3)]
    for number, receipt in zip(numbers, ("r-1", None, "r-2"), strict=True):
        ledger.change(ledger.get(number), sha256="ab", receipt_id=receipt)
    assert (sent_before(ledger, "ab"), sent_before(ledger, "ab", numbers[0]), sent_before(ledger, "cd")) == (
        2,
        1,
        0,
    )


def test_receipts_come_copy_by_copy(ledger: Ledger, submission: Submission) -> None:
    for copy in (2, 1, 3):
        intent = begin_send(ledger, submission, copy, 60)
        assert isinstance(intent, Intent)
        if copy != 3:
            settle_send(ledger, submission, copy, intent, f"r-{copy}", reconciled=False)
    assert receipts_of(ledger, submission.id) == ("r-1", "r-2")


def test_the_text_of_rules_is_kept_once(ledger: Ledger) -> None:
    for _ in range(2):
        keep_rules(ledger, "abc", "version: 1 # é")
    assert (rules_text(ledger, "abc"), rules_text(ledger, "def")) == ("version: 1 # é", None)


def test_what_is_forgotten_takes_its_decisions_along(ledger: Ledger, submission: Submission) -> None:
    ended = {"state": State.REJECTED, "ended_at": NOON}
    ledger.record_decision(submission, routed("1", NOON), "rejected", "", **ended)
    assert forget_ended(ledger, NOON + timedelta(days=1), None) == 1
    assert decisions_of(ledger, submission.id) == {}
