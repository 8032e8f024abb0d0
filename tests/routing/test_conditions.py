"""Looking at facts: met, not met, or can't be told; and why, in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.model import Facts, FactValue
from workflow.routing.conditions import (
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Flag,
    Not,
    comparisons_in,
)
from workflow.routing.fact_values import format_value
from workflow.routing.facts import FACTS_BY_NAME
from workflow.routing.globs import Glob
from workflow.routing.matchers import parse_interval


def number(name: str, words: str) -> Comparison:
    return Comparison(FACTS_BY_NAME[name], (parse_interval(words),), words)


def text(name: str, pattern: str) -> Comparison:
    return Comparison(FACTS_BY_NAME[name], (Glob(pattern, by_folder=name in {"path", "folder"}),), pattern)


CLOSED = Comparison(FACTS_BY_NAME["watertight"], (Flag(True),), "true")


@pytest.mark.parametrize(
    ("condition", "facts", "met", "why"),
    [
        (number("longest_mm", "> 525"), {"longest_mm": 80.0}, False, "longest_mm is 80, needs > 525"),
        (number("longest_mm", "> 525"), {"longest_mm": 612.25}, True, "longest_mm is 612.25 (> 525)"),
        (number("triangles", "> 5"), {"triangles": 1200000}, True, "triangles is 1,200,000 (> 5)"),
        (text("path", "rush/**"), {"path": "a.stl"}, False, "path is 'a.stl', needs rush/**"),
        (CLOSED, {"watertight": False}, False, "watertight is false, needs true"),
        (
            number("volume_cm3", "> 5"),
            {},
            None,
            "volume_cm3 is not known for this file (known when the mesh is closed)",
        ),
        (
            number("longest_mm", "> 5"),
            {"longest_mm": "long"},
            None,
            "longest_mm is 'long', which is no number",
        ),
        (
            number("longest_mm", "> 5"),
            {"longest_mm": float("nan")},
            None,
            "longest_mm is nan, which is no number",
        ),
        (number("longest_mm", "> 5"), {"longest_mm": True}, None, "longest_mm is true, which is no number"),
        (CLOSED, {"watertight": 1}, None, "watertight is 1, which is no true/false"),
        (
            Not(text("path", "a/**")),
            {"path": "a/b.stl"},
            False,
            "path is 'a/b.stl' (a/**), which `not` excludes",
        ),
        (Not(CLOSED), {}, None, "watertight is not known for this file (known when the mesh was measured)"),
    ],
)
def test_a_look_says_why(condition: Condition, facts: Facts, met: bool | None, why: str) -> None:
    look = condition.evaluate(facts)
    assert (look.met, look.why) == (met, (why,))


def test_any_of_several_values_is_enough() -> None:
    either = Comparison(FACTS_BY_NAME["name"], (Glob("a*"), Glob("b*")), "a* or b*")
    assert either.evaluate({"name": "box.stl"}).met
    assert either.evaluate({"name": "cup.stl"}).why == ("name is 'cup.stl', needs a* or b*",)


def test_all_says_every_fact_that_decided_and_any_every_one_that_failed() -> None:
    parts = (number("x_mm", "> 1"), number("y_mm", "> 1"))
    facts = {"x_mm": 2.0, "y_mm": 3.0}
    assert AllOf(parts).evaluate(facts).why == ("x_mm is 2 (> 1)", "y_mm is 3 (> 1)")
    none = AnyOf(parts).evaluate({"x_mm": 0.5, "y_mm": 0.25})
    assert none.why == ("x_mm is 0.5, needs > 1 and y_mm is 0.25, needs > 1",)


def test_what_is_not_known_matters_only_where_it_decides() -> None:
    known, unknown = number("x_mm", "> 1"), number("volume_cm3", "> 1")
    met, not_met = {"x_mm": 2.0}, {"x_mm": 0.5}
    assert AllOf((unknown, known)).evaluate(not_met).met is False
    assert AllOf((known, unknown)).evaluate(met).met is None
    assert AnyOf((unknown, known)).evaluate(met).met is True
    assert AnyOf((known, unknown)).evaluate(not_met).met is None


def test_no_fiber_is_an_answer_once_the_build_is_known() -> None:
    fiber = text("build.fiber", "*")
    sliced = {"build.material": "Onyx"}
    assert fiber.evaluate(sliced).why == ("there is no build.fiber, needs *",)
    assert Not(fiber).evaluate(sliced).met is True
    assert number("build.fiber_cm3", "> 1").evaluate(sliced).met is False
    assert number("build.fiber_cm3", "> 1").evaluate({**sliced, "build.fiber": "Kevlar"}).met is None
    assert fiber.evaluate({"path": "a.stl"}).met is None


def test_the_comparisons_of_a_condition() -> None:
    nested = AnyOf((Not(CLOSED), AllOf((number("x_mm", "> 1"), text("path", "*")))))
    assert [each.fact.name for each in comparisons_in(nested)] == ["watertight", "x_mm", "path"]
    assert list(comparisons_in(None)) == []


@pytest.mark.parametrize(
    ("value", "words"),
    [(True, "true"), (5, "5"), (5.0, "5"), (0.1 + 0.2, "0.3"), (48210, "48,210"), ("a", "'a'")],
)
def test_values_in_words(value: FactValue, words: str) -> None:
    assert format_value(value) == words


LEAVES = st.sampled_from([number("x_mm", "> 1"), number("volume_cm3", "< 2"), CLOSED, text("path", "a/*")])
CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    LEAVES,
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(AllOf, st.lists(inner, min_size=1, max_size=3).map(tuple))
        | st.builds(AnyOf, st.lists(inner, min_size=1, max_size=3).map(tuple))
    ),
    max_leaves=6,
)
FACT_VALUES: st.SearchStrategy[Facts] = st.fixed_dictionaries(
    {},
    optional={
        "x_mm": st.sampled_from([0.0, 2.0]),
        "volume_cm3": st.sampled_from([1.0, 3.0]),
        "watertight": st.booleans(),
        "path": st.sampled_from(["a/b", "c"]),
    },
)


@given(condition=CONDITIONS, facts=FACT_VALUES, more=FACT_VALUES)
def test_learning_more_never_changes_an_answer(condition: Condition, facts: Facts, more: Facts) -> None:
    look = condition.evaluate(facts)
    assert look.why
    if look.met is not None:
        assert condition.evaluate({**more, **facts}).met is look.met


@given(parts=st.lists(CONDITIONS, min_size=1, max_size=3).map(tuple), facts=FACT_VALUES)
def test_not_any_is_all_not(parts: tuple[Condition, ...], facts: Facts) -> None:
    assert Not(AnyOf(parts)).evaluate(facts).met is AllOf(tuple(map(Not, parts))).evaluate(facts).met
