"""Deciding: the first match, holds, what is not known, what goes wrong; total and deterministic."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.routing.test_choose_device import READY
from workflow.model import ConsideredRule, Destination, Facts, FactValue
from workflow.resources import resource_folder
from workflow.routing import Rulebook, decide_intake, decide_route, load_rules, parse_rules

DEFAULT = load_rules(resource_folder("rules") / "default.yaml")
THURSDAY = date(2026, 12, 17)
CLIP: Facts = {"path": "clip.stl", "folder": "", "name": "clip.stl", "longest_mm": 30.0, "unit_doubt": False}
RUSHED: Facts = {**CLIP, "path": "rush/clip.stl", "folder": "rush"}
SLICED: Facts = {"build.print_hours": 2.0, "build.series": "Desktop Series", "build.material": "Onyx"}
CHEAP: Facts = {**SLICED, "path": "a.stl", "build.primary_cm3": 5.0}

HOLDING = """\
version: 1
intake:
  - {name: heavy, when: {volume_cm3: "> 100"}, hold: Weigh it.}
  - {name: metal, when: {path: "metal/**"}, preset: 17-4 PH, owner: kim@example.com, folder: f-1}
  - {name: look, hold: Look at it.}
routing:
  - {name: dear, when: {build.primary_cm3: "> 50"}, hold: Ask first.}
  - {name: printer, when: {path: "rush/**"}, send_to: device_queue, device: {material: loaded}}
  - name: now
    when: {path: "now/**"}
    send_to: print_now
    device: {type: Mark Two}
    otherwise: backlog
    due: +1 day
  - {name: rest, send_to: backlog, due: +3 working days}
"""

SPREADING = """\
version: 1
names: ["{project}_{qty}x", "{project}"]
intake:
  - {name: all, preset: Onyx}
routing:
  - {name: all, send_to: device_queue, device: {type: Mark Two}, copies: tag.qty, spread: SPREAD}
"""


@pytest.fixture(scope="module")
def holding() -> Rulebook:
    return parse_rules(HOLDING, "rules.yaml")


def test_the_first_match_decides_and_says_what_was_passed() -> None:
    decision = decide_intake(DEFAULT, CLIP)
    assert (decision.rule, decision.action, decision.preset) == ("everything else", "upload", "Onyx")
    assert decision.considered == (
        ConsideredRule("longer than any bed", False, "longest_mm is 30, needs > 525"),
        ConsideredRule("unit in doubt", False, "unit_doubt is false, needs true"),
        ConsideredRule("metal", False, "path is 'clip.stl', needs metal/**"),
        ConsideredRule("everything else", True),
    )


def test_a_rejection_gives_the_reason_of_the_rule() -> None:
    decision = decide_intake(DEFAULT, {**CLIP, "longest_mm": 612.0})
    assert decision.action == "reject"
    assert decision.reason == "Longer than 525 mm: no printer takes it. Split the part."


def test_owner_and_folder_go_with_the_preset(holding: Rulebook) -> None:
    decision = decide_intake(holding, {"path": "metal/a.stl", "volume_cm3": 5.0})
    assert (decision.preset, decision.owner, decision.folder) == ("17-4 PH", "kim@example.com", "f-1")


def test_what_is_not_known_holds_and_never_falls_to_the_next_rule(holding: Rulebook) -> None:
    decision = decide_intake(holding, {"path": "metal/a.stl"})
    assert (decision.rule, decision.action) == ("heavy", "hold")
    assert [(each.rule, each.matched) for each in decision.considered] == [("heavy", False)]
    assert decision.reason == (
        "Rule 'heavy' can't be decided: volume_cm3 is not known for this file (known when the mesh is "
        "closed). A person has to decide: `stlflow release` goes on with the next rule."
    )


def test_a_released_file_goes_past_what_held_it(holding: Rulebook) -> None:
    decision = decide_intake(holding, {"path": "metal/a.stl"}, passed=["heavy"])
    assert (decision.rule, decision.action) == ("metal", "upload")
    assert decision.considered[0] == ConsideredRule("heavy", False, "passed over: a person released the file")
    held = decide_intake(holding, {"path": "metal/a.stl", "volume_cm3": 500.0})
    assert (held.action, held.reason) == ("hold", "Weigh it.")
    assert decide_intake(holding, {"volume_cm3": 5.0}, passed=["metal"]).rule == "look"


def test_a_release_lifts_one_hold_and_not_the_next(holding: Rulebook) -> None:
    decision = decide_intake(holding, {"path": "a.stl", "volume_cm3": 500.0}, passed=["heavy"])
    assert (decision.rule, decision.action, decision.reason) == ("look", "hold", "Look at it.")


def test_a_release_does_not_turn_a_last_hold_into_an_upload(holding: Rulebook) -> None:
    decision = decide_intake(holding, {"path": "a.stl", "volume_cm3": 5.0}, passed=["heavy", "look"])
    assert (decision.rule, decision.action) == ("look", "hold")
    assert decision.reason == (
        "The file was released, but every rule that takes it holds it. Change the rules, then retry."
    )


class Broken(Mapping[str, FactValue]):
    """Facts that can't be looked at."""

    def __getitem__(self, name: str) -> FactValue:
        raise OSError(f"{name} fell off the table")

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def test_a_fault_while_looking_holds() -> None:
    decision = decide_intake(DEFAULT, Broken())
    assert (decision.rule, decision.action) == ("longer than any bed", "hold")
    assert decision.reason is not None
    assert "a fault of stlflow in this rule (OSError: longest_mm fell off the table)" in decision.reason
    assert decide_route(DEFAULT, Broken(), (), THURSDAY).destination is None


