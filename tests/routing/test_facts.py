"""The table of facts."""

import re

from workflow.routing import FACT_TABLE, DecisionStage, FactKind
from workflow.routing.facts import NUMERIC
from workflow.routing.matchers import parse_number

UNITS = {"mm": "_mm", "cm³": "_cm3", "cm²": "_cm2", "MB": "_mb", "h": "_hours", "USD": "_usd"}


def test_names_are_unique_and_say_their_unit() -> None:
    table = FACT_TABLE
    assert len({fact.name for fact in table}) == len(table)
    for fact in table:
        assert re.fullmatch(r"(build\.)?[a-z][a-z0-9_]*", fact.name)
        assert fact.name.endswith(UNITS.get(fact.unit, ""))


def test_facts_of_a_build_are_known_after_slicing_only() -> None:
    late = {fact.name for fact in FACT_TABLE if fact.stage is DecisionStage.ROUTING}
    assert {name for name in late if not name.startswith("build.")} == {"preset"}
    assert not any(
        fact.name.startswith("build.") for fact in FACT_TABLE if fact.stage is DecisionStage.INTAKE
    )


def test_every_fact_has_its_story() -> None:
    for fact in FACT_TABLE:
        assert fact.known
        assert fact.source
        assert (parse_number(fact.example) is not None) == (fact.kind in NUMERIC)
        assert (fact.example in {"true", "false"}) == (fact.kind is FactKind.FLAG)


def test_absence_means_none_only_beside_a_fact_that_exists() -> None:
    names = {fact.name for fact in FACT_TABLE}
    assert {fact.none_without for fact in FACT_TABLE} <= names | {None}
