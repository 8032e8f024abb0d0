"""Conditions: what a rule wants of the facts, evaluated for one file.

The result is met, not met, or undecided: a fact is not known, or is not of the kind its table says. Each
result says why, with the value that was found. `not`, `any` and `all` are undecided only where it matters:
`any` is met as soon as one part is met, `all` is not met as soon as one part is not.
"""

from collections.abc import Iterator
from itertools import chain

from workflow.frozen import frozen
from workflow.model import Facts, FactValue
from workflow.routing.fact_values import format_value, is_of_kind
from workflow.routing.facts import BUILD_PREFIX, DecisionStage, Fact, FactKind
from workflow.routing.globs import Glob, enclose_names
from workflow.routing.matchers import Interval, TimeWindow, Weekdays, parse_minute, parse_weekday


@frozen
class ConditionResult:
    """The result for one file: `met` is None when undecided. `why` has one sentence per condition."""

    met: bool | None
    why: tuple[str, ...]


@frozen
class Flag:
    """True or false."""

    wanted: bool

    def matches(self, flag: bool) -> bool:
        """True if the flag is as wanted."""
        return flag is self.wanted


Matcher = Interval | Glob | Flag | TimeWindow | Weekdays


@frozen
class Comparison:
    """One fact has one of the wanted values; `words` is the text in the rule."""

    fact: Fact
    wanted: tuple[Matcher, ...]
    words: str

    def evaluate(self, facts: Facts) -> ConditionResult:
        """Return the result for the fact's value; undecided if it is not known."""
        value = facts.get(self.fact.name)
        if value is None:
            return self._evaluate_missing(facts)
        found = f"{self.fact.name} is {format_value(value)}"
        if not is_of_kind(value, self.fact.kind):
            return ConditionResult(None, (f"{found}, which is no {self.fact.kind}",))
        values = enclose_names(str(value)) if self.fact.kind is FactKind.NAMES else [value]
        met = any(_matches(wanted, each) for wanted in self.wanted for each in values)
        return ConditionResult(met, (f"{found} ({self.words})" if met else f"{found}, needs {self.words}",))

    def _evaluate_missing(self, facts: Facts) -> ConditionResult:
        name, without = self.fact.name, self.fact.none_without
        if without is not None and without not in facts and is_stage_reached(self.fact.stage, facts):
            return ConditionResult(False, (f"there is no {name}, needs {self.words}",))
        return ConditionResult(None, (f"{name} is not known for this file (known {self.fact.known})",))


@frozen
class AllOf:
    """Every part is met."""

    parts: tuple["Condition", ...]

    def evaluate(self, facts: Facts) -> ConditionResult:
        """Return the first part that is not met, otherwise the first that is undecided."""
        looks = _evaluate_until(False, self.parts, facts)
        return (
            _first_result(looks, False)
            or _first_result(looks, None)
            or ConditionResult(True, _all_reasons(looks))
        )


@frozen
class AnyOf:
    """At least one part is met."""

    parts: tuple["Condition", ...]

    def evaluate(self, facts: Facts) -> ConditionResult:
        """Return the first part that is met, otherwise the first that is undecided."""
        looks = _evaluate_until(True, self.parts, facts)
        return (
            _first_result(looks, True)
            or _first_result(looks, None)
            or ConditionResult(False, (" and ".join(_all_reasons(looks)),))
        )


@frozen
class Not:
    """The part is not met."""

    part: "Condition"

    def evaluate(self, facts: Facts) -> ConditionResult:
        """Return the opposite result; undecided stays undecided."""
        look = self.part.evaluate(facts)
        if look.met:
            return ConditionResult(False, (f"{' and '.join(look.why)}, which `not` excludes",))
        return ConditionResult(None if look.met is None else True, look.why)


Condition = Comparison | AllOf | AnyOf | Not


def comparisons_in(condition: Condition | None) -> Iterator[Comparison]:
    """Yield every comparison in a condition."""
    match condition:
        case Comparison():
            yield condition
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from comparisons_in(part)
        case Not(part):
            yield from comparisons_in(part)


def is_stage_reached(stage: DecisionStage, facts: Facts) -> bool:
    """True if facts of the stage exist at all: before slicing, a missing fiber says nothing."""
    return stage is DecisionStage.INTAKE or any(name.startswith(BUILD_PREFIX) for name in facts)


def _matches(wanted: Matcher, value: FactValue) -> bool:
    """Text is never compared with a number: the reader and `is_of_kind` prevent it."""
    match wanted, value:
        case Flag(), bool():
            return wanted.matches(value)
        case Glob(), str():
            return wanted.matches(value)
        case Interval(), int() | float():
            return wanted.matches(value)
        case TimeWindow(), str():
            return (minute := parse_minute(value)) is not None and wanted.matches(minute)
        case Weekdays(), str():
            return (day := parse_weekday(value)) is not None and wanted.matches(day)
    return False


def _evaluate_until(settled: bool, parts: tuple[Condition, ...], facts: Facts) -> list[ConditionResult]:
    """Return the results of the parts in order, up to the first that decides the whole."""
    looks: list[ConditionResult] = []
    for part in parts:
        looks.append(part.evaluate(facts))
        if looks[-1].met is settled:
            break
    return looks


def _first_result(looks: list[ConditionResult], met: bool | None) -> ConditionResult | None:
    return next((look for look in looks if look.met is met), None)


def _all_reasons(looks: list[ConditionResult]) -> tuple[str, ...]:
    return tuple(chain.from_iterable(look.why for look in looks))
