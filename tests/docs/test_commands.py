"""Every documented command does what the documents say, with the output that they show: run from a wheel."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.cloud import simulated
from tests.docs.blocks import ROOT, Block, Command, blocks, commands
from tests.docs.shop import Running, furnish, hold_submission_17, start
from tests.nursery import Nursery

OF_THEIR_OWN = frozenset({"batch", "demo", "run", "simulator"})
"""Commands that start threads and servers run as processes, side by side."""
GOES_ON_UNTIL_STOPPED = {"run": "Watching", "demo": "All samples have ended", "simulator": '{"url"'}
COMMANDS = list({(command.words, command.shown): command for command in commands()}.values())
"""What several pages name is tried once, and once more where its output is shown."""
SLOW = [command for command in COMMANDS if command.verb in OF_THEIR_OWN]
QUICK = [command for command in COMMANDS if command not in SLOW]
ABOUT_A_SUBMISSION = frozenset({"list", "show", "retry", "release", "cancel", "attach"})

_CHANGES_FROM_RUN_TO_RUN = re.compile(
    r"\b[0-9a-f]{8}(-[0-9a-f-]{27})?\b|127\.0\.0\.1:\d+|\S*stlflow-demo-\w+|\S*default\.yaml"
    r"|\d{4}-\d\d-\d\d|\d\d:\d\d:\d\d|^\d+\s+"
)


@pytest.fixture(scope="module")
def cloud_url() -> Iterator[str]:
    with simulated() as cloud:
        yield cloud.url


@pytest.fixture(scope="module", autouse=True)
def processes(
    cloud_url: str, installed: Path, shop_floor: Nursery, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, Running]]:
    """Start at once all commands that take seconds; the quick ones are tried meanwhile."""
    started = {}
    for command in SLOW:
        folder = tmp_path_factory.mktemp("shop")
        started[str(command)] = start(
            command.words, folder, furnish(folder, cloud_url, installed), shop_floor
        )
    yield started
    for running in started.values():
        running.process.kill()
        running.process.wait(60)


@pytest.mark.parametrize("command", QUICK, ids=str)
def test_a_quick_command(
    command: Command, cloud_url: str, installed: Path, shop_floor: Nursery, tmp_path: Path
) -> None:
    assert command.verb, "mark the block with <!-- not executed: REASON -->"
    environment = furnish(tmp_path, cloud_url, installed)
    if command.verb in ABOUT_A_SUBMISSION:
        hold_submission_17(tmp_path)
    running = start(command.words, tmp_path, environment, shop_floor)
    assert running.end(None) == command.exit_code, running.said()
    assert_shown(command.shown, running.results(), running.said())


@pytest.mark.parametrize("command", SLOW, ids=str)
def test_a_command_that_takes_seconds(command: Command, processes: Mapping[str, Running]) -> None:
    running = processes[str(command)]
    name = command.verb
    goes_on = name in GOES_ON_UNTIL_STOPPED and "--once" not in command.words
    code = running.end(GOES_ON_UNTIL_STOPPED[name] if goes_on else None)
    assert code == command.exit_code, running.said()
    assert_shown(command.shown, running.results(), running.said())


def test_every_output_follows_its_command() -> None:
    shown = {str(command.shown) for command in COMMANDS if command.shown is not None}
    astray = [str(block) for block in blocks("json") if not block.reason and str(block) not in shown]
    assert astray == [], "each JSON document follows the command that prints it"


def test_what_is_not_printed_is_noticed() -> None:
    printed = '{"rows": [{"id": 1, "at": "12:00:00"}]}\n3   bracket.stl   held   580b1120'
    assert_shown(an_output("text", "7 bracket.stl … ad9711b5"), "", printed)
    for untrue in ("7 bracket.stl rejected", "bracket.stl held ad9711b5 and more", "… held bracket.stl"):
        with pytest.raises(AssertionError, match="shows what is not printed"):
            assert_shown(an_output("text", untrue), "", printed)
    rows = printed.splitlines()[0]
    assert_shown(an_output("json", '{"rows": [{"id": 9, "at": null}]}'), rows, rows)
    for untrue in ('{"rows": [{"id": 9}]}', '{"rows": [{"id": 9, "at": null, "by": 1}]}', '{"rows": null}'):
        with pytest.raises(AssertionError):
            assert_shown(an_output("json", untrue), rows, rows)


def an_output(language: str, text: str) -> Block:
    return Block(ROOT / "README.md", 1, language, text, reason=None, follows=True)


def assert_shown(shown: Block | None, results: str, said: str) -> None:
    """Check that what is shown is what was printed, but for ids, times and places."""
    if shown is None:
        return
    if shown.language == "json":
        assert shape(json.loads(results)) == shape(json.loads(shown.text)), shown
        return
    lines = [plain(line) for line in said.splitlines()]
    missing = [line for line in shown.text.splitlines() if not any(is_shown_by(line, each) for each in lines)]
    assert missing == [], f"{shown} shows what is not printed:\n{said}"


def shape(value: object) -> object:
    """Return the keys of a JSON document, level by level; of a list those of its first entry."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value and isinstance(value[0], dict) else []
    return None


def plain(line: str) -> str:
    """Leave away what changes from run to run, and how columns are set."""
    return " ".join(_CHANGES_FROM_RUN_TO_RUN.sub("~", line).split())


def is_shown_by(shown: str, printed: str) -> bool:
    """True if a shown line is a printed one; `…` in it stands for what is left out."""
    at = 0
    for piece in map(plain, shown.split("…")):
        at = printed.find(piece, at)
        if at < 0:
            return False
        at += len(piece)
    return True
