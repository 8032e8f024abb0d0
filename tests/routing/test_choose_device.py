"""Choosing a device: who fits, who is taken, and what is said of each."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.model import DeviceFacts, Facts
from workflow.routing.choose_device import READY_ONLY, DeviceChoice, choose_device, deal_copies
from workflow.routing.globs import Glob
from workflow.routing.matchers import parse_interval
from workflow.routing.rulebook import DeviceRequirements, SelectionPolicy

ONYX: Facts = {"build.series": "Desktop Series", "build.material": "Onyx", "build.primary_cm3": 30.0}
FIBER: Facts = {**ONYX, "build.fiber": "Carbon Fiber", "build.fiber_cm3": 5.0}
LOADED = DeviceRequirements(loaded_material=True)
READY = DeviceFacts(
    id="1",
    name="M2-1",
    type="Mark Two",
    series="Desktop Series",
    state="Ready",
    material="Onyx",
    fiber="Carbon Fiber",
    primary_remaining_cm3=400.0,
    queue_seconds=3600.0,
    queue_length=1,
    fiber_remaining_cm3=20.0,
)


def test_the_chosen_device_and_its_reason() -> None:
    choice = choose_device(LOADED, FIBER, [READY])
    assert choice.device == READY
    assert choice.reasons == ("M2-1: Ready, 1 queued, 1.0 h: chosen (soonest)",)


@pytest.mark.parametrize(
    ("device", "reason"),
    [
        (replace(READY, state="Offline"), "M2-1: is Offline"),
        (replace(READY, state="Print Paused"), "M2-1: is Print Paused (resume or cancel it)"),
        (replace(READY, state="Spaghetti Detected"), "M2-1: is Spaghetti Detected"),
        (replace(READY, state=None), "M2-1: Eiger does not say its state"),
        (replace(READY, series="FX20"), "M2-1: is FX20, the build is for Desktop Series"),
        (replace(READY, series="Sinter-1"), "M2-1: does not print"),
        (replace(READY, material="Nylon White"), "M2-1: Nylon White loaded, needs Onyx"),
        (replace(READY, material=None), "M2-1: no material loaded, needs Onyx"),
        (replace(READY, fiber="Kevlar"), "M2-1: Kevlar loaded, needs Carbon Fiber"),
        (replace(READY, fiber=None), "M2-1: no fiber loaded, needs Carbon Fiber"),
        (replace(READY, primary_remaining_cm3=12.04), "M2-1: 12.0 cm³ of Onyx left, needs 30.0 cm³"),
        (replace(READY, fiber_remaining_cm3=4.0), "M2-1: 4.0 cm³ of Carbon Fiber left, needs 5.0 cm³"),
    ],
)
def test_what_keeps_a_build_from_a_device(device: DeviceFacts, reason: str) -> None:
    choice = choose_device(LOADED, FIBER, [device])
    assert (choice.device, choice.reasons) == (None, (reason,))


def test_what_a_person_has_to_do_first_is_said_of_the_chosen_one() -> None:
    waiting = replace(READY, state="Print Bed Needs Clearing")
    choice = choose_device(LOADED, FIBER, [waiting])
    said = "M2-1: Print Bed Needs Clearing (clear the bed), 1 queued, 1.0 h: chosen (soonest)"
    assert (choice.device, choice.reasons) == (waiting, (said,))


@pytest.mark.parametrize(
    "device",
    [
        replace(READY, state="printing"),
        replace(READY, state="Print Bed Needs Clearing"),
        replace(READY, material="ONYX"),
        replace(READY, primary_remaining_cm3=None),
        replace(READY, fiber_remaining_cm3=0.0),
        replace(READY, queue_seconds=None, queue_length=None),
    ],
)
def test_what_is_no_obstacle(device: DeviceFacts) -> None:
    assert choose_device(LOADED, FIBER, [device]).device == device


@pytest.mark.parametrize(
    ("required", "reason"),
    [
        (DeviceRequirements(name=(Glob("X7-*"),)), "M2-1: the rule does not name it"),
        (
            DeviceRequirements(series=(Glob("FX20"), Glob("FX10"))),
            "M2-1: is Desktop Series, the rule asks for FX20 or FX10",
        ),
        (DeviceRequirements(type=(Glob("X7"),)), "M2-1: is a Mark Two, the rule asks for X7"),
        (DeviceRequirements(state=(Glob("Printing"),)), "M2-1: is Ready, the rule asks for Printing"),
        (replace(LOADED, spare_percent=50.0), "M2-1: 40.0 cm³ of Onyx left, needs 45.0 cm³"),
    ],
)
def test_what_a_rule_asks_for(required: DeviceRequirements, reason: str) -> None:
    device = replace(READY, primary_remaining_cm3=40.0)
    assert choose_device(required, ONYX, [device]).reasons == (reason,)


def test_a_rule_may_ask_for_a_state_of_its_own() -> None:
    paused = replace(READY, state="Print Paused")
    assert choose_device(DeviceRequirements(state=(Glob("print paused"),)), ONYX, [paused]).device == paused


def test_print_now_takes_ready_printers_only() -> None:
    printing = replace(READY, state="Printing")
    choice = choose_device(replace(LOADED, state=READY_ONLY), ONYX, [printing])
    assert choice.reasons == ("M2-1: is Printing, the rule asks for Ready",)


def test_a_build_without_a_material_fits_no_loaded_one() -> None:
    assert choose_device(LOADED, {}, [READY]).reasons == ("M2-1: what material the build needs is not known",)


def test_no_devices_at_all() -> None:
    assert choose_device(LOADED, ONYX, []).reasons == ("Eiger lists no devices",)


QUICK = replace(READY, id="2", name="M2-2", queue_seconds=600.0, queue_length=3)
SHORT = replace(READY, id="3", name="M2-3", queue_seconds=900.0, queue_length=0)
SILENT = replace(READY, id="4", name="A-4", queue_seconds=None, queue_length=None)
FLEET = (READY, SILENT, QUICK, SHORT)


@pytest.mark.parametrize(
    ("choose", "names", "chosen"),
    [
        (SelectionPolicy.SOONEST, (), QUICK),
        (SelectionPolicy.SHORTEST_QUEUE, (), SHORT),
        (SelectionPolicy.FIRST, (), SILENT),
        (SelectionPolicy.FIRST, ("M2-3", "M2-*"), SHORT),
        (SelectionPolicy.ROUND_ROBIN, (), SILENT),
        (SelectionPolicy.ROUND_ROBIN, ("M2-*",), READY),
    ],
)
def test_which_of_those_that_fit(
    choose: SelectionPolicy, names: tuple[str, ...], chosen: DeviceFacts
) -> None:
    required = DeviceRequirements(name=tuple(map(Glob, names)), choose=choose)
    assert choose_device(required, ONYX, FLEET).device == chosen


def test_devices_take_turns_beginning_with_who_got_nothing_for_longest() -> None:
    noon = datetime(2026, 12, 17, 12, 0, tzinfo=UTC)
    required, fleet, taken = DeviceRequirements(choose=SelectionPolicy.ROUND_ROBIN), list(FLEET), []
    for minute in range(8):
        chosen = choose_device(required, ONYX, fleet).device
        assert chosen is not None
        taken.append(chosen.name)
        fleet.remove(chosen)
        fleet.append(replace(chosen, last_sent_at=noon + timedelta(minutes=minute)))
    assert taken == ["A-4", "M2-1", "M2-2", "M2-3"] * 2


@pytest.mark.parametrize(
    ("required", "reason"),
    [
        (DeviceRequirements(queue_length=parse_interval("< 1")), "M2-1: 1 queued, the rule asks for < 1"),
        (
            DeviceRequirements(queue_hours=parse_interval("0..0.5")),
            "M2-1: 1.0 h queued, the rule asks for 0..0.5",
        ),
        (
            DeviceRequirements(queue_hours=parse_interval(">= 2")),
            "M2-1: 1.0 h queued, the rule asks for >= 2",
        ),
    ],
)
def test_a_queue_may_be_too_long(required: DeviceRequirements, reason: str) -> None:
    assert choose_device(required, ONYX, [READY]).reasons == (reason,)
    unknown = replace(READY, queue_length=None, queue_seconds=None)
    assert choose_device(required, ONYX, [unknown]).reasons == (
        "M2-1: Eiger does not say how long its queue is",
    )


def test_the_material_has_to_last_for_all_copies() -> None:
    assert choose_device(LOADED, ONYX, [READY], copies=13).device == READY
    assert choose_device(LOADED, ONYX, [READY], copies=14).reasons == (
        "M2-1: 400.0 cm³ of Onyx left, needs 420.0 cm³",
    )


def test_the_others_that_fit_are_told_too_with_what_is_known_of_their_queues() -> None:
    uncounted = replace(READY, id="5", queue_length=None, queue_seconds=7200.0)
    unmeasured = replace(READY, id="6", queue_seconds=None)
    assert choose_device(LOADED, ONYX, [READY, SILENT, uncounted, unmeasured, SHORT]).reasons[:4] == (
        "M2-1: Ready, 1 queued, 1.0 h: fits too",
        "A-4: Ready, queue not known: fits too",
        "M2-1: Ready, 2.0 h: fits too",
        "M2-1: Ready, 1 queued: fits too",
    )


@given(order=st.permutations(FLEET), choose=st.sampled_from(SelectionPolicy))
def test_the_order_of_the_list_does_not_matter(order: list[DeviceFacts], choose: SelectionPolicy) -> None:
    required = DeviceRequirements(choose=choose)
    assert choose_device(required, ONYX, order).device == choose_device(required, ONYX, FLEET).device


def names_of(choice: DeviceChoice) -> list[str]:
    return [device.name for device in choice.dealt]


def test_copies_are_dealt_as_if_those_before_were_in_the_queue() -> None:
    facts: Facts = {**ONYX, "build.print_hours": 1.0}
    busy = replace(READY, id="2", name="M2-2", queue_seconds=2.5 * 3600, queue_length=2)
    choice = deal_copies(LOADED, facts, [busy, READY], 4)
    assert names_of(choice) == ["M2-1", "M2-1", "M2-2", "M2-1"]
    assert choice.name == "M2-1 (3), M2-2 (1)"
    assert choice.device == READY, "the first copy's, as it is"
    assert choice.reasons == ("M2-2: 1 of the copies", "M2-1: 3 of the copies")


def test_a_queue_grows_by_the_copies_that_were_dealt_to_it() -> None:
    required = DeviceRequirements(choose=SelectionPolicy.SHORTEST_QUEUE)
    other = replace(READY, id="2", name="M2-2", queue_length=3)
    assert names_of(deal_copies(required, ONYX, [READY, other], 4)) == ["M2-1", "M2-1", "M2-2", "M2-1"]


@pytest.mark.parametrize("policy", [SelectionPolicy.FIRST, SelectionPolicy.ROUND_ROBIN])
def test_where_the_queue_does_not_decide_they_are_dealt_in_turn(policy: SelectionPolicy) -> None:
    other = replace(READY, id="2", name="M2-2", queue_seconds=90_000.0)
    required = DeviceRequirements(loaded_material=True, choose=policy)
    assert sorted(names_of(deal_copies(required, ONYX, [READY, other], 4))) == ["M2-1"] * 2 + ["M2-2"] * 2


def test_copies_go_to_the_printers_that_the_part_fits_if_such_qualify() -> None:
    other = replace(READY, id="2", name="Large", type="X7", queue_seconds=90_000.0)
    choice = deal_copies(LOADED, {**ONYX, "fits": "X7, FX10"}, [READY, other], 2)
    assert names_of(choice) == ["Large", "Large"]
    assert choice.reasons[0] == "M2-1: the part does not fit its build volume"
    last = replace(other, primary_remaining_cm3=30.0)
    assert deal_copies(LOADED, {**ONYX, "fits": "X7"}, [last], 1).reasons == ("Large: 1 of the copies",)
    assert names_of(deal_copies(LOADED, {**ONYX, "fits": "X7"}, [READY, last], 1)) == ["Large"]
    for fits in ("", "FX20", "Mark Two"):
        assert names_of(deal_copies(LOADED, {**ONYX, "fits": fits}, [READY, other], 2)) == ["M2-1", "M2-1"]
    empty = replace(other, material="")
    assert names_of(deal_copies(LOADED, {**ONYX, "fits": "X7"}, [READY, empty], 2)) == ["M2-1", "M2-1"]


def test_unknown_queues_are_dealt_in_turn() -> None:
    unknown = [
        replace(READY, id=name, name=name, queue_seconds=None, queue_length=None) for name in ("a", "b")
    ]
    choice = deal_copies(LOADED, ONYX, unknown, 3)
    assert (names_of(choice), choice.device) == (["a", "b", "a"], unknown[0])


def test_material_has_to_be_enough_for_every_copy() -> None:
    low = replace(READY, primary_remaining_cm3=70.0)
    other = replace(low, id="2", name="M2-2")
    assert sorted(names_of(deal_copies(LOADED, ONYX, [low, other], 4))) == ["M2-1"] * 2 + ["M2-2"] * 2
    none = deal_copies(LOADED, ONYX, [low, other], 5)
    assert (none.device, none.dealt) == (None, ())
    assert none.reasons[0] == "M2-1: 70.0 cm³ of Onyx left, needs 90.0 cm³"


def test_fiber_that_the_copies_use_up_to_the_last_is_no_unknown_amount() -> None:
    spool = replace(READY, fiber_remaining_cm3=10.0)
    none = deal_copies(LOADED, FIBER, [spool], 3)
    assert (none.device, none.reasons) == (None, ("M2-1: 10.0 cm³ of Carbon Fiber left, needs 15.0 cm³",))
    assert names_of(deal_copies(LOADED, FIBER, [spool], 2)) == ["M2-1"] * 2


def test_a_print_time_that_is_not_known_adds_nothing_to_a_queue() -> None:
    busy = replace(READY, id="2", name="M2-2", queue_seconds=2 * 3600.0)
    assert names_of(deal_copies(LOADED, ONYX, [busy, READY], 3)) == ["M2-1"] * 3


def test_copies_are_not_dealt_where_there_are_no_devices() -> None:
    none = deal_copies(LOADED, ONYX, [], 2)
    assert (none.device, none.reasons) == (None, ("Eiger lists no devices",))
