"""Running the owner's own tests over their rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from workflow.model import DeviceFacts
from workflow.routing.explain import Explanation, explain
from workflow.routing.globs import Glob
from workflow.routing.parse_tests import ROUTING_EXPECTATIONS
from workflow.routing.rulebook import Rulebook, RuleTest

DEFAULT_TODAY = date(2026, 1, 5)
"""The day of a test that names none; no such test looks at a date."""
_GLOB_EXPECTATIONS = frozenset({"reject", "hold"})


@dataclass(frozen=True, slots=True)
class RuleTestResult:
    """What came of one test: one line per expectation that was not met."""

    __test__ = False  # not a case for pytest, whatever its name

    name: str
    line: int
    differences: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Tell whether everything came out as expected."""
        return not self.differences


def evaluate_rule_tests(
    rulebook: Rulebook, devices: Sequence[DeviceFacts] = ()
) -> tuple[RuleTestResult, ...]:
    """Run the rulebook's own tests; without devices, routing to one counts as done, none is chosen."""
    return tuple(_evaluate_rule_test(rulebook, test, devices or None) for test in rulebook.tests)


def _evaluate_rule_test(
    rulebook: Rulebook, test: RuleTest, devices: Sequence[DeviceFacts] | None
) -> RuleTestResult:
    fleet = devices if test.devices is None else test.devices
    explained = explain(rulebook, test.facts, fleet, today=test.today or DEFAULT_TODAY)
    answers = _actual_results(explained, routed=test.sliced)
    differences = (
        _describe_difference(key, wanted, answers, explained)
        for key, wanted in test.expected.items()
        if not _meets_expectation(key, wanted, answers.get(key))
    )
    return RuleTestResult(test.name, test.line, tuple(differences))


def _actual_results(explained: Explanation, *, routed: bool) -> Mapping[str, str | None]:
    """Give what came out, by the words that `expect` uses."""
    intake, route = explained.intake, explained.routing if routed else None
    held_by_route = route.reason if route is not None and route.destination is None else None
    return {
        "preset": intake.preset,
        "owner": intake.owner,
        "folder": intake.folder,
        "reject": intake.reason if intake.action == "reject" else None,
        "hold": intake.reason if intake.action == "hold" else held_by_route,
        "intake_rule": intake.rule,
        "rule": intake.rule if route is None else route.rule,
        "send_to": str(route.destination) if route is not None and route.destination else None,
        "device": route.device if route is not None else None,
        "copies": str(route.copies) if route is not None and route.destination else None,
        "approve_first": str(route.approve_first).lower()
        if route is not None and route.destination
        else None,
        "due": route.due.isoformat() if route is not None and route.due else None,
    }


def _meets_expectation(key: str, wanted: str, got: str | None) -> bool:
    if got is None or key not in _GLOB_EXPECTATIONS:
        return got == wanted
    return Glob(wanted).matches(got)


def _describe_difference(
    key: str, wanted: str, answers: Mapping[str, str | None], explained: Explanation
) -> str:
    got = answers.get(key)
    gaps = "; ".join(explained.gaps) if key in ROUTING_EXPECTATIONS and got is None else ""
    why = _why(key, wanted, explained) if key.endswith("rule") else gaps
    return f"{key}: expected {wanted}, got {got or 'nothing'}" + (f" ({why})" if why else "")


def _why(key: str, wanted: str, explained: Explanation) -> str:
    rules = explained.intake_rules if key == "intake_rule" else explained.considered
    found = [rule for rule in rules if rule.rule == wanted]
    if not found:
        return f"no rule is named {wanted}"
    return found[-1].why_not or ""
