"""Looking back: a decision explained by its own rules, and what other rules would have done."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Unpack

import pytest

from tests.routing.test_choose_device import READY
from workflow.errors import UnknownSubmission
from workflow.ledger import Ledger
from workflow.model import (
    ConsideredRule,
    DecisionRecord,
    Destination,
    DeviceFacts,
    EventKind,
    Facts,
    SubmissionChanges,
)
from workflow.pipeline.replay import Difference, explain_past_decision, replay_rules
from workflow.routing import Rulebook, parse_rules

RULES = """\
version: 1
intake:
  - {name: metal, when: {path: "metal/**"}, preset: 17-4 PH}
  - {name: rest, preset: Onyx}
routing:
  - name: rush
    when: {path: "rush/**", build.print_hours: "<= 8"}
    send_to: device_queue
    device: {state: Ready}
  - {name: rest, send_to: job_request, due: +1 day}
"""
NOON = datetime(2026, 12, 17, 12, 0, tzinfo=UTC)
CLIP: Facts = {
    "path": "rush/clip.stl",
    "folder": "rush",
    "name": "clip.stl",
    "longest_mm": 30.0,
    "unit_doubt": False,
}
SLICED: Facts = {"build.print_hours": 2.0, "build.series": "Desktop Series"}
Past = Callable[..., int]


def rules(text: str = RULES) -> Rulebook:
    return parse_rules(text, "rules.yaml")


@pytest.fixture
def past(ledger: Ledger) -> Past:
    """Write a submission that was decided by RULES."""
    book = rules()
    ledger.decisions.store_rules(book.revision, book.text)

    def past(facts: Facts, build: Facts | None = None, **changes: Unpack[SubmissionChanges]) -> int:
        number = ledger.open(str(facts["path"]))
        ledger.claimed(number, f"processing/{number}~a.stl")
        decided = DecisionRecord("intake", NOON, book.revision, "rest", facts)
        submission = ledger.record_decision(ledger.get(number), decided, EventKind.DECIDED, "")
        if build is not None:
            devices: tuple[DeviceFacts, ...] = (READY,)
            routed = DecisionRecord(
                "routing", NOON, book.revision, "rush", {**facts, **build, "preset": "Onyx"}, devices=devices
            )
            ledger.record_decision(submission, routed, EventKind.ROUTED, "", **changes)
        return number

    return past


def test_a_submission_is_explained_by_the_rules_and_facts_that_decided(ledger: Ledger, past: Past) -> None:
    told = explain_past_decision(ledger, past(CLIP, SLICED), None, UTC)
    assert told.revision == rules().revision
    assert told.explanation.considered == (
        ConsideredRule("metal", False, "path is 'rush/clip.stl', needs metal/**"),
        ConsideredRule("rest", True),
        ConsideredRule("rush", True),
        ConsideredRule("rest", False, "a rule above comes first"),
    )
    route = told.explanation.routing
    assert route is not None
    assert (route.destination, route.device) == (Destination.DEVICE_QUEUE, "M2-1")


def test_a_submission_is_explained_by_other_rules_if_wanted(ledger: Ledger, past: Past) -> None:
    stricter = rules(RULES.replace("<= 8", "<= 1"))
    told = explain_past_decision(ledger, past(CLIP, SLICED), stricter, UTC)
    route = told.explanation.routing
    assert route is not None
    assert (told.revision, route.destination) == (stricter.revision, Destination.JOB_REQUEST)
    assert str(route.due) == "2026-12-18", "due dates count from the day of the decision"


def test_what_was_not_decided_or_not_kept_is_said(ledger: Ledger, past: Past) -> None:
    number = ledger.open("new.stl")
    with pytest.raises(
        UnknownSubmission, match=r"^Nothing was decided yet for submission 1, or it was not kept"
    ):
        explain_past_decision(ledger, number, None, UTC)
    decided = DecisionRecord("intake", NOON, "0" * 12, "rest", CLIP)
    ledger.record_decision(ledger.get(number), decided, EventKind.DECIDED, "")
    with pytest.raises(
        UnknownSubmission, match=r"^Submission 1 can't be explained: the rules that decided were"
    ):
        explain_past_decision(ledger, number, None, UTC)
    assert replay_rules(ledger, rules(), None, UTC).not_comparable == (number,)


def test_the_same_rules_send_nothing_elsewhere(ledger: Ledger, past: Past) -> None:
    past(CLIP, SLICED)
    past({**CLIP, "path": "metal/a.stl"})
    replayed = replay_rules(ledger, rules(RULES + "# a remark\n"), None, UTC)
    assert (replayed.looked_at, replayed.elsewhere) == (2, ())


def test_what_goes_elsewhere_is_reported_with_the_reason(ledger: Ledger, past: Past) -> None:
    number = past(CLIP, SLICED)
    past({**CLIP, "path": "slow/clip.stl"}, SLICED)
    (changed,) = replay_rules(ledger, rules(RULES.replace("<= 8", "<= 1")), None, UTC).elsewhere
    assert changed == Difference(
        number,
        "rush/clip.stl",
        "device_queue of M2-1 (rule 'rush')",
        "job_request, due 2026-12-18 (rule 'rest')",
        ("'rush': build.print_hours is 2, needs <= 1",),
    )


def test_another_preset_is_reported_and_the_route_left_open(ledger: Ledger, past: Past) -> None:
    past(CLIP, SLICED)
    (changed,) = replay_rules(
        ledger, rules(RULES.replace("preset: Onyx", "preset: Nylon White")), None, UTC
    ).elsewhere
    assert (changed.before, changed.after) == (
        "upload with preset Onyx (rule 'rest')",
        "upload with preset Nylon White (rule 'rest')",
    )
    assert changed.why == ("It would be sliced otherwise: where that build would go can't be told.",)


def test_only_decisions_since_then_are_compared(ledger: Ledger, past: Past) -> None:
    past(CLIP)
    assert replay_rules(ledger, rules(), NOON + timedelta(days=1), UTC).looked_at == 0
    assert replay_rules(ledger, rules(), NOON, UTC).looked_at == 1
