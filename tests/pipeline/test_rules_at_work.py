"""What rules ask for, done over the real parts: copies, holds, approvals, devices that are waited for."""

from collections.abc import Iterator

import pytest

from tests.cloud import simulated
from tests.pipeline.conftest import Shop, dispatched, held, opened, written
from tests.stl import box
from workflow.model import (
    DecisionRecord,
    Destination,
    EventKind,
    HoldReason,
    Submission,
    SubmissionChanges,
    SubmissionState,
)
from workflow.pipeline.commands import (
    attach_build,
    cancel_submission,
    confirm_send,
    release_submission,
    retry_submission,
)
from workflow.pipeline.context import now
from workflow.pipeline.outages import put_printer_back, take_printer_out

RULES = """\
version: 1
names: ["{project}_{qty}x"]
intake:
  - {name: rest, preset: Onyx}
routing:
  - name: several
    when: {path: "several/**"}
    send_to: device_queue
    device: {name: Mark Two - Anvil}
    copies: tag.qty
  - name: spread
    when: {path: "spread/**"}
    send_to: device_queue
    device: {name: [Mark Two - Anvil, Mark Two - Bolt], choose: round_robin}
    copies: 3
    spread: true
  - {name: stack, when: {path: "stack/**"}, send_to: backlog, copies: 3}
  - name: wait
    when: {path: "wait/**"}
    send_to: device_queue
    device: {name: Onyx Pro - Dowel}
  - {name: ask, when: {path: "ask/**"}, send_to: backlog, hold_first: Ask the lab.}
  - {name: sign, when: {path: "sign/**"}, send_to: backlog, approve_first: true}
  - name: turns
    when: {path: "turns/**"}
    send_to: device_queue
    device: {name: [Mark Two - Anvil, Mark Two - Bolt], choose: round_robin}
  - name: least
    when: {path: "least/**"}
    send_to: device_queue
    device: {name: [Mark Two - Anvil, Mark Two - Bolt], choose: shortest_queue}
  - {name: rest, send_to: job_request}
"""


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("rules at work")
    with simulated() as cloud, opened(folder, cloud, rules=written(folder, RULES)) as context:
        yield context


def fail_after(context: Shop, good: int, kind: str, **details: object) -> None:
    """Let so many sends go well, and the next one go wrong."""
    context.cloud.fault("sendBuildToBacklog", "delay", times=good, delay_seconds=0)
    context.cloud.fault("sendBuildToBacklog", kind, 1, **details)


def queued_builds(context: Shop, device: str) -> list[str]:
    """Return the builds that wait for a device, as the cloud lists them."""
    wanted = context.cloud.device(device)["id"]
    with context.client() as client:
        return [entry.build.id for entry in client.list_device_queue(wanted).queue]


def test_spread_copies_are_dealt_over_the_printers(context: Shop) -> None:
    context.drop("spread/clip.stl", box(42))
    done = context.wait("spread/clip.stl", dispatched, 60)
    at = {
        name: queued_builds(context, f"Mark Two - {name}").count(done.build_id or "")
        for name in ("Anvil", "Bolt")
    }
    assert sorted(at.values()) == [1, 2]
    assert (done.copies, context.sent(done), len(set(done.spread_ids))) == (3, 3, 2)
    assert "Mark Two - Anvil (" in (done.device or "")
    assert "3 × " in context.note("done/spread/clip.stl")


def test_a_reply_that_is_lost_among_spread_copies_sends_nothing_twice(context: Shop) -> None:
    """The first two go well; of the third the reply is lost, and what Eiger shows can't be told apart."""
    context.cloud.fault("appendToDeviceQueue", "delay", times=2, delay_seconds=0)
    context.cloud.fault("appendToDeviceQueue", "cut_after", 1)
    context.drop("spread/hook.stl", box(43))
    seen = context.wait("spread/hook.stl", lambda each: dispatched(each) or held(each), 60)
    assert context.sent(seen) == 3


def test_copies_are_as_many_dispatches_each_with_its_receipt(context: Shop) -> None:
    context.drop("several/pin_3x.stl", box(41))
    done = context.wait("several/pin_3x.stl", dispatched)
    receipts = context.service.ledger.sends.list_receipts(done.id)
    assert (done.copies, context.sent(done), len(set(receipts))) == (3, 3, 3)
    assert done.receipt_id == receipts[0]
    assert [event.detail for event in context.history("several/pin_3x.stl") if event.event == "sending"] == [
        f"device queue, copy {copy} of 3, attempt 1" for copy in (1, 2, 3)
    ]


def test_a_name_without_the_tag_is_sent_once(context: Shop) -> None:
    context.drop("several/pin.stl", box(42))
    assert context.sent(context.wait("several/pin.stl", dispatched)) == 1


