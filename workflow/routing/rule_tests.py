"""Evaluate the tests that a rules file brings, and say why one fails."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date

from workflow.errors import Mistake, RulesError, StlflowError
from workflow.frozen import frozen
from workflow.model import ConsideredRule, DeviceFacts, Facts
from workflow.routing.conditions import comparisons_in
from workflow.routing.evaluate import evaluate_condition
from workflow.routing.explain import Explanation, explain
from workflow.routing.fact_values import add_default_facts, add_default_series, format_value
from workflow.routing.filename_tags import with_tags
from workflow.routing.globs import Glob
from workflow.routing.rulebook import IntakeRule, RoutingRule, Rulebook, RuleTest

DEFAULT_TODAY = date(2026, 1, 5)
"""The day of a test that names none: a Monday."""
MeasureStl = Callable[[str], Facts]
"""Return the facts of an STL file that a test names. Raises StlflowError or OSError."""
_GLOB_EXPECTATIONS = frozenset({"reject", "hold"})


@frozen
class RuleTestResult:
    """The result of one test: one line per expectation that was not met, and the reasons behind them."""

    __test__ = False  # pytest would collect it by its name

    name: str
    line: int
    differences: tuple[str, ...] = ()
    why: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """True if every expectation was met."""
        return not self.differences


def refuse_to_measure(name: str) -> Facts:
    """Raise OSError: rules on their own have no STL files."""
    raise OSError(f"there is nothing here to measure {name} with")


def evaluate_rule_tests(
    rulebook: Rulebook, measure: MeasureStl = refuse_to_measure, devices: Sequence[DeviceFacts] = ()
) -> tuple[RuleTestResult, ...]:
    """Return the result of each test; without devices, a route to one needs no device to qualify."""
    return tuple(_evaluate_rule_test(rulebook, test, measure, devices or None) for test in rulebook.tests)


def _evaluate_rule_test(
    rulebook: Rulebook, test: RuleTest, measure: MeasureStl, devices: Sequence[DeviceFacts] | None
) -> RuleTestResult:
    try:
        given = test.facts if test.stl is None else {**measure(test.stl), **test.facts}
    except (StlflowError, OSError) as error:
        return RuleTestResult(test.name, test.line, (f"stl: {test.stl} can't be measured: {error}",))
    today = test.today or DEFAULT_TODAY
    facts = add_default_facts(given, sliced=test.sliced, today=today, volumes=rulebook.volumes)
    fleet = devices if test.devices is None else add_default_series(test.devices, facts)
    explained = explain(rulebook, facts, fleet, today=today)
    answers = _actual_results(explained, routed=test.sliced)
    differences = tuple(
        _describe_difference(key, wanted, answers, explained)
        for key, wanted in test.expected.items()
        if not _meets_expectation(key, wanted, answers.get(key))
    )
    why = tuple(_reasons(rulebook, explained, facts, given, sliced=test.sliced)) if differences else ()
    return RuleTestResult(test.name, test.line, differences, why)


def refuse_failed_tests(rulebook: Rulebook, results: Sequence[RuleTestResult]) -> None:
    """Raise RulesError with one mistake for each test that failed."""
    lines = rulebook.text.splitlines()
    failed = [
        Mistake(
            rulebook.source,
            each.line,
            1,
            f"the test '{each.name}' fails: {'; '.join(each.differences)}",
            "correct the rule or the test: `stlflow rules test` says why",
            lines[each.line - 1] if each.line <= len(lines) else "",
        )
        for each in results
        if not each.passed
    ]
    if failed:
        raise RulesError(tuple(failed))


def _actual_results(explained: Explanation, *, routed: bool) -> Mapping[str, str | None]:
    """Return the results by the words that `expect` uses."""
    intake, route = explained.intake, explained.routing if routed else None
    sent = route if route is not None and route.destination is not None else None
    held_by_route = route.reason if route is not None and sent is None else None
    return {
        "preset": intake.preset,
        "owner": intake.owner,
        "folder": intake.folder,
        "reject": intake.reason if intake.action == "reject" else None,
        "hold": intake.reason if intake.action == "hold" else held_by_route,
        "intake_rule": intake.rule,
        "rule": intake.rule if route is None else route.rule,
        "send_to": str(sent.destination) if sent else None,
        "device": route.device if route is not None else None,
        "copies": str(sent.copies) if sent else None,
        "approve_first": str(sent.approve_first).lower() if sent else None,
        "not_before": _format_minute(sent.send_window[0]) if sent and sent.send_window else None,
        "due": route.due.isoformat() if route is not None and route.due else None,
    }


def _format_minute(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _meets_expectation(key: str, wanted: str, got: str | None) -> bool:
    if got is None or key not in _GLOB_EXPECTATIONS:
        return got == wanted
    return Glob(wanted).matches(got)


def _describe_difference(
    key: str, wanted: str, answers: Mapping[str, str | None], explained: Explanation
) -> str:
    why = _why_not_matched(key, wanted, explained) if key.endswith("rule") else ""
    return f"{key}: expected {wanted}, got {answers.get(key) or 'nothing'}" + (f" ({why})" if why else "")


def _why_not_matched(key: str, wanted: str, explained: Explanation) -> str:
    rules = explained.intake_rules if key == "intake_rule" else explained.considered
    found = [rule for rule in rules if rule.rule == wanted]
    if not found:
        return f"no rule is named {wanted}"
    return found[-1].why_not or ""


def _reasons(
    rulebook: Rulebook, explained: Explanation, facts: Facts, given: Facts, *, sliced: bool
) -> Iterator[str]:
    """Return which rules decided and why, what is missing, and which defaults the rules used."""
    known = with_tags(rulebook.names, {"preset": explained.intake.preset or "", **facts})
    yield _decided_by("intake", rulebook.intake, explained.intake.rule, explained.intake.reason, known)
    used = _facts_used(rulebook.intake, explained.intake_rules)
    gaps = explained.gaps
    if explained.intake.action == "upload" and not sliced:
        gaps = ("the test names no build, so nothing is routed: write `build: {}` to test the routing",)
    elif explained.routing is not None:
        route = explained.routing
        yield _decided_by("routing", rulebook.routing, route.rule, route.reason, known)
        yield from (f"routing: {reason}" for reason in route.reasons if ": " in reason)
        used |= _facts_used(rulebook.routing, explained.routing_rules)
    yield from gaps
    defaults = [name for name in used if name in facts and name not in given and name not in _GIVEN_BY_PATH]
    if defaults:
        values = ", ".join(f"{name} {format_value(facts[name])}" for name in defaults)
        yield f"not in the test, so defaults were used: {values}"


_GIVEN_BY_PATH = frozenset({"name", "folder"})


def _decided_by(
    title: str, rules: Sequence[IntakeRule | RoutingRule], name: str, reason: str | None, facts: Facts
) -> str:
    rule = next(rule for rule in rules if rule.name == name)
    looked = evaluate_condition(rule.when, facts)
    why = "; ".join(looked.why) or "it is the catch-all: no rule above matches"
    held = f": {reason}" if reason else ""
    return f"{title}: rule '{name}' in line {rule.line} decided, for {why}{held}"


def _facts_used(
    rules: Sequence[IntakeRule | RoutingRule], considered: Sequence[ConsideredRule]
) -> dict[str, None]:
    """Return the facts that the rules asked for, up to the deciding one, in order."""
    used: dict[str, None] = {}
    for rule, seen in zip(rules, considered, strict=False):
        used |= dict.fromkeys(each.fact.name for each in comparisons_in(rule.when))
        if seen.matched:
            break
    return used
