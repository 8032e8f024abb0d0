"""Whether one condition surely takes all that another takes: how unreachable rules are found.

The answers err to one side: what is said is certain, silence may mean that it can't be told.
"""

from collections.abc import Iterator
from functools import reduce

from workflow.routing.conditions import AllOf, AnyOf, Condition, FactIs, Flag, Not, Wanted
from workflow.routing.globs import Glob
from workflow.routing.intervals import Interval


def covers(wide: Condition, narrow: Condition) -> bool:
    """Tell whether every file that the narrow condition takes is taken by the wide one."""
    match wide, narrow:
        case _, AnyOf(parts):
            return all(covers(wide, part) for part in parts)
        case AllOf(parts), _:
            return all(covers(part, narrow) for part in parts)
        case Not(outside), Not(inside):
            return covers(inside, outside)
        case FactIs(), FactIs():
            return _facts_cover(wide, narrow)
    return _a_part_covers(wide, narrow)


def _a_part_covers(wide: Condition, narrow: Condition) -> bool:
    """One way to meet the wide one is enough; and so is one of the narrow one's conditions."""
    wides = wide.parts if isinstance(wide, AnyOf) else ()
    narrows = narrow.parts if isinstance(narrow, AllOf) else ()
    return any(covers(part, narrow) for part in wides) or any(covers(wide, part) for part in narrows)


def _facts_cover(wide: FactIs, narrow: FactIs) -> bool:
    each_covered = (any(_wider(one, other) for one in wide.wanted) for other in narrow.wanted)
    return wide.fact == narrow.fact and all(each_covered)


def _wider(one: Wanted, other: Wanted) -> bool:
    match one, other:
        case Interval(), Interval():
            return one.covers(other)
        case Glob(), Glob():
            return one.covers(other)
        case Flag(), Flag():
            return one == other
    return False


def contradiction(condition: Condition) -> str | None:
    """Give the name of a number that can't meet all that is asked of it at once."""
    asked: dict[str, list[Interval]] = {}
    for part in _together(condition):
        if len(part.wanted) == 1 and isinstance(part.wanted[0], Interval):
            asked.setdefault(part.fact.name, []).append(part.wanted[0])
    empty = (name for name, intervals in asked.items() if reduce(Interval.overlap, intervals).is_empty)
    return next(empty, None)


def _together(condition: Condition) -> Iterator[FactIs]:
    """Give the comparisons that all have to hold."""
    match condition:
        case FactIs():
            yield condition
        case AllOf(parts):
            for part in parts:
                yield from _together(part)
