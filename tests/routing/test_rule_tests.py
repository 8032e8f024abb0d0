"""The owners' own tests: what is met, and what is said when it isn't."""

from datetime import date

import pytest

from tests.routing.test_choose_device import READY
from tests.routing.test_evaluate import DEFAULT
from workflow.model import Destination, Facts
from workflow.routing import (
    FACT_TABLE,
    DecisionStage,
    MeasureStl,
    RuleTestResult,
    evaluate_rule_tests,
    parse_rules,
)
from workflow.routing.fact_values import add_default_facts
from workflow.routing.rule_tests import refuse_to_measure

INTAKE = "intake:\n"
RULES = """\
version: 1
intake:
  - {name: rest, preset: Onyx, owner: kim@example.com}
routing:
  - {name: short, when: {build.print_hours: "< 3"}, send_to: device_queue, device: {series: Desktop Series}}
  - {name: rest, send_to: backlog, due: +1 day}
tests:
"""


def differences(test: str, *, with_a_device: bool = False) -> tuple[str, ...]:
    (outcome,) = evaluate_rule_tests(
        parse_rules(f"{RULES}  - {test}\n", "rules.yaml"), devices=[READY] if with_a_device else []
    )
    assert outcome.passed == (not outcome.differences)
    return outcome.differences


def test_outcomes_have_names_and_lines() -> None:
    outcomes = evaluate_rule_tests(DEFAULT)
    assert (outcomes[0].name, outcomes[0].passed) == ("a rushed bracket goes to a printer", True)
    assert [outcome.line for outcome in outcomes] == sorted(outcome.line for outcome in outcomes)


def test_what_comes_out_otherwise_is_reported_with_the_reason() -> None:
    test = "{file: {path: a.stl}, build: {print_hours: 5}, expect: {rule: short, send_to: device_queue}}"
    assert differences(test) == (
        "rule: expected short, got rest (build.print_hours is 5, needs < 3)",
        "send_to: expected device_queue, got backlog",
    )


def test_a_rule_that_does_not_exist() -> None:
    test = "{file: {path: a.stl}, expect: {intake_rule: steel, rule: rest}}"
    assert differences(test) == ("intake_rule: expected steel, got rest (no rule is named steel)",)


def result_of(rules: str, test: str, measure: MeasureStl = refuse_to_measure) -> RuleTestResult:
    (result,) = evaluate_rule_tests(parse_rules(f"{rules}  - {test}\n", "rules.yaml"), measure)
    return result


def test_a_failed_test_names_the_deciding_rules_and_the_defaults_they_used() -> None:
    test = "{file: {path: a.stl}, build: {}, expect: {send_to: device_queue}}"
    result = result_of(RULES, test)
    assert result.differences == ("send_to: expected device_queue, got backlog",)
    assert result.why == (
        "intake: rule 'rest' in line 3 decided, for it is the catch-all: no rule above matches",
        "routing: rule 'rest' in line 6 decided, for it is the catch-all: no rule above matches",
        "not in the test, so defaults were used: build.print_hours 6.5",
    )


def test_a_failed_test_without_a_build_says_that_nothing_is_routed() -> None:
    why = result_of(RULES, "{file: {path: a.stl}, expect: {rule: short}}").why
    assert why == (
        "intake: rule 'rest' in line 3 decided, for it is the catch-all: no rule above matches",
        "the test names no build, so nothing is routed: write `build: {}` to test the routing",
    )


def test_a_failed_test_says_why_a_rule_held_it_and_why_printers_did_not_qualify() -> None:
    rules = RULES.replace(INTAKE, f'{INTAKE}  - {{name: long, when: {{x_mm: "> 70"}}, hold: Too long.}}\n')
    (held,) = (result_of(rules, "{file: {path: a.stl, longest_mm: 90}, expect: {preset: Onyx}}"),)
    assert held.differences == ("preset: expected Onyx, got nothing",)
    assert held.why[0] == "intake: rule 'long' in line 3 decided, for x_mm is 90 (> 70): Too long."
    assert held.why[-1] == "not in the test, so defaults were used: x_mm 90"
    device = "{name: A, series: Metal X}"
    test = f"{{file: {{path: a.stl}}, build: {{print_hours: 1}}, devices: [{device}], expect: {{device: A}}}}"
    assert "routing: A: is Metal X, the rule asks for Desktop Series" in result_of(RULES, test).why


