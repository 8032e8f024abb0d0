"""The rule language: facts in, decisions out, each with its reason; pure but for the loader."""

from workflow.routing.build_volumes import (
    BuildVolume,
    describe_fit,
    fit_facts,
    fits_all_mm,
    load_build_volumes,
)
from workflow.routing.cloud_names import (
    check_cloud_names,
    doubt_unknown_names,
    find_unlisted_types,
    is_material_name,
    names_by_kind,
    with_build_volumes,
)
from workflow.routing.evaluate import decide_intake, decide_route
from workflow.routing.explain import Explanation, OpenRule, explain, explain_intake, explain_routing
from workflow.routing.fact_values import is_of_kind, parse_fact_value
from workflow.routing.facts import FACT_TABLE, SECONDS_PER_HOUR, DecisionStage, FactKind
from workflow.routing.globs import casefold_nfc
from workflow.routing.load import load_rules, parse_rules, read_rules_text, revision_of
from workflow.routing.matchers import TimeWindow, format_window
from workflow.routing.rule_tests import MeasureStl, RuleTestResult, evaluate_rule_tests, refuse_failed_tests
from workflow.routing.rulebook import MAX_COPIES, IntakeRule, RoutingRule, Rulebook, SelectionPolicy