def test_too_many_copies_are_held(context: Shop) -> None:
    context.drop("several/pin_500x.stl", box(43))
    waiting = context.wait("several/pin_500x.stl", held)
    assert waiting.reason == (
        "tag.qty asks for 500 copies, and 1 to 100 can be sent. Correct the file's name and drop it again."
    )


@pytest.mark.parametrize(("kind", "after"), [("cut_before", 1), ("cut_after", 1), ("cut_after", 2)])
def test_a_lost_reply_to_one_copy_neither_doubles_nor_loses_it(context: Shop, kind: str, after: int) -> None:
    path = f"stack/{kind}{after}.stl"
    fail_after(context, after, kind)
    context.drop(path, box(44 + after, 20, 21 if kind == "cut_before" else 22))
    assert context.sent(context.wait(path, dispatched)) == 3


def test_a_build_sent_in_part_keeps_its_route_and_its_build(context: Shop) -> None:
    fail_after(context, 1, "status", status=400)
    context.drop("stack/part.stl", box(47))
    waiting = context.wait("stack/part.stl", held)
    with pytest.raises(Exception, match=r"^Submission \d+ was sent in part: its build can't be changed"):
        attach_build(context.service.ledger, waiting.id, "2f1c9d0e-1a2b-4c3d-8e4f-0123456789ab")
    retry_submission(context.service.ledger, waiting.id)
    assert context.sent(context.wait("stack/part.stl", dispatched)) == 3


def test_a_cancel_says_how_many_copies_are_out(context: Shop) -> None:
    fail_after(context, 2, "status", status=400)
    context.drop("stack/left.stl", box(48))
    cancel_submission(context.service.ledger, context.wait("stack/left.stl", held).id)
    ended = context.wait(
        "stack/left.stl", lambda seen: seen.state is SubmissionState.CANCELED and seen.step is None
    )
    assert ended.reason == "Canceled by a person. 2 of 3 copies were sent before: look in Eiger."


def test_a_person_looks_first_then_it_goes_where_the_rule_says(context: Shop) -> None:
    context.drop("ask/dear.stl", box(49))
    waiting = context.wait("ask/dear.stl", held)
    assert (waiting.hold, waiting.reason, context.sent(waiting)) == (HoldReason.ROUTE, "Ask the lab.", 0)
    release_submission(context.service.ledger, waiting.id)
    done = context.wait("ask/dear.stl", dispatched)
    assert (done.routing_rule, done.destination, context.sent(done)) == ("ask", Destination.BACKLOG, 1)


def test_approving_needs_approvals_to_be_in_use(context: Shop) -> None:
    context.drop("sign/unused.stl", box(56))
    waiting = context.wait("sign/unused.stl", held)
    assert waiting.reason is not None
    assert waiting.reason.startswith("The rule has builds approved first, and approvals are not in use")
    assert context.sent(waiting) == 0


def test_what_no_device_takes_goes_by_itself_once_one_does(context: Shop) -> None:
    context.drop("wait/later.stl", box(50))
    waiting = context.wait("wait/later.stl", held)
    assert waiting.hold is HoldReason.DEVICE
    assert waiting.reason is not None
    assert "Onyx Pro - Dowel: is Offline" in waiting.reason
    assert waiting.reason.endswith("It goes by itself once one does.")
    assert context.places("later.stl") == {"held/wait/later.stl"}
    assert "Nothing: it goes by itself" in context.note("held/wait/later.stl")
    context.cloud.change_device("Onyx Pro - Dowel", "Ready")
    done = context.wait("wait/later.stl", dispatched)
    assert (done.device, context.sent(done)) == ("Onyx Pro - Dowel", 1)
    assert context.places("later.stl") == {"done/wait/later.stl"}
    assert [event.event for event in context.history("wait/later.stl")].count("held") == 1


def test_a_printer_that_is_taken_out_gets_nothing_until_it_is_back(context: Shop) -> None:
    ledger = context.service.ledger
    context.drop("several/first_1x.stl", box(49))
    context.wait("several/first_1x.stl", dispatched)  # since then the printers are known
    take_printer_out(ledger, "Mark Two - Anvil", "new nozzle", "anna")
    context.drop("several/clamp_1x.stl", box(50.5))
    waiting = context.wait("several/clamp_1x.stl", held)
    assert waiting.hold is HoldReason.DEVICE
    assert "Mark Two - Anvil: is out of choice: new nozzle (anna)" in (waiting.reason or "")
    (anvil,) = (
        each for each in ledger.decisions.read(waiting.id)["routing"].devices or () if "Anvil" in each.name
    )
    assert anvil.outage == "is out of choice: new nozzle (anna)"
    context.drop("turns/clamp.stl", box(50.7))
    assert context.wait("turns/clamp.stl", dispatched).device == "Mark Two - Bolt"
    put_printer_back(ledger, "Mark Two - Anvil", "anna")
    assert context.wait("several/clamp_1x.stl", dispatched).device == "Mark Two - Anvil"


