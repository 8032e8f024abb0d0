"""Rules that are loaded again while the service runs: a good change is used, a bad one is reported once."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from loguru import logger

from tests.pipeline.conftest import Open, Shop, dispatched, written
from tests.stl import box
from tests.waiting import until
from workflow.errors import Mistake, RulesError, Unreachable
from workflow.ledger import RULES_ERROR_KEY, Ledger
from workflow.pipeline.live_rules import CHECKS_BETWEEN_RETRIES, LiveRules
from workflow.routing import Rulebook, evaluate_rule_tests, load_rules, refuse_failed_tests

GOOD = """\
version: 1
intake: [{name: rest, preset: Onyx}]
routing: [{name: rest, send_to: DESTINATION}]
"""
FIRST, SECOND = GOOD.replace("DESTINATION", "backlog"), GOOD.replace("DESTINATION", "job_request")
BAD = FIRST.replace("preset", "preste")
Make = Callable[..., LiveRules]


def nothing_wrong(_rulebook: Rulebook) -> None:
    """Everything that is named is there."""


@pytest.fixture
def said() -> Iterator[list[str]]:
    lines: list[str] = []
    sink = logger.add(lambda line: lines.append(str(line)), format="{level} {message}", level="INFO")
    yield lines
    logger.remove(sink)


@pytest.fixture
def rules(tmp_path: Path, ledger: Ledger) -> Make:
    def make(check: Callable[[Rulebook], None] = nothing_wrong) -> LiveRules:
        file = written(tmp_path, FIRST)
        return LiveRules(file, load_rules(file), ledger, check)

    return make


def check_twice(rules: LiveRules) -> None:
    rules.check_file()
    rules.check_file()


def destination(rules: LiveRules) -> str:
    return "backlog" if "backlog" in rules.rulebook.text else "job_request"


def test_a_good_change_counts_and_its_text_is_kept(
    rules: Make, tmp_path: Path, ledger: Ledger, said: list[str]
) -> None:
    in_force = rules()
    first = in_force.rulebook.revision
    written(tmp_path, SECOND)
    in_force.check_file()
    assert destination(in_force) == "backlog", "half a file may have been saved: it counts when it stands"
    in_force.check_file()
    assert destination(in_force) == "job_request"
    assert (ledger.decisions.read_rules(first), ledger.decisions.read_rules(in_force.rulebook.revision)) == (
        FIRST,
        SECOND,
    )
    assert said == [f"INFO Rules {in_force.rulebook.revision} are in use from now on. Before: {first}.\n"]


@pytest.mark.parametrize("spoil", [lambda file: written(file.parent, BAD), lambda file: file.unlink()])
def test_a_broken_change_keeps_the_last_good_and_is_said_once(
    rules: Make, tmp_path: Path, ledger: Ledger, said: list[str], spoil: Callable[[Path], object]
) -> None:
    in_force = rules()
    spoil(tmp_path / "rules.yaml")
    for _ in range(5):
        in_force.check_file()
    assert destination(in_force) == "backlog"
    assert in_force.trouble is not None
    assert "Still using the previous rules." in in_force.trouble
    assert len(said) == 1
    assert ledger.metadata.read(RULES_ERROR_KEY) == in_force.trouble
    written(tmp_path, SECOND)
    check_twice(in_force)
    assert destination(in_force) == "job_request"
    assert ledger.metadata.read(RULES_ERROR_KEY) == ""


def test_a_mistake_is_reported_with_its_place(rules: Make, tmp_path: Path) -> None:
    in_force = rules()
    written(tmp_path, BAD)
    check_twice(in_force)
    assert in_force.trouble is not None
    assert in_force.trouble.startswith("The changed rules have 1 mistake. Still using the previous rules.\n")
    assert "rules.yaml:2:23: a rule under `intake` takes no `preste`" in in_force.trouble


def test_a_change_that_is_taken_back_is_no_trouble_any_more(
    rules: Make, tmp_path: Path, said: list[str]
) -> None:
    in_force = rules()
    written(tmp_path, BAD)
    check_twice(in_force)
    written(tmp_path, FIRST)
    check_twice(in_force)
    assert in_force.trouble is None
    assert said[-1] == f"INFO The rules file is as before: revision {in_force.rulebook.revision}.\n"


def test_names_that_eiger_does_not_have_keep_a_change_from_counting(rules: Make, tmp_path: Path) -> None:
    def refuse(rulebook: Rulebook) -> None:
        raise RulesError((Mistake(rulebook.source, 2, 11, "Eiger has no preset `Onyx`"),))

    in_force = rules(refuse)
    written(tmp_path, SECOND)
    check_twice(in_force)
    assert destination(in_force) == "backlog"
    assert "Eiger has no preset `Onyx`" in (in_force.trouble or "")


def test_a_failing_test_in_the_file_keeps_a_change_from_counting(rules: Make, tmp_path: Path) -> None:
    in_force = rules(lambda book: refuse_failed_tests(book, evaluate_rule_tests(book)))
    test = "tests: [{file: {path: x.stl}, build: {}, expect: {send_to: backlog}}]\n"
    written(tmp_path, SECOND + test)
    check_twice(in_force)
    assert destination(in_force) == "backlog"
    assert in_force.trouble is not None
    assert "rules.yaml:4:1: the test 'x.stl' fails: send_to: expected backlog, got job_request" in (
        in_force.trouble
    )
    written(tmp_path, SECOND + test.replace("backlog", "job_request"))
    check_twice(in_force)
    assert destination(in_force) == "job_request"


@pytest.mark.parametrize("runs_tests", [True, False])
def test_the_setting_decides_whether_tests_are_run_at_a_reload(
    open_shop: Open, tmp_path: Path, runs_tests: bool
) -> None:
    rules = written(tmp_path, FIRST)
    context: Shop = open_shop(rules=rules, rules_tests_on_reload=runs_tests)
    stl = tmp_path / "big.stl"
    stl.write_bytes(box(20))
    test = "tests: [{file: {stl: big.stl}, expect: {hold: '*'}}]\n"
    written(tmp_path, SECOND + test)
    live = context.service.rules
    assert until(lambda: live.trouble is not None or live.rulebook.text != FIRST)
    assert (live.rulebook.text == FIRST, "hold: expected *" in (live.trouble or "")) == (runs_tests,) * 2


def test_a_cloud_that_can_not_be_asked_is_asked_again(rules: Make, tmp_path: Path) -> None:
    asked = 0

    def fail_once(_rulebook: Rulebook) -> None:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise Unreachable("no connection", operation="listDevices")

    in_force = rules(fail_once)
    written(tmp_path, SECOND)
    check_twice(in_force)
    assert (destination(in_force), asked) == ("backlog", 1)
    assert in_force.trouble == "The changed rules can't be checked: no connection stlflow tries again."
    for _ in range(CHECKS_BETWEEN_RETRIES + 1):
        in_force.check_file()
    assert destination(in_force) == "job_request"
    assert in_force.trouble is None


def test_a_running_service_takes_a_change_and_each_submission_keeps_its_revision(
    open_shop: Open, tmp_path: Path
) -> None:
    rules = written(tmp_path, FIRST)
    context: Shop = open_shop(rules=rules)
    context.drop("before.stl", box(20))
    before = context.wait("before.stl", dispatched)
    written(tmp_path, SECOND)
    assert until(lambda: context.service.rules.rulebook.text == SECOND)
    context.drop("after.stl", box(21))
    after = context.wait("after.stl", dispatched)
    assert (str(before.destination), str(after.destination)) == ("backlog", "job_request")
    revisions = [
        context.service.ledger.decisions.read(each.id)["routing"].revision for each in (before, after)
    ]
    assert [context.service.ledger.decisions.read_rules(revision) for revision in revisions] == [
        FIRST,
        SECOND,
    ]


def test_a_worker_with_good_rules_hides_no_mistake_of_another(
    rules: Make, tmp_path: Path, ledger: Ledger
) -> None:
    """On a shared database each worker may have a rules file of its own."""
    mistaken = rules()
    written(tmp_path, BAD)
    check_twice(mistaken)
    said = ledger.metadata.read(RULES_ERROR_KEY)
    assert said
    (tmp_path / "other").mkdir()
    file = written(tmp_path / "other", FIRST)
    LiveRules(file, load_rules(file), ledger, nothing_wrong)
    mistaken.check_file()
    assert ledger.metadata.read(RULES_ERROR_KEY) == said