def test_a_new_rule_breaks_no_old_test() -> None:
    """Every fact of the table has a default, or there is none of it."""
    test = "{file: {path: a.stl}, build: {}, expect: {send_to: backlog, preset: Onyx}}"
    assert result_of(RULES, test).passed
    for fact in FACT_TABLE:
        wanted = {
            "true/false": str(fact.default != "true").lower(),
            "time of day": "03:00..04:00",
            "weekday": "sunday",
        }.get(fact.kind, "4711" if fact.unit or fact.kind == "whole number" else "nothing has this.stl")
        rule = f"  - {{name: new, when: {{{fact.name}: {wanted}}}, hold: New.}}\n"
        section = "routing" if fact.stage is DecisionStage.ROUTING else "intake"
        assert result_of(RULES.replace(f"{section}:\n", f"{section}:\n{rule}"), test).passed, fact.name


@pytest.mark.parametrize(
    ("given", "derived"),
    [
        ({"longest_mm": 400}, {"x_mm": 400, "y_mm": 40, "z_mm": 12.5}),
        ({"longest_mm": 5}, {"x_mm": 5, "y_mm": 5, "z_mm": 5}),
        ({"z_mm": 200}, {"longest_mm": 200, "x_mm": 80}),
        ({"watertight": False}, {"open_edges": 1}),
        ({"open_edges": 3}, {"watertight": False}),
        ({"path": "lab/a.STL"}, {"folder": "lab", "name": "a.STL", "build.title": "a", "weekday": "tuesday"}),
    ],
)
def test_what_is_given_decides_what_follows_from_it(given: Facts, derived: Facts) -> None:
    facts = add_default_facts({"path": "a.stl", **given}, sliced=True, today=date(2026, 1, 6))
    assert {name: facts[name] for name in derived} == derived
    assert {name: facts[name] for name in given} == given


def test_a_test_may_name_an_stl_file_and_facts_of_its_own_win() -> None:
    measured: dict[str, Facts] = {"parts/big.stl": {"longest_mm": 600, "shells": 2}}
    long = '  - {name: long, when: {shells: 2, longest_mm: "> 500"}, reject: Long.}\n'
    rules = RULES.replace(INTAKE, f"{INTAKE}{long}")
    expect = "expect: {rule: long}"
    result = result_of(rules, f"{{file: {{stl: parts/big.stl}}, {expect}}}", measured.__getitem__)
    assert (result.name, result.passed) == ("big.stl", True)
    given = f"{{file: {{stl: parts/big.stl, longest_mm: 9}}, {expect}}}"
    assert not result_of(rules, given, measured.__getitem__).passed
    assert result_of(rules, given).differences == (
        "stl: parts/big.stl can't be measured: there is nothing here to measure parts/big.stl with",
    )


def test_texts_for_people_may_be_patterns_and_names_may_not() -> None:
    test = '{file: {path: a.stl}, expect: {preset: "O*", owner: kim@example.com, hold: "*"}}'
    assert differences(test) == ("preset: expected O*, got Onyx", "hold: expected *, got nothing")


def test_with_devices_one_has_to_qualify() -> None:
    test = "{file: {path: a.stl}, build: {print_hours: 1, series: FX20}, expect: {send_to: device_queue}}"
    assert differences(test) == ()
    assert differences(test, with_a_device=True) == (
        f"send_to: expected {Destination.DEVICE_QUEUE}, got nothing",
    )
    held = test.replace("send_to: device_queue", 'hold: "No device qualifies*"')
    assert differences(held, with_a_device=True) == ()