def test_devices_take_turns(context: Shop) -> None:
    devices: list[str] = []
    for number in range(4):
        context.drop(f"turns/{number}.stl", box(51 + number))
        devices.append(context.wait(f"turns/{number}.stl", dispatched).device or "")
    assert sorted(devices[:2]) == sorted(devices[2:]) == ["Mark Two - Anvil", "Mark Two - Bolt"]


def test_a_burst_is_spread_though_the_queues_are_not_seen_yet(context: Shop) -> None:
    paths = [f"least/{number}.stl" for number in range(8)]
    for number, path in enumerate(paths):
        context.drop(path, box(60 + number))
    seen = [queues_when_routed(context, context.wait(path, dispatched)) for path in paths]
    assert all(chosen == min(of_both) for chosen, of_both in seen)
    assert len({of_both for _, of_both in seen}) > 4, "each choice counts those before it"


def queues_when_routed(shop: Shop, sent: Submission) -> tuple[int, tuple[int, ...]]:
    """Return how long the queue of the chosen printer was for the decision, and those of both printers."""
    devices = shop.service.ledger.decisions.read(sent.id)["routing"].devices or ()
    both = {
        each.name: each.queue_length or 0
        for each in devices
        if each.name in {"Mark Two - Anvil", "Mark Two - Bolt"}
    }
    return both[sent.device or ""], tuple(both.values())


@pytest.mark.parametrize("given", ["Mark Two - Anvil", "Mark Two - Bolt"])
def test_what_another_machine_gave_a_moment_ago_counts(context: Shop, given: str) -> None:
    """Eiger does not show it yet: two machines would both choose the same idle printer."""
    ledger, device_id = context.service.ledger, str(context.cloud.device(given)["id"])
    elsewhere = ledger.get(ledger.open("of another machine.stl"))
    decided = DecisionRecord("routing", now(), "r", "least", {"build.print_hours": 1.0}, device_id=device_id)
    route: SubmissionChanges = {
        "destination": Destination.DEVICE_QUEUE,
        "device_id": device_id,
        "copies": 500,
    }
    ledger.record_decision(elsewhere, decided, EventKind.ROUTED, "", **route)
    context.drop(f"least/after {given}.stl", box(80 + len(given)))
    taken = context.wait(f"least/after {given}.stl", dispatched)
    assert taken.device in {"Mark Two - Anvil", "Mark Two - Bolt"} - {given}
    ledger.update_submission(elsewhere, device_id=None)


def test_every_decision_is_kept_with_what_decided(context: Shop) -> None:
    context.drop("lab/kept_2x.stl", box(70))
    done = context.wait("lab/kept_2x.stl", dispatched)
    kept = context.service.ledger.decisions.read(done.id)
    assert {stage: each.rule for stage, each in kept.items()} == {"intake": "rest", "routing": "rest"}
    assert {each.revision for each in kept.values()} == {context.service.rules.rulebook.revision}
    assert kept["intake"].facts["path"] == "lab/kept_2x.stl"
    assert kept["intake"].facts["sent_before"] == 0
    assert kept["routing"].facts["build.material"] == "Onyx"
    assert len(kept["routing"].devices or ()) > 5


def test_the_same_content_is_known_again(context: Shop) -> None:
    for number in (1, 2):
        context.drop(f"lab/same {number}.stl", box(71))
        done = context.wait(f"lab/same {number}.stl", dispatched)
        assert context.service.ledger.decisions.read(done.id)["intake"].facts["sent_before"] == number - 1


def test_copies_that_cannot_be_told_apart_go_on_on_the_word_of_a_person(context: Shop) -> None:
    fail_after(context, 1, "delay", delay_seconds=10)
    context.drop("stack/unclear.stl", box(80))
    doubtful = context.wait("stack/unclear.stl", held)
    with context.client() as client:
        by_hand = {client.send_build_to_backlog(str(doubtful.build_id)).id for _ in range(2)}
    retry_submission(context.service.ledger, doubtful.id)
    doubtful = context.wait("stack/unclear.stl", lambda seen: held(seen) and seen.turn > doubtful.turn)
    assert "the reply was lost and 1 copies were sent for certain, and Eiger shows 3." in (
        doubtful.reason or ""
    )
    confirm_send(context.service.ledger, doubtful.id, None)
    done = context.wait("stack/unclear.stl", dispatched)
    receipts = context.service.ledger.sends.list_receipts(done.id)
    assert (len(set(receipts)), by_hand.isdisjoint(receipts)) == (3, True)