def test_a_rush_goes_to_the_printer_that_has_the_material() -> None:
    route = decide_route(DEFAULT, {**RUSHED, **SLICED}, (READY,), THURSDAY)
    assert (route.destination, route.device, route.device_id) == (Destination.DEVICE_QUEUE, "M2-1", "1")
    assert route.reasons == (
        "path is 'rush/clip.stl' (rush/**)",
        "build.print_hours is 2 (<= 8)",
        "M2-1: Ready, 1 queued, 1.0 h: chosen (soonest)",
    )


def test_without_a_fitting_printer_the_rule_says_where_else() -> None:
    facts = {**RUSHED, **SLICED, "build.material": "Nylon White"}
    route = decide_route(DEFAULT, facts, (READY,), THURSDAY)
    assert (route.destination, route.device_id, route.due) == (Destination.JOB_REQUEST, None, None)
    assert route.reasons[-1] == "M2-1: Onyx loaded, needs Nylon White"


def test_without_anywhere_else_it_is_held(holding: Rulebook) -> None:
    facts = {**RUSHED, **SLICED, "build.primary_cm3": 5.0, "build.material": "Nylon White"}
    route = decide_route(holding, facts, (READY,), THURSDAY)
    assert route.destination is None
    assert route.reason == (
        "No device qualifies: M2-1: Onyx loaded, needs Nylon White. It goes by itself once one does."
    )
    assert route.waits_for_device


def test_due_dates_count_from_the_day_of_the_decision(holding: Rulebook) -> None:
    assert decide_route(holding, CHEAP, (), THURSDAY).due == date(2026, 12, 22)
    now = {**CHEAP, "path": "now/a.stl"}
    assert decide_route(holding, now, (READY,), THURSDAY).due == date(2026, 12, 18)
    assert decide_route(holding, now, (), THURSDAY).due == date(2026, 12, 18)


def test_print_now_is_reported_as_such(holding: Rulebook) -> None:
    facts: Facts = {**SLICED, "path": "now/a.stl", "build.primary_cm3": 5.0}
    assert decide_route(holding, facts, (READY,), THURSDAY).destination is Destination.PRINT_NOW
    busy = decide_route(holding, facts, (replace(READY, state="Printing"),), THURSDAY)
    assert busy.destination is Destination.BACKLOG
    assert busy.reasons[-1] == "M2-1: is Printing, the rule asks for Ready"


