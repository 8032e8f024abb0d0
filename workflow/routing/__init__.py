"""The rule language: facts in, decisions out, each with its reason; pure but for the loader."""

from workflow.routing.conditions import is_of_kind
from workflow.routing.decide import decide_intake, decide_route
from workflow.routing.explain import Explanation, OpenRule, explain, explain_intake, explain_routing
from workflow.routing.facts import Fact, Kind, Stage, fact_table
from workflow.routing.globs import fold
from workflow.routing.loader import load_rules, parse_rules, read_rules, revision_of
from workflow.routing.names import check_names
from workflow.routing.rulebook import Choose, IntakeRule, RoutingRule, Rulebook, RuleTest
from workflow.routing.schema import json_schema
from workflow.routing.trials import TestOutcome, run_tests

__all__ = [
    "Choose",
    "Explanation",
    "Fact",
    "IntakeRule",
    "Kind",
    "OpenRule",
    "RoutingRule",
    "RuleTest",
    "Rulebook",
    "Stage",
    "TestOutcome",
    "check_names",
    "decide_intake",
    "decide_route",
    "explain",
    "explain_intake",
    "explain_routing",
    "fact_table",
    "fold",
    "is_of_kind",
    "json_schema",
    "load_rules",
    "parse_rules",
    "read_rules",
    "revision_of",
    "run_tests",
]
