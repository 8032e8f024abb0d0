"""The answer: figures from the decision alone, words for them, and the simulator's clock as the judge."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from workflow.eiger import Device as ListedDevice
from workflow.errors import SettingsError
from workflow.model import DecisionRecord, Destination, DeviceFacts, FactValue, Submission, SubmissionState
from workflow.notes import progress_note_text, submission_note_text
from workflow.notes.answer import (
    Answer,
    Cost,
    PastPrints,
    Prices,
    find_similar_prints,
    make_answer,
    parse_prices,
    queue_wait,
)
from workflow.notes.answer_text import (
    answer_document,
    answer_line,
    duration_text,
    past_prints_text,
    ready_text,
)
from workflow.pipeline.facts import device_facts
from workflow.simulator import SimulatorOptions, printers
from workflow.simulator.models import Build, Device, PrintJob
from workflow.simulator.views import LinkSigner, Views
from workflow.simulator.world import World

NOON = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
VIENNA = ZoneInfo("Europe/Vienna")
ANVIL = DeviceFacts(
    "d-1", "Mark Two - Anvil", "Mark Two", "Desktop Series", queue_seconds=7200, queue_length=2
)
FACTS: dict[str, FactValue] = {
    "build.print_hours": 1.75,
    "build.material": "Onyx",
    "build.primary_cm3": 12.4,
    "build.fiber": "Carbon Fiber",
    "build.fiber_cm3": 3.1,
    "build.cost_usd": 6.8,
}
SENT = Submission(
    id=17, path="a.stl", state=SubmissionState.ROUTED, opened_at=NOON,
    destination=Destination.DEVICE_QUEUE, device="Mark Two - Anvil", device_id="d-1", copies=1,
)  # fmt: skip


def decision(facts: dict[str, FactValue], *devices: DeviceFacts) -> DecisionRecord:
    return DecisionRecord("routing", NOON, "r", "all", facts, (), devices or None, "d-1" if devices else None)


def answer(submission: Submission = SENT, prices: str = "", **facts: FactValue) -> Answer:
    known = {**FACTS, **{name.replace("__", "."): value for name, value in facts.items()}}
    return make_answer(submission, decision(known, ANVIL), parse_prices(prices), 600)


def test_the_line_says_everything_that_is_known() -> None:
    assert answer_line(answer(), VIENNA) == (
        "1 h 45 min · 12.4 cm³ Onyx, 3.1 cm³ Carbon Fiber · about 6.80 USD (Eiger's figure) · "
        "Mark Two - Anvil, 2 jobs ahead · ready about Fri 27 Nov 17:15 CET"
    )


def test_several_copies_are_one_after_the_other() -> None:
    three = answer(replace(SENT, copies=3))
    assert answer_line(three, VIENNA) == (
        "3 × 1 h 45 min · 12.4 cm³ Onyx, 3.1 cm³ Carbon Fiber each · about 20.40 USD (Eiger's figure) · "
        "Mark Two - Anvil, 2 jobs ahead · ready about Fri 27 Nov 21:05 CET"
    )


def test_what_nobody_says_is_unknown() -> None:
    nothing = make_answer(
        SENT, decision({}, replace(ANVIL, queue_seconds=None, queue_length=None)), Prices(), 0
    )
    assert answer_line(nothing, VIENNA) == (
        "print time unknown · material unknown · Mark Two - Anvil, its queue is not known · ready: unknown"
    )
    assert answer_document(nothing)["cost"] is None


def test_where_an_operator_chooses_nobody_knows_when() -> None:
    backlog = replace(SENT, destination=Destination.BACKLOG, device=None, device_id=None)
    text = answer_line(make_answer(backlog, decision(FACTS), Prices(), 0), VIENNA)
    assert text.endswith("(Eiger's figure) · ready when an operator has printed it")


def test_a_print_that_starts_now_waits_for_nothing() -> None:
    at_once = replace(SENT, destination=Destination.PRINT_NOW)
    assert answer(at_once).ready_from == NOON + timedelta(hours=1.75)


def test_the_shops_prices_go_before_eigers_and_say_so() -> None:
    prices = "EUR, hour = 4, Onyx = 0.25, carbon fiber = 2"
    assert answer(prices=prices).cost == Cost(0.25 * 12.4 + 2 * 3.1 + 4 * 1.75, "EUR", "the shop's prices")


def test_without_a_price_for_each_material_there_is_no_cost() -> None:
    assert "cost unknown: no price or amount of Carbon Fiber" in answer_line(
        answer(prices="EUR, Onyx=1"), UTC
    )


@pytest.mark.parametrize(
    "text", ["Onyx = 0.25", "EUR, Onyx = much", "EUR, USD", "EUR, Onyx = -1", "€, Onyx = 1"]
)
def test_prices_that_can_not_be_read_are_refused_with_the_form(text: str) -> None:
    with pytest.raises(SettingsError, match="Write it like 'EUR, hour"):
        parse_prices(text)


def test_the_queue_may_be_read_both_ways_unless_a_printer_tells() -> None:
    busy = replace(ANVIL, is_busy=True, active_seconds=1800)
    tells = replace(busy, id="d-2", queue_length=0, queue_seconds=1800)
    denies = replace(tells, queue_seconds=0)
    waits = [queue_wait(busy, [busy, *others]) for others in ([], [tells], [denies])]
    assert waits == [(7200, 9000), (7200, 7200), (9000, 9000)]
    assert queue_wait(replace(busy, active_seconds=None), [busy]) is None, "nobody knows when that print ends"
    unclear = make_answer(SENT, decision(FACTS, busy), Prices(), 0)
    assert ready_text(unclear, VIENNA) == "ready about Fri 27 Nov 16:45 to 17:15 CET"


def test_durations_are_in_the_units_of_people() -> None:
    assert [duration_text(seconds) for seconds in (5, 1500, 3600, 6300, 86_400, 100_000)] == [
        "1 min", "25 min", "1 h", "1 h 45 min", "1 d", "1 d 3 h",
    ]  # fmt: skip


def test_similar_parts_of_the_past_give_a_range() -> None:
    past = [(10.0, 3600.0), (12.0, 7200.0), (19.0, 9000.0), (100.0, 90_000.0), (None, 1.0)]
    assert find_similar_prints(10.0, past) == PastPrints(3, 3600, 9000)
    assert find_similar_prints(50.0, past) is None, "only one is like it"
    assert find_similar_prints(None, past) is None
    assert past_prints_text(PastPrints(14, 10_800, 18_000)) == (
        "14 earlier parts of about this size with this preset take 3 h to 5 h"
    )


def make_build(world: World, chance: random.Random) -> Build:
    return world.builds.put(
        Build(
            world.new_id("build"),
            "b",
            world.now,
            world.now,
            (),
            "Desktop Series",
            "Onyx",
            "None",
            chance.uniform(1, 100),
            0.0,
            0.0,
            100,
            chance.uniform(3600, 100_000),
        )
    )


def make_fleet(world: World, chance: random.Random) -> None:
    """Return one to five printers that print, stand idle or wait for the operator, with queues."""
    for number in range(chance.randint(1, 5)):
        device = world.devices.put(
            Device(
                world.new_id("device"),
                f"M{number}",
                "Mark Two",
                "Desktop Series",
                "Ready",
                "Onyx",
                "None",
                800.0,
                0.0,
                world.now,
                world.now,
            )
        )
        if chance.random() < 0.6:
            printers.print_now(world, device, make_build(world, chance))
        for _ in range(chance.choice((0, 0, 1, 2, 5))):
            printers.append_to_queue(world, world.devices[device.id], make_build(world, chance))
    world.advance_to(world.now + timedelta(seconds=chance.uniform(0, 50_000)))


def listed(world: World) -> tuple[DeviceFacts, ...]:
    views = Views(world, LinkSigner(b"k", "http://any"))
    shown = (views.device_extended(device) for device in world.devices)
    return tuple(device_facts(ListedDevice.model_validate(view)) for view in shown)


def last_end(world: World, build: Build, copies: int) -> datetime:
    """Let the simulator's clock run until all copies are printed; gives when."""

    def ended() -> list[PrintJob]:
        return [job for job in world.print_jobs if job.build == build.id and job.state == "Completed"]

    while len(ended()) < copies:
        world.advance_to(world.now + timedelta(hours=1))
    return max(job.ended_at or world.now for job in ended())


