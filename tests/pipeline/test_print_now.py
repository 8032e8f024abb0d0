"""Starting a machine: by rule, armed, on a Ready printer, confirmed; and approvals. Each on its own cloud."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cloud import simulated
from tests.pipeline.conftest import Open, Shop, dispatched, held, written
from tests.stl import box
from workflow.ledger import CHECKED_BY_OPERATOR, SendIntent
from workflow.model import Destination, HoldReason, Step, Submission, SubmissionState
from workflow.pipeline.commands import release_submission, retry_submission
from workflow.pipeline.dispatch import must_not_repeat

ANVIL = "Mark Two - Anvil"
NOW = """\
version: 1
intake: [{name: rest, preset: Onyx}]
routing:
  - {name: now, when: {path: "now/**"}, send_to: print_now, device: {name: Mark Two - Anvil}}
  - name: dear
    when: {path: "dear/**"}
    send_to: print_now
    device: {name: Mark Two - Anvil}
    hold_first: Who pays?
  - {name: sign, when: {path: "sign/**"}, send_to: backlog, approve_first: true}
  - {name: rest, send_to: job_request}
"""


def told(context: Shop) -> int:
    """Count how often a printer was told to print."""
    return sum(entry["operation"] == "printToPrinter" for entry in context.cloud.journal())


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    return written(tmp_path, NOW)


def test_an_armed_print_starts_once_and_is_seen_at_the_printer(open_shop: Open, rules: Path) -> None:
    context: Shop = open_shop(rules=rules, print_now_armed=True)
    context.drop("now/a.stl", box())
    done = context.wait("now/a.stl", dispatched)
    assert (done.destination, done.device, told(context)) == (Destination.PRINT_NOW, ANVIL, 1)
    assert context.cloud.device(ANVIL)["active_job"]["id"] == done.receipt_id
    assert "was sent to Mark Two - Anvil to be printed now" in context.note("done/now/a.stl")
    context.drop("now/b.stl", box(21))
    waiting = context.wait("now/b.stl", held)
    assert (waiting.hold, told(context)) == (HoldReason.DEVICE, 1)
    assert "Mark Two - Anvil: is Printing, the rule asks for Ready" in (waiting.reason or "")


def test_unarmed_no_machine_starts(open_shop: Open, rules: Path) -> None:
    context: Shop = open_shop(rules=rules)
    context.drop("now/a.stl", box())
    waiting = context.wait("now/a.stl", held)
    assert waiting.hold is HoldReason.ROUTE
    assert waiting.reason == (
        "The rule says print_now, and the settings do not let machines start: `print_now_armed` is false. "
        "Arm it, or change the rule; then retry."
    )
    assert told(context) == 0


def test_between_two_looks_at_the_printer_there_is_a_pause(open_shop: Open, rules: Path) -> None:
    with simulated(quirks=frozenset({"deaf-printer"})) as cloud:
        context: Shop = open_shop(cloud, rules=rules, print_now_armed=True, print_now_seconds=3600)
        context.drop("now/a.stl", box())

        def rests(seen: Submission) -> bool:
            return told(context) == 1 and seen.due_at is not None and seen.due_at > datetime.now(UTC)

        assert context.wait("now/a.stl", rests).step is Step.DELIVER


def test_a_print_that_the_printer_never_takes_is_held_and_never_sent_again(
    open_shop: Open, rules: Path
) -> None:
    with simulated(quirks=frozenset({"deaf-printer"})) as cloud:
        context: Shop = open_shop(cloud, rules=rules, print_now_armed=True, print_now_seconds=0.5)
        context.drop("now/a.stl", box())
        waiting = context.wait("now/a.stl", held)
        assert waiting.hold is HoldReason.SEND
        assert (waiting.reason or "").startswith("Outcome unknown: Mark Two - Anvil was told to print it ")
        retry_submission(context.service.ledger, waiting.id)
        again = context.wait("now/a.stl", lambda seen: held(seen) and seen.turn > waiting.turn)
        assert (again.hold, told(context)) == (HoldReason.SEND, 1)


@pytest.mark.parametrize(
    ("destination", "lost", "times", "held"),
    [
        (Destination.PRINT_NOW, None, 1, False),
        (Destination.PRINT_NOW, None, 2, True),  # its process died: nobody knows
        (Destination.PRINT_NOW, "cut", 2, True),
        (Destination.PRINT_NOW, CHECKED_BY_OPERATOR, 2, False),
        (Destination.PRINT_NOW, CHECKED_BY_OPERATOR, 3, True),
        (Destination.DEVICE_QUEUE, None, 2, False),
        (Destination.DEVICE_QUEUE, "cut", 3, False),
        (Destination.DEVICE_QUEUE, "timed out", 2, True),
        (Destination.DEVICE_QUEUE, "cut", 4, True),
    ],
)
def test_what_is_reported_again_and_what_a_person_has_to_settle(
    destination: Destination, lost: str | None, times: int, held: bool
) -> None:
    submission = Submission(1, "a.stl", SubmissionState.ROUTED, datetime.now(UTC), destination=destination)
    assert must_not_repeat(submission, SendIntent("token", times, lost)) is held


@pytest.mark.parametrize("kind", ["cut_before", "cut_after"])
def test_a_lost_reply_starts_no_machine_twice(open_shop: Open, rules: Path, kind: str) -> None:
    context: Shop = open_shop(rules=rules, print_now_armed=True)
    context.cloud.fault("printToPrinter", kind)
    context.drop("now/a.stl", box())
    seen = context.wait("now/a.stl", lambda seen: held(seen) or dispatched(seen))
    assert (seen.state, told(context)) == (
        SubmissionState.HELD if kind == "cut_before" else SubmissionState.DISPATCHED,
        1,
    )


def test_a_printer_that_refuses_is_waited_for(open_shop: Open, rules: Path) -> None:
    context: Shop = open_shop(rules=rules, print_now_armed=True)
    context.cloud.fault("printToPrinter", "status", status=409)
    context.drop("now/a.stl", box())
    done = context.wait("now/a.stl", dispatched)
    held_before = [event.detail for event in context.history("now/a.stl") if event.event == "held"]
    assert len(held_before) == 1
    assert held_before[0].startswith("Mark Two - Anvil takes no print now (409")
    assert context.sent(done) == 1


def test_a_build_is_approved_beside_those_that_are_and_then_sent(open_shop: Open, rules: Path) -> None:
    context: Shop = open_shop(rules=rules)
    theirs = context.cloud.world_builds()[0]
    context.cloud.approve(theirs)
    context.drop("sign/part.stl", box())
    done = context.wait("sign/part.stl", dispatched)
    assert context.cloud.approved() == {theirs, done.build_id}
    assert context.sent(done) == 1
    assert "approved" in [event.event for event in context.history("sign/part.stl")]


def test_what_a_person_released_stays_released_while_it_waits_for_the_printer(
    open_shop: Open, rules: Path
) -> None:
    context: Shop = open_shop(rules=rules, print_now_armed=True)
    context.drop("dear/a.stl", box(23))
    asked = context.wait("dear/a.stl", held)
    context.cloud.fault("printToPrinter", "status", status=409)
    release_submission(context.service.ledger, asked.id)
    assert context.wait("dear/a.stl", dispatched).destination is Destination.PRINT_NOW
    assert "takes no print now" in " ".join(event.detail for event in context.history("dear/a.stl"))
