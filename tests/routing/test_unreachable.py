"""Unreachable rules: what is said to cover covers, for any facts."""

from collections.abc import Sequence
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.routing.test_conditions import CONDITIONS, FACT_VALUES, number, text
from workflow.model import Facts
from workflow.routing.conditions import AllOf, AnyOf, Comparison, Condition, Flag, Not
from workflow.routing.facts import FACTS_BY_NAME
from workflow.routing.globs import Glob
from workflow.routing.matchers import parse_weekdays
from workflow.routing.unreachable import (
    MAX_CANDIDATES,
    ConditionIndex,
    boxes_or_none,
    find_contradiction,
    find_covering_conditions,
)


def covering(above: Sequence[Condition], narrow: Condition) -> tuple[int, ...]:
    """As the reader of rules asks: by the index."""
    index, inside = ConditionIndex(), boxes_or_none(narrow)
    for each in above:
        index.add(boxes_or_none(each))
    if not inside:
        return ()
    found = find_covering_conditions(index.boxes, inside, index.find_candidates(inside))
    assert found == find_covering_conditions(index.boxes, inside, range(len(above)))
    return found


BIG, BIGGER = number("x_mm", "> 5"), number("x_mm", "> 9")
RUSH, METAL = text("path", "rush/**"), text("path", "metal/**")


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        (BIG, BIG),
        (BIG, BIGGER),
        (BIG, AllOf((RUSH, BIGGER))),
        (AnyOf((BIG, RUSH)), BIGGER),
        (AnyOf((BIG, RUSH)), AnyOf((BIGGER, RUSH))),
        (AllOf((BIG, RUSH)), AllOf((RUSH, BIGGER))),
        (Not(BIGGER), Not(BIG)),
    ],
)
def test_covers(wide: Condition, narrow: Condition) -> None:
    assert covering([wide], narrow) == (0,)


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        (BIGGER, BIG),
        (RUSH, METAL),
        (AllOf((BIG, RUSH)), BIGGER),
        (BIG, AnyOf((BIGGER, RUSH))),
        (BIG, Not(RUSH)),
    ],
)
def test_does_not_cover(wide: Condition, narrow: Condition) -> None:
    assert covering([wide], narrow) == ()


@given(above=st.lists(CONDITIONS, min_size=1, max_size=4), narrow=CONDITIONS, facts=FACT_VALUES)
def test_what_is_covered_is_taken(above: list[Condition], narrow: Condition, facts: Facts) -> None:
    places = covering(above, narrow)
    if places and narrow.evaluate(facts).met:
        assert any(above[place].evaluate(facts).met is not False for place in places)


@given(condition=CONDITIONS, facts=FACT_VALUES)
def test_what_contradicts_itself_is_never_met(condition: Condition, facts: Facts) -> None:
    if find_contradiction(condition) is not None:
        assert not condition.evaluate(facts).met


EVERY_FILE: list[Facts] = [
    {"triangles": x, "open_edges": y, "watertight": z, "weekday": day}
    for x, y, z, day in product(range(6), range(6), (True, False), ("mon", "sun"))
]
COUNTS = st.builds(
    lambda name, sign, at: number(name, f"{sign} {at}"),
    st.sampled_from(["triangles", "open_edges"]),
    st.sampled_from(["<", "<=", ">", ">=", "=="]),
    st.integers(1, 4),
)
OTHERS: st.SearchStrategy[Condition] = st.sampled_from(
    [
        Comparison(FACTS_BY_NAME["watertight"], (Flag(True),), "true"),
        Comparison(FACTS_BY_NAME["weekday"], (parse_weekdays("mon..sat"),), "mon..sat"),
        Comparison(FACTS_BY_NAME["weekday"], (parse_weekdays("sun"),), "sun"),
    ]
)
DECIDABLE: st.SearchStrategy[Condition] = st.recursive(
    COUNTS | OTHERS,
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(AllOf, st.lists(inner, min_size=1, max_size=2).map(tuple))
        | st.builds(AnyOf, st.lists(inner, min_size=1, max_size=2).map(tuple))
    ),
    max_leaves=3,
)


@given(above=st.lists(DECIDABLE, min_size=1, max_size=3), narrow=DECIDABLE)
def test_where_it_can_be_decided_it_is(above: list[Condition], narrow: Condition) -> None:
    """Numbers, flags and days are compared to the end: a file that is left over is the only excuse."""
    inside = [facts for facts in EVERY_FILE if narrow.evaluate(facts).met]
    left = [facts for facts in inside if not any(each.evaluate(facts).met for each in above)]
    unreached = bool(covering(above, narrow))
    assert unreached == (bool(inside) and not left)
    assert (find_contradiction(narrow) is not None) == (not inside)


def test_rules_take_it_together_and_only_those_that_take_part_are_named() -> None:
    above = [number("x_mm", "< 5"), text("path", "lab/**"), number("x_mm", "> 9"), number("x_mm", "4..9")]
    assert covering(above, number("x_mm", "3..20")) == (0, 2, 3)
    assert covering(above, number("y_mm", "> 3")) == (0, 2, 3)
    assert covering(above[:3], number("x_mm", "3..20")) == ()


def test_what_may_be_absent_is_not_everything() -> None:
    fiber = Comparison(FACTS_BY_NAME["build.fiber"], (Glob("*"),), "*")
    assert covering([fiber], BIG) == ()
    assert covering([fiber, Not(fiber)], BIG) == (0, 1)


def test_contradictions_are_found_where_all_has_to_hold() -> None:
    apart = (BIGGER, number("x_mm", "< 7"))
    assert find_contradiction(AllOf((RUSH, AllOf(apart)))) == "no `x_mm` meets all of its conditions"
    assert find_contradiction(AllOf((RUSH, METAL))) == "its conditions exclude each other"
    assert find_contradiction(AllOf((RUSH, Not(RUSH)))) == "its conditions exclude each other"
    assert find_contradiction(AnyOf(apart)) is None
    assert find_contradiction(AllOf((BIG, BIGGER))) is None
    assert find_contradiction(BIG) is None


def test_conditions_with_too_many_branches_are_left_alone() -> None:
    branches = AllOf(tuple(AnyOf((number("x_mm", f"> {at}"), number("y_mm", f"> {at}"))) for at in range(9)))
    assert boxes_or_none(branches) is None
    assert covering([BIG], branches) == ()


def test_of_very_many_conditions_the_first_and_the_last_are_compared() -> None:
    index = ConditionIndex()
    for at in range(1000):
        index.add(boxes_or_none(text("path", f"folder {at}/**")))
        index.add(boxes_or_none(number("x_mm", f"> {at}")))
    inside = boxes_or_none(text("path", "Folder 500/rush/**")) or ()
    found = index.find_candidates(inside)
    assert (len(found), found[0], found[-1]) == (MAX_CANDIDATES - 1, 1, 1999)
    assert find_covering_conditions(index.boxes, inside, found) == (1000,)