def test_200_random_parts_are_ready_when_the_note_says_so() -> None:
    """Within 10 % of the time that the simulator's clock then needs, whatever fleet and queue."""
    worst = 0.0
    for seed in range(200):
        chance = random.Random(seed)
        world = World(SimulatorOptions(seed=seed), NOON)
        make_fleet(world, chance)
        devices, copies = listed(world), chance.choice((1, 1, 1, 2, 3))
        device, build = chance.choice(devices), make_build(world, chance)
        taken = DecisionRecord(
            "routing", world.now, "r", "all", {"build.print_hours": build.print_seconds / 3600}, (), devices
        )
        spread = tuple(chance.choice(devices).id for _ in range(copies)) if chance.random() < 0.4 else ()
        sent = replace(SENT, device=device.name, device_id=device.id, copies=copies, spread_ids=spread)
        said = make_answer(sent, taken, Prices(), SimulatorOptions().operator_seconds)
        began = world.now
        for place in spread or copies * (device.id,):
            printers.append_to_queue(world, world.devices[place], build)
        took = last_end(world, build, copies) - began
        assert said.ready_from is not None
        assert said.ready_to is not None
        off = min(abs((end - began) / took - 1) for end in (said.ready_from, said.ready_to))
        assert off <= 0.10, f"seed {seed}: {said}, took {took}"
        worst = max(worst, off)
    assert worst > 0, "no estimate is so good: the test compares a figure with itself"


@pytest.mark.parametrize(
    ("pattern", "link"),
    [
        ("", None),
        ("https://eiger.example.com/b/{build_id}", "https://eiger.example.com/b/b%201%2F2"),
        (
            "https://eiger.example.com/{part_version_id}?b={build_id}",
            "https://eiger.example.com/v-1?b=b%201%2F2",
        ),
    ],
)
def test_a_link_into_eiger_is_made_as_the_shop_says_and_stays_in_the_note(
    pattern: str, link: str | None
) -> None:
    part = replace(
        SENT, build_id="b 1/2", part_version_id="v-1", reason="See https://elsewhere.example.com/x."
    )
    known = make_answer(part, decision(FACTS, ANVIL), Prices(), 600, pattern)
    assert (known.eiger_link, answer_document(known)["eiger_link"]) == (link, link)
    for note in (submission_note_text(part, (), answer=known), progress_note_text(part, None, answer=known)):
        assert ("In Eiger" in note) is (link is not None)
        assert (link or "") in note
        assert "elsewhere" not in note
    assert make_answer(SENT, decision(FACTS, ANVIL), Prices(), 600, "https://e/{build_id}").eiger_link is None
