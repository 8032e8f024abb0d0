"""Decisions are kept as they were taken; what the past says is counted."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.routing.test_choose_device import READY
from workflow.ledger import (
    Ledger,
    RecentSend,
    SendIntent,
    Superseded,
    begin_send,
    complete_send,
    count_sent_before,
    delete_ended_submissions,
    last_sent_by_device,
    list_decided_since,
    list_receipts,
    list_recent_sends,
    read_decisions,
    read_stored_rules,
    store_rules,
)
from workflow.model import DecisionRecord, Destination, Facts, Submission, SubmissionState

NOON = datetime(2026, 12, 17, 12, 0, tzinfo=UTC)
FACTS: Facts = {"path": "größe \ud800.stl", "longest_mm": 80.5, "watertight": True, "triangles": 12}


@pytest.fixture
def submission(ledger: Ledger) -> Submission:
    number = ledger.open("a.stl")
    return ledger.get(number)


def routed(device_id: str, at: datetime) -> DecisionRecord:
    devices = (READY, READY.__class__("x", "X7", "X7", "Industrial Series", last_sent_at=NOON))
    return DecisionRecord("routing", at, "abc", "rush", FACTS, ("a rule", "grün"), devices, device_id)


def test_a_decision_is_read_as_it_was_written(ledger: Ledger, submission: Submission) -> None:
    intake = DecisionRecord("intake", NOON, "abc", "rest", FACTS)
    for decided in (intake, routed("1", NOON)):
        ledger.record_decision(submission, decided, "decided", "")
    assert read_decisions(ledger, submission.id) == {"intake": intake, "routing": routed("1", NOON)}


def test_a_later_decision_takes_the_place_of_the_earlier_one(ledger: Ledger, submission: Submission) -> None:
    for day in (0, 1):
        ledger.record_decision(submission, routed("1", NOON + timedelta(days=day)), "routed", "")
    assert read_decisions(ledger, submission.id)["routing"].at == NOON + timedelta(days=1)
    assert list_decided_since(ledger, NOON + timedelta(hours=1)) == [submission.id]
    assert list_decided_since(ledger, NOON + timedelta(days=2)) == []


def test_who_is_late_decides_nothing(ledger: Ledger, submission: Submission) -> None:
    ledger.schedule_next_step(submission, None, None)
    with pytest.raises(Superseded):
        ledger.record_decision(submission, routed("1", NOON), "routed", "")
    assert read_decisions(ledger, submission.id) == {}


def test_when_each_device_got_something_last(ledger: Ledger) -> None:
    for device, hours in (("1", 0), ("2", 1), ("1", 2)):
        made = ledger.get(ledger.open("a.stl"))
        ledger.record_decision(made, routed(device, NOON + timedelta(hours=hours)), "routed", "")
    assert last_sent_by_device(ledger) == {"1": NOON + timedelta(hours=2), "2": NOON + timedelta(hours=1)}


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
    assert list_recent_sends(ledger, NOON + timedelta(hours=1), ["1", "2"]) == (
        RecentSend("1", Destination.DEVICE_QUEUE, 2, 1800.0),
    )


def test_only_what_was_sent_counts_as_sent_before(ledger: Ledger) -> None:
    numbers = [ledger.open("a.stl") for _ in range(3)]
    for number, receipt in zip(numbers, ("r-1", None, "r-2"), strict=True):
        ledger.update_submission(ledger.get(number), sha256="ab", receipt_id=receipt)
    assert (
        count_sent_before(ledger, "ab"),
        count_sent_before(ledger, "ab", numbers[0]),
        count_sent_before(ledger, "cd"),
    ) == (
        2,
        1,
        0,
    )


def test_receipts_come_copy_by_copy(ledger: Ledger, submission: Submission) -> None:
    for copy in (2, 1, 3):
        intent = begin_send(ledger, submission, copy, 60)
        assert isinstance(intent, SendIntent)
        if copy != 3:
            complete_send(ledger, submission, copy, intent, f"r-{copy}", reconciled=False)
    assert list_receipts(ledger, submission.id) == ("r-1", "r-2")


def test_the_text_of_rules_is_kept_once(ledger: Ledger) -> None:
    for _ in range(2):
        store_rules(ledger, "abc", "version: 1 # é")
    assert (read_stored_rules(ledger, "abc"), read_stored_rules(ledger, "def")) == ("version: 1 # é", None)


def test_what_is_forgotten_takes_its_decisions_along(ledger: Ledger, submission: Submission) -> None:
    ended = {"state": SubmissionState.REJECTED, "ended_at": NOON}
    ledger.record_decision(submission, routed("1", NOON), "rejected", "", **ended)
    assert delete_ended_submissions(ledger, NOON + timedelta(days=1), None) == 1
    assert read_decisions(ledger, submission.id) == {}
