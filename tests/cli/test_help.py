"""Help of every command: there, quick, and no command without it."""

import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from tests.cli.command import Desk
from tests.cli.conftest import Say
from tests.docs.generate import every_command
from workflow.cli.app import stlflow
from workflow.cli.param_types import AnyNumber, OneOf, WholeNumber

SLOW_TO_LOAD = {
    "loguru", "numpy", "pydantic", "requests", "rich", "ruamel", "sqlalchemy", "starlette", "uvicorn",
}  # fmt: skip


def commands(group: click.Group, *before: str) -> Iterator[tuple[str, ...]]:
    for name in group.list_commands(click.Context(group)):
        command = group.commands[name]
        yield (*before, name)
        if isinstance(command, click.Group):
            yield from commands(command, *before, name)


@pytest.mark.parametrize("words", [(), *commands(stlflow)], ids=" ".join)
def test_every_command_has_help(say: Say, words: tuple[str, ...]) -> None:
    shown = say(*words, "--help")
    assert (shown.code, shown.err) == (0, "")
    assert "Usage:" in shown.out
    command: click.Command = stlflow
    for word in words:
        assert isinstance(command, click.Group)
        command = command.commands[word]
    assert command.help
    assert command.help.split(".")[0].split()[0] in shown.out


@pytest.mark.parametrize("words", [(), *commands(stlflow)], ids=" ".join)
def test_nothing_is_cut_off_at_80_columns(
    say: Say, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = say(*words, "--help").out.splitlines()
    assert [line for line in lines if line.rstrip().endswith("...") and not line.startswith("Usage:")] == []
    assert [line for line in lines if len(line) > 80] == []


def test_whatever_is_typed_wrong_is_answered_in_our_words() -> None:
    in_clicks_words = [
        f"{context.command_path} {parameter.opts[0]}"
        for context in every_command()
        for parameter in context.command.params
        if isinstance(parameter.type, click.Choice | click.IntRange | click.FloatRange)
        and not isinstance(parameter.type, OneOf | WholeNumber | AnyNumber)
    ]
    assert in_clicks_words == []


@pytest.mark.parametrize("words", [(), ("run",), ("rules", "explain")], ids=" ".join)
def test_help_is_quick_because_it_loads_nothing_that_is_slow(words: tuple[str, ...]) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "workflow", *words, "--help"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in told.splitlines()}
    assert loaded & SLOW_TO_LOAD == set()
    assert "click" in loaded
    assert ("workflow.cli.batch" in told) == (words != ("run",)), "the service keeps no other command"


def test_an_unknown_command_names_the_nearest(desk: Desk) -> None:
    ended = desk.run("lst")
    assert (ended.code, ended.out) == (2, "")
    assert "No such command 'lst'. Did you mean 'list'?" in ended.err


def test_an_unknown_option_names_the_nearest(desk: Desk) -> None:
    ended = desk.run("list", "--jsn")
    assert (ended.code, ended.out) == (2, "")
    assert "No such option" in ended.err
    assert "--json" in ended.err


def test_the_version_is_reported(desk: Desk) -> None:
    assert desk.run("--version").out.startswith("stlflow, version ")
