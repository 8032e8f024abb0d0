"""Explaining: every rule, what it found, what is open."""

from datetime import date

from tests.routing.test_choose_device import READY
from tests.routing.test_evaluate import CLIP, DEFAULT, HOLDING, RUSHED, SLICED
from workflow.model import ConsideredRule, Destination, Facts
from workflow.routing import OpenRule, explain, parse_rules

TODAY = date(2026, 12, 17)


def test_every_rule_is_reported_those_behind_too() -> None:
    explained = explain(DEFAULT, {**CLIP, "path": "metal/clip.stl", **SLICED}, today=TODAY)
    assert explained.intake.rule == "metal"
    assert explained.considered == (
        ConsideredRule("longer than any bed", False, "longest_mm is 30, needs > 525"),
        ConsideredRule("unit in doubt", False, "unit_doubt is false, needs true"),
        ConsideredRule("metal", True),
        ConsideredRule("everything else", False, "a rule above comes first"),
        ConsideredRule("rush", False, "path is 'metal/clip.stl', needs rush/**"),
        ConsideredRule("long prints", False, "build.print_hours is 2, needs > 8"),
        ConsideredRule("everything else", True),
    )
    assert explained.routing is not None
    assert explained.routing.destination is Destination.JOB_REQUEST


def test_without_a_build_the_open_rules_say_what_they_wait_for() -> None:
    explained = explain(DEFAULT, RUSHED, today=TODAY)
    assert explained.routing is None
    assert explained.open_rules == (
        OpenRule("rush", "device_queue", ("build.print_hours",), ("build.print_hours: <= 8",)),
        OpenRule("long prints", "backlog", ("build.print_hours",), ("build.print_hours: > 8",)),
        OpenRule("everything else", "job_request"),
    )
    assert explained.gaps == ("Not routed yet: give build.print_hours.",)
    assert [rule.why_not for rule in explained.routing_rules[1:]] == [
        "build.print_hours is not known for this file (known after slicing)",
        "takes it unless an open rule above does",
    ]


def test_a_rule_that_can_not_fit_any_more_is_not_open() -> None:
    assert [rule.rule for rule in explain(DEFAULT, CLIP, today=TODAY).open_rules] == [
        "long prints",
        "everything else",
    ]


def test_without_devices_the_choice_is_a_stated_gap() -> None:
    explained = explain(DEFAULT, {**RUSHED, **SLICED}, today=TODAY)
    assert explained.routing is not None
    assert (explained.routing.destination, explained.routing.device) == (Destination.DEVICE_QUEUE, None)
    assert explained.gaps == ("No device is chosen: Eiger was not asked for its devices.",)


def test_with_devices_one_is_chosen() -> None:
    explained = explain(DEFAULT, {**RUSHED, **SLICED}, [READY], today=TODAY)
    assert explained.routing is not None
    assert explained.routing.device == "M2-1"
    assert explained.gaps == ()


def test_a_device_that_was_chosen_without_the_builds_material_is_a_guess() -> None:
    hours_alone = {**RUSHED, "build.print_hours": 2}
    explained = explain(DEFAULT, hours_alone, [READY], today=TODAY)
    assert explained.gaps == ("The choice of a device is a guess: give build.series, build.material.",)


def test_what_is_rejected_or_held_before_the_upload_is_not_routed() -> None:
    changes: tuple[tuple[Facts, str], ...] = (
        ({"longest_mm": 612.0}, "It is rejected before the upload, so it is not routed."),
        ({"unit_doubt": True}, "It is held before the upload, so it is not routed."),
    )
    for change, gap in changes:
        explained = explain(DEFAULT, {**CLIP, **change}, today=TODAY)
        assert (explained.routing, explained.routing_rules, explained.gaps) == (None, (), (gap,))


def test_a_fact_that_slicing_will_not_bring_holds_the_build() -> None:
    rules = HOLDING.replace('build.primary_cm3: "> 50"', 'volume_cm3: "> 50"')
    rules = rules.replace('volume_cm3: "> 100"', 'longest_mm: "> 100"')
    explained = explain(parse_rules(rules, "rules.yaml"), {**CLIP, "path": "metal/a.stl"}, today=TODAY)
    assert explained.routing is not None
    assert explained.routing.destination is None
    assert explained.routing.reason is not None
    assert explained.routing.reason.startswith("Rule 'dear' can't be decided: volume_cm3 is not known")


def test_the_preset_that_would_be_used_is_a_fact_of_the_routing() -> None:
    rules = HOLDING.replace('build.primary_cm3: "> 50"', 'preset: "17-4*"')
    facts = {**CLIP, "path": "metal/a.stl", "volume_cm3": 3.0}
    explained = explain(parse_rules(rules, "rules.yaml"), facts, today=TODAY)
    assert explained.routing is not None
    assert explained.routing.rule == "dear"
