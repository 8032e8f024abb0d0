"""Every command that is named within a sentence or a table exists, with its options."""

import re
import shlex
from collections.abc import Iterator
from typing import NamedTuple

import click
import pytest

from tests.docs.blocks import DOCUMENTS, ROOT
from workflow.cli.app import stlflow

_NAMED = re.compile(r"(?<!`)`(stlflow [^`]+)`(?!`)")
_FENCES = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


class Named(NamedTuple):
    """A command in a document."""

    place: str
    text: str


def named() -> Iterator[Named]:
    for document in DOCUMENTS:
        if document.name == "cli.md":
            continue
        text = _FENCES.sub("", document.read_text("utf-8"))
        for found in _NAMED.finditer(text):
            yield Named(f"{document.relative_to(ROOT)}", " ".join(found[1].split()))


def refusal(text: str) -> str | None:
    """Return what is wrong with a command; None if it exists with its options."""
    words = shlex.split(text.replace("…", ""))[1:]
    command: click.Command = stlflow
    while words and isinstance(command, click.Group) and not words[0].startswith("-"):
        name = words.pop(0)
        found = command.get_command(click.Context(command), name)
        if found is None:
            return f"there is no command {name}"
        command = found
    known = {option for parameter in command.params for option in parameter.opts} | {"--help", "--version"}
    unknown = [word for word in words if word.startswith("--") and word.split("=")[0] not in known]
    return f"there is no option {unknown[0]}" if unknown else None


@pytest.mark.parametrize(
    "command", sorted(set(named())), ids=lambda command: f"{command.place} {command.text}"
)
def test_a_named_command_exists(command: Named) -> None:
    assert refusal(command.text) is None


def test_what_does_not_exist_is_noticed() -> None:
    assert refusal("stlflow rules explane x.stl") == "there is no command explane"
    assert refusal("stlflow batch --dry") == "there is no option --dry"
    assert refusal("stlflow settle 17 --sent ID") is None
