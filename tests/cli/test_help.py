"""Help of every command: there, quick, and no command without it."""

import sys
from collections.abc import Iterator

import click
import pytest

from tests.cli.command import Desk
from tests.cli.conftest import Say
from tests.docs.generate import every_command
from workflow.cli.app import stlflow
from workflow.cli.param_types import AnyNumber, OneOf, WholeNumber

CPU_SECONDS = 0.2


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


@pytest.mark.skipif(sys.platform == "win32", reason="no getrusage")
@pytest.mark.parametrize("words", [(), ("run",), ("rules", "explain")], ids=" ".join)
def test_help_is_quick(desk: Desk, words: tuple[str, ...]) -> None:
    import resource

    def spent() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        before = used.ru_utime + used.ru_stime
        assert desk.run(*words, "--help").code == 0
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime - before

    desk.run("--help")  # byte code may have to be written once
    quickest = min(spent() for _ in range(3))
    assert quickest < CPU_SECONDS, f"{quickest:.3f} s of CPU"


def test_an_unknown_command_names_the_nearest(desk: Desk) -> None:
    ended = desk.run("lst")
    assert (ended.code, ended.out) == (2, "")
    assert "No such command 'lst'. Did you mean 'list'?" in ended.err


def test_an_unknown_option_names_the_nearest(desk: Desk) -> None:
    ended = desk.run("list", "--jsn")
    assert (ended.code, ended.out) == (2, "")
    assert "No such option" in ended.err
    assert "--json" in ended.err


def test_the_version_is_told(desk: Desk) -> None:
    assert desk.run("--version").out.startswith("stlflow, version ")
