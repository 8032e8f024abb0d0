"""Decisions are kept as they were taken; what the past says is counted."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.routing.test_choose_device import READY
from tests.states import put_in_state
from workflow.ledger import Ledger, RecentSend, SendIntent, Superseded
from workflow.ledger.rule_matches import RuleMatches
from workflow.model import (
    DecisionRecord,
    Destination,
    EventKind,
    Facts,
    Submission,
    SubmissionChanges,
    SubmissionState,
)

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
        ledger.record_decision(submission, decided, EventKind.DECIDED, "")
    assert ledger.decisions.read(submission.id) == {"intake": intake, "routing": routed("1", NOON)}


def test_print_times_are_those_of_earlier_parts_with_the_preset(ledger: Ledger) -> None:
    numbers = []
    for hours, preset in ((1.0, "Onyx"), (2.0, "Onyx"), (3.0, "Nylon"), (4.0, "Onyx")):
        now = put_in_state(ledger, ledger.get(ledger.open(f"{hours}.stl")), preset=preset)
        facts: Facts = {"build.print_hours": hours, "volume_cm3": 10 * hours}
        ledger.record_decision(now, DecisionRecord("routing", NOON, "r", "all", facts), EventKind.ROUTED, "")
        numbers.append(now.id)
    assert ledger.decisions.list_print_times("Onyx", numbers[3], 50) == [(20.0, 7200.0), (10.0, 3600.0)]
    assert ledger.decisions.list_print_times("Onyx", numbers[3], limit=1) == [(20.0, 7200.0)]
    assert set(ledger.decisions.read_routing(numbers)) == set(numbers)


def test_each_rule_that_decided_counts_once_for_a_submission(ledger: Ledger, submission: Submission) -> None:
    other = ledger.get(ledger.open("b.stl"))
    taken = [
        (submission, "unit in doubt", 0),
        (submission, "unit in doubt", 1),
        (submission, "rest", 2),
        (submission, "unit in doubt", 3),
        (submission, "rest", 4),
        (other, "too long", 0),
        (other, "rest", 2),
    ]
    for decided_on, rule, days in taken:
        at = NOON + timedelta(days=days)
        decided = DecisionRecord("intake", at, "r", rule, FACTS)
        ledger.record_decision(decided_on, decided, EventKind.DECIDED, "")
    counted = ledger.rule_matches.count(since=NOON + timedelta(days=1))
    assert counted == {
        ("intake", "unit in doubt"): RuleMatches(1, NOON + timedelta(days=3)),
        ("intake", "rest"): RuleMatches(2, NOON + timedelta(days=4)),
        ("intake", "too long"): RuleMatches(0, NOON),
    }
    assert {each.rule for each in ledger.decisions.read(submission.id).values()} == {"rest"}


def test_the_rules_that_decided_are_deleted_with_their_submission(
    ledger: Ledger, submission: Submission
) -> None:
    for rule in ("unit in doubt", "rest"):
        decided = DecisionRecord("intake", NOON, "r", rule, FACTS)
        ledger.record_decision(submission, decided, EventKind.DECIDED, "")
    put_in_state(ledger, submission, state=SubmissionState.DISPATCHED, ended_at=NOON, step=None, due_at=None)
    assert ledger.retention.delete_ended(NOON + timedelta(days=1), None) == 1
    assert ledger.rule_matches.count(since=NOON) == {}


def test_a_later_decision_takes_the_place_of_the_earlier_one(ledger: Ledger, submission: Submission) -> None:
    for day in (0, 1):
        ledger.record_decision(submission, routed("1", NOON + timedelta(days=day)), EventKind.ROUTED, "")
    assert ledger.decisions.read(submission.id)["routing"].at == NOON + timedelta(days=1)
    assert ledger.decisions.list_decided_since(NOON + timedelta(hours=1)) == [submission.id]
    assert ledger.decisions.list_decided_since(NOON + timedelta(days=2)) == []


def test_who_is_late_decides_nothing(ledger: Ledger, submission: Submission) -> None:
    ledger.schedule_next_step(submission, None, None)
    with pytest.raises(Superseded):
        ledger.record_decision(submission, routed("1", NOON), EventKind.ROUTED, "")
    assert ledger.decisions.read(submission.id) == {}


def test_when_each_device_got_something_last(ledger: Ledger) -> None:
    for device, hours in (("1", 0), ("2", 1), ("1", 2)):
        made = ledger.get(ledger.open("a.stl"))
        ledger.record_decision(made, routed(device, NOON + timedelta(hours=hours)), EventKind.ROUTED, "")
    assert ledger.decisions.last_sent_by_device() == {
        "1": NOON + timedelta(hours=2),
        "2": NOON + timedelta(hours=1),
    }


def test_recent_sends_of_all_workers_count_and_refused_ones_do_not(ledger: Ledger) -> None:
    given: SubmissionChanges = {"device_id": "1", "destination": Destination.DEVICE_QUEUE, "copies": 2}
    for device, hours, changes in (
        ("1", 2, given),
        ("1", 0, given),  # long ago
        ("2", 2, {}),  # refused: it waits for a device again
        ("3", 2, {**given, "device_id": "3"}),  # nobody asks for that one
    ):
        made, at = ledger.get(ledger.open("a.stl")), NOON + timedelta(hours=hours)
        decided = replace(routed(device, at), facts={"build.print_hours": 0.5})
        ledger.record_decision(made, decided, EventKind.ROUTED, "", **changes)
    assert ledger.decisions.list_recent_sends(NOON + timedelta(hours=1), ["1", "2"]) == (
        RecentSend("1", Destination.DEVICE_QUEUE, 2, 1800.0),
    )


def test_only_what_was_sent_counts_as_sent_before(ledger: Ledger) -> None:
    numbers = [ledger.open("a.stl") for _ in range(5)]
    states = [SubmissionState(each) for each in ("dispatched", "held", "printed", "failed", "lost_track")]
    for number, state in zip(numbers, states, strict=True):
        receipt = None if state is SubmissionState.HELD else f"r-{number}"
        put_in_state(ledger, ledger.get(number), sha256="ab", receipt_id=receipt, state=state)
    before = ledger.decisions.count_before
    assert before("ab") == {"sent_before": 4, "printed_before": 1, "failed_before": 1}
    assert before("ab", numbers[2]) == {"sent_before": 3, "printed_before": 0, "failed_before": 1}
    assert before("cd") == {"sent_before": 0, "printed_before": 0, "failed_before": 0}


def test_receipts_come_copy_by_copy(ledger: Ledger, submission: Submission) -> None:
    for copy in (2, 1, 3):
        intent = ledger.sends.begin(submission, copy, 60)
        assert isinstance(intent, SendIntent)
        if copy != 3:
            ledger.sends.complete(submission, copy, intent, f"r-{copy}")
    assert ledger.sends.list_receipts(submission.id) == ("r-1", "r-2")


def test_the_text_of_rules_is_kept_once(ledger: Ledger) -> None:
    for _ in range(2):
        ledger.decisions.store_rules("abc", "version: 1 # é")
    assert (ledger.decisions.read_rules("abc"), ledger.decisions.read_rules("def")) == (
        "version: 1 # é",
        None,
    )


def test_what_is_forgotten_takes_its_decisions_along(ledger: Ledger, submission: Submission) -> None:
    ended: SubmissionChanges = {"state": SubmissionState.REJECTED, "ended_at": NOON}
    ledger.record_decision(submission, routed("1", NOON), EventKind.REJECTED, "", **ended)
    assert ledger.retention.delete_ended(NOON + timedelta(days=1), None) == 1
    assert ledger.decisions.read(submission.id) == {}
