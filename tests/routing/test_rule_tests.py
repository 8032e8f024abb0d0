"""The owners' own tests: what is met, and what is said when it isn't."""

from tests.routing.test_choose_device import READY
from tests.routing.test_evaluate import DEFAULT
from workflow.model import Destination
from workflow.routing import evaluate_rule_tests, parse_rules

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
        parse_rules(f"{RULES}  - {test}\n", "rules.yaml"), [READY] if with_a_device else []
    )
    assert outcome.passed == (not outcome.differences)
    return outcome.differences


def test_outcomes_have_names_and_lines() -> None:
    outcomes = evaluate_rule_tests(DEFAULT)
    assert (outcomes[0].name, outcomes[0].passed) == ("a rushed bracket goes to a printer", True)
    assert [outcome.line for outcome in outcomes] == sorted(outcome.line for outcome in outcomes)


def test_what_comes_out_otherwise_is_told_with_the_reason() -> None:
    test = "{file: {path: a.stl}, build: {print_hours: 5}, expect: {rule: short, send_to: device_queue}}"
    assert differences(test) == (
        "rule: expected short, got rest (build.print_hours is 5, needs < 3)",
        "send_to: expected device_queue, got backlog",
    )


def test_a_rule_that_does_not_exist() -> None:
    test = "{file: {path: a.stl}, expect: {intake_rule: steel, rule: rest}}"
    assert differences(test) == ("intake_rule: expected steel, got rest (no rule is named steel)",)


def test_a_fact_that_the_test_does_not_give() -> None:
    test = "{file: {path: a.stl}, build: {}, expect: {send_to: backlog}}"
    assert differences(test) == (
        "send_to: expected backlog, got nothing (Not routed yet: give build.print_hours.)",
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