@pytest.mark.parametrize(
    ("name", "spread", "device", "spread_ids"),
    [
        ("x.stl", "true", "M2-1", ()),
        ("x_2x.stl", "true", "M2-1 (2)", ("1", "1")),
        ("x_2x.stl", "false", "M2-1", ()),
    ],
)
def test_only_several_copies_are_spread(
    name: str, spread: str, device: str, spread_ids: tuple[str, ...]
) -> None:
    rules = parse_rules(SPREADING.replace("SPREAD", spread), "rules.yaml")
    route = decide_route(rules, {**SLICED, "path": name, "name": name}, (READY,), THURSDAY)
    assert (route.device, route.spread_ids) == (device, spread_ids)
    unclear = {**SLICED, "path": "x.stl", "name": "x.stl", "tag.qty": "many"}
    assert decide_route(rules, unclear, (READY,), THURSDAY).destination is None


def test_a_route_can_be_held_and_released(holding: Rulebook) -> None:
    facts: Facts = {**SLICED, "path": "a.stl", "build.primary_cm3": 80.0}
    held = decide_route(holding, facts, (), THURSDAY)
    assert (held.rule, held.destination, held.reason) == ("dear", None, "Ask first.")
    assert held.reasons == ("build.primary_cm3 is 80 (> 50)",)
    assert decide_route(holding, facts, (), THURSDAY, passed=["dear"]).rule == "rest"
    assert decide_route(holding, {"path": "a.stl"}, (), THURSDAY).rule == "dear"


def test_a_rule_that_holds_first_sends_what_was_released() -> None:
    rules = parse_rules(HOLDING.replace("rest, send_to", "rest, hold_first: Ask the lab., send_to"), "r.yaml")
    held = decide_route(rules, CHEAP, (), THURSDAY)
    assert (held.rule, held.destination, held.reason) == ("rest", None, "Ask the lab.")
    released = decide_route(rules, CHEAP, (), THURSDAY, passed=["rest"])
    assert (released.rule, released.destination) == ("rest", Destination.BACKLOG)


ANY_VALUE = st.one_of(
    st.floats(), st.integers(), st.booleans(), st.text(max_size=8), st.sampled_from(["rush/a.stl", "Onyx"])
)
NAMES = st.sampled_from(
    [
        "path",
        "longest_mm",
        "volume_cm3",
        "build.print_hours",
        "build.primary_cm3",
        "build.material",
        "no fact",
    ]
)
ANY_FACTS: st.SearchStrategy[dict[str, FactValue]] = st.dictionaries(NAMES, ANY_VALUE)
BOOKS = st.sampled_from([DEFAULT, parse_rules(HOLDING, "rules.yaml")])


@given(
    book=BOOKS,
    facts=ANY_FACTS,
    passed=st.sets(st.sampled_from(["heavy", "look", "dear", "unit in doubt"])),
)
def test_every_file_gets_one_decision_and_always_the_same(
    book: Rulebook, facts: dict[str, FactValue], passed: set[str]
) -> None:
    decision = decide_intake(book, facts, passed=passed)
    assert decision == decide_intake(book, dict(reversed(facts.items())), passed=passed)
    assert (decision.action == "upload") == (decision.preset is not None) == (decision.reason is None)
    assert decision.rule in {rule.name for rule in book.intake}
    route = decide_route(book, facts, (READY,), THURSDAY, passed=passed)
    assert route == decide_route(book, facts, (READY,), THURSDAY, passed=passed)
    assert (route.destination is None) == (route.reason is not None)
    assert (route.device_id is not None) == (route.destination in {"device_queue", "print_now"})


@given(facts=ANY_FACTS, at=st.integers(0, 2))
def test_rules_behind_the_deciding_one_do_not_matter(facts: dict[str, FactValue], at: int) -> None:
    decision = decide_intake(DEFAULT, facts)
    decided_at = len(decision.considered) - 1
    shorter = DEFAULT.intake[: decided_at + 1] + DEFAULT.intake[decided_at + 1 + at :]
    assert decide_intake(Rulebook("", "", shorter, DEFAULT.routing), facts) == decision
