"""The rules' page: how often each rule decides, whether the tests pass, and the rules that are in use."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from workflow.assembly import make_inspector, rules_file
from workflow.console.console import Console
from workflow.errors import RulesError
from workflow.frozen import frozen
from workflow.ledger import RULES_ERROR_KEY
from workflow.pipeline.check_rules import evaluate_tests_with_files
from workflow.pipeline.context import now
from workflow.routing import (
    IntakeRule,
    RoutingRule,
    Rulebook,
    RuleTestResult,
    evaluate_rule_tests,
    load_rules,
)
from workflow.routing.rulebook import HoldAction, RejectAction, SendAction, UploadAction

MATCH_DAYS = 30


@frozen
class RuleRow:
    """One rule, in the order in which they are tried."""

    stage: str
    name: str
    does: str
    matches: int
    last_at: datetime | None


@frozen
class TestRow:
    """One test of the rules file, and what was not as expected."""

    __test__ = False  # pytest would collect it by its name

    name: str
    line: int
    passed: bool
    differences: tuple[str, ...]


@frozen
class RulesPage:
    """The rules in the file. `mistakes` are why it can't be read, `refused` why a change is not loaded."""

    file: str
    revision: str
    rules: tuple[RuleRow, ...]
    tests: tuple[TestRow, ...]
    mistakes: tuple[str, ...]
    refused: str
    text: str


def rules_page(console: Console) -> RulesPage:
    """Return the rules in the file, with their matches and tests. Raises StateFolderError."""
    file, refused = rules_file(console.settings), console.ledger.metadata.read(RULES_ERROR_KEY) or ""
    try:
        rulebook = load_rules(file)
    except RulesError as error:
        mistakes = tuple(str(mistake) for mistake in error.mistakes)
        return RulesPage(str(file), "", (), (), mistakes, refused, "")
    rows = tuple(_rule_rows(console, rulebook))
    return RulesPage(
        str(file), rulebook.revision, rows, run_tests(console, rulebook), (), refused, rulebook.text
    )


def _rule_rows(console: Console, rulebook: Rulebook) -> Iterator[RuleRow]:
    matches = console.ledger.rule_matches.count(now() - timedelta(days=MATCH_DAYS))
    stages: tuple[tuple[str, Sequence[IntakeRule | RoutingRule]], ...] = (
        ("intake", rulebook.intake),
        ("routing", rulebook.routing),
    )
    for stage, rules in stages:
        for rule in rules:
            found = matches.get((stage, rule.name))
            count, last = (0, None) if found is None else (found.recent, found.last_at)
            yield RuleRow(stage, rule.name, describe_action(rule), count, last)


def describe_action(rule: IntakeRule | RoutingRule) -> str:
    """Return what a rule does as one phrase."""
    match rule.action:
        case UploadAction(preset):
            return f"upload with preset {preset}"
        case RejectAction(reason):
            return f"reject: {reason}"
        case HoldAction(reason):
            return f"hold: {reason}"
        case SendAction(destination, otherwise=otherwise):
            return f"send to {destination}" + (f", otherwise {otherwise}" if otherwise else "")


def run_tests(console: Console, rulebook: Rulebook) -> tuple[TestRow, ...]:
    """Return the results of the tests, which are kept: those with STL files take a moment."""
    kept = console.rule_tests.get(rulebook.revision)
    if kept is None:
        console.rule_tests.clear()
        kept = console.rule_tests[rulebook.revision] = _evaluate(console, rulebook)
    return tuple(TestRow(each.name, each.line, each.passed, (*each.differences, *each.why)) for each in kept)


def _evaluate(console: Console, rulebook: Rulebook) -> tuple[RuleTestResult, ...]:
    if all(test.stl is None for test in rulebook.tests):
        return evaluate_rule_tests(rulebook)
    with make_inspector(console.settings) as inspector:
        return evaluate_tests_with_files(rulebook, inspector)
