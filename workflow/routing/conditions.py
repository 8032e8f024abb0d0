"""Conditions: what a rule wants of a fact, and looking whether a file has it.

Every look answers met, not met, or *can't be told* (a fact is not known, or is not what its table
says), and says why in words with the value that was found. `not`, `any` and `all` carry "can't be
told" on only where it matters: `any` is met once one part is, `all` is not met once one part isn't.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from workflow.model import Facts, FactValue
from workflow.routing.facts import BUILD_PREFIX, NUMERIC, TEXTUAL, Fact, Kind, Stage
from workflow.routing.globs import Glob
from workflow.routing.intervals import Interval
from workflow.routing.times import Days, Window, day_of, minute_of


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of one look: `met` is None when it can't be told. `why` has one sentence per condition."""

    met: bool | None
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    wanted: bool

    def takes(self, flag: bool) -> bool:
        """Tell whether the flag is as wanted."""
        return flag is self.wanted


Wanted = Interval | Glob | Flag | Window | Days


@dataclass(frozen=True, slots=True)
class FactIs:
    """One fact is any of what is wanted; `words` is how the rule says it."""

    fact: Fact
    wanted: tuple[Wanted, ...]
    words: str

    def look(self, facts: Facts) -> Looked:
        """Compare the fact's value, if it is known."""
        value = facts.get(self.fact.name)
        if value is None:
            return self._without(facts)
        found = f"{self.fact.name} is {in_words(value)}"
        if not is_of_kind(value, self.fact.kind):
            return Looked(None, (f"{found}, which is no {self.fact.kind}",))
        met = any(_takes(wanted, value) for wanted in self.wanted)
        return Looked(met, (f"{found} ({self.words})" if met else f"{found}, needs {self.words}",))

    def _without(self, facts: Facts) -> Looked:
        name, without = self.fact.name, self.fact.none_without
        if without is not None and without not in facts and is_reached(self.fact.stage, facts):
            return Looked(False, (f"there is no {name}, needs {self.words}",))
        return Looked(None, (f"{name} is not known for this file (known {self.fact.known})",))


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part is met."""

    parts: tuple["Condition", ...]

    def look(self, facts: Facts) -> Looked:
        """Answer with the first part that is not met, else the first that can't be told."""
        looks = _look_until(False, self.parts, facts)
        return _first(looks, False) or _first(looks, None) or Looked(True, _all_whys(looks))


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part is met."""

    parts: tuple["Condition", ...]

    def look(self, facts: Facts) -> Looked:
        """Answer with the first part that is met, else the first that can't be told."""
        looks = _look_until(True, self.parts, facts)
        return _first(looks, True) or _first(looks, None) or Looked(False, (" and ".join(_all_whys(looks)),))


@dataclass(frozen=True, slots=True)
class Not:
    """The part is not met."""

    part: "Condition"

    def look(self, facts: Facts) -> Looked:
        """Turn the answer round."""
        look = self.part.look(facts)
        if look.met:
            return Looked(False, (f"{' and '.join(look.why)}, which `not` excludes",))
        return Looked(None if look.met is None else True, look.why)


Condition = FactIs | AllOf | AnyOf | Not


def facts_of(condition: Condition | None) -> Iterator[FactIs]:
    """Give every comparison in a condition."""
    match condition:
        case FactIs():
            yield condition
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from facts_of(part)
        case Not(part):
            yield from facts_of(part)


def is_reached(stage: Stage, facts: Facts) -> bool:
    """Tell whether facts of the stage are there at all: before slicing, no fiber means nothing."""
    return stage is Stage.INTAKE or any(name.startswith(BUILD_PREFIX) for name in facts)


def in_words(value: FactValue) -> str:
    """Give a value as people read it: `true`, `48,210`, `6.5`, `'rush/x.stl'`."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f"'{value}'"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.3f}".rstrip("0").rstrip(".")


def is_of_kind(value: FactValue, kind: Kind) -> bool:
    """Tell whether a value is of the kind that the table says."""
    if kind in TEXTUAL:
        return isinstance(value, str)
    if kind in {Kind.TIME, Kind.WEEKDAY}:
        read = minute_of if kind is Kind.TIME else day_of
        return isinstance(value, str) and read(value) is not None
    if kind in NUMERIC:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return isinstance(value, bool)


def _takes(wanted: Wanted, value: FactValue) -> bool:
    """Text never meets a number: the reader and `is_of_kind` have seen to it."""
    match wanted, value:
        case Flag(), bool():
            return wanted.takes(value)
        case Glob(), str():
            return wanted.takes(value)
        case Interval(), int() | float():
            return wanted.takes(value)
        case Window(), str():
            return (minute := minute_of(value)) is not None and wanted.takes(minute)
        case Days(), str():
            return (day := day_of(value)) is not None and wanted.takes(day)
    return False


def _look_until(settled: bool, parts: tuple[Condition, ...], facts: Facts) -> list[Looked]:
    """Look at one part after the other; an answer that settles the matter is the last."""
    looks: list[Looked] = []
    for part in parts:
        looks.append(part.look(facts))
        if looks[-1].met is settled:
            break
    return looks


def _first(looks: list[Looked], met: bool | None) -> Looked | None:
    return next((look for look in looks if look.met is met), None)


def _all_whys(looks: list[Looked]) -> tuple[str, ...]:
    return tuple(chain.from_iterable(look.why for look in looks))
