"""Unreachable rules: what is said to cover covers, for any facts."""

import pytest
from hypothesis import given, settings

from tests.routing.test_conditions import CONDITIONS, FACT_VALUES, number, text
from workflow.model import Facts
from workflow.routing.conditions import AllOf, AnyOf, Condition, Not
from workflow.routing.reach import contradiction, covers

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
    assert covers(wide, narrow)


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
    assert not covers(wide, narrow)


@settings(max_examples=150)
@given(wide=CONDITIONS, narrow=CONDITIONS, facts=FACT_VALUES)
def test_what_is_covered_is_taken(wide: Condition, narrow: Condition, facts: Facts) -> None:
    if covers(wide, narrow) and narrow.look(facts).met:
        assert wide.look(facts).met


def test_contradictions_are_found_where_all_has_to_hold() -> None:
    apart = (BIGGER, number("x_mm", "< 7"))
    assert contradiction(AllOf((RUSH, AllOf(apart)))) == "x_mm"
    assert contradiction(AnyOf(apart)) is None
    assert contradiction(AllOf((BIG, BIGGER))) is None
    assert contradiction(BIG) is None
