"""Scripts of the first release go on: every command, option, setting, JSON key and exit code is as it was.

More may come. What is renamed, removed or has another default is listed in `surface.json` under `changed`,
with the reason and the alias that still works; the changelog says the same.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import Desk
from tests.cli.conftest import Say
from tests.cli.surface import commands, key_paths, settings, used

BEFORE: dict[str, Any] = json.loads(Path(__file__).with_name("surface.json").read_text("utf-8"))
CHANGED: dict[str, str] = BEFORE["changed"]


def test_every_command_and_option_is_still_there() -> None:
    assert _missing_words("commands", commands()) == []


def test_every_setting_is_still_there_with_its_default() -> None:
    now = settings()
    other = {
        f"settings: {name}": (default, now.get(name, "no such setting"))
        for name, default in BEFORE["settings"].items()
        if name not in now or now[name] != default
    }
    assert {place: pair for place, pair in other.items() if place not in CHANGED} == {}


def test_every_json_key_and_exit_code_is_as_before(
    desk: Desk, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in desk.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(desk.folder)
    keys, codes = used(desk, say)
    assert _missing_words("json", keys) == []
    other = {
        f"exit_codes: {typed}": (code, codes[typed])
        for typed, code in BEFORE["exit_codes"].items()
        if codes[typed] != code
    }
    assert {place: pair for place, pair in other.items() if place not in CHANGED} == {}


def test_a_key_that_is_gone_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    then = " ".join(key_paths([{"id": 1, "mesh": {"size_mm": [1, 2, 3]}}]))
    monkeypatch.setitem(BEFORE, "json", {"list": then})
    now = " ".join(key_paths([{"id": 1, "mesh": {"size": [1, 2, 3]}, "new": None}]))
    assert _missing_words("json", {"list": now}) == ["json: list: [].mesh.size_mm"]


def _missing_words(part: str, now: dict[str, str]) -> list[str]:
    """Return the words that were in a part of the surface and are gone, except those listed as changed."""
    then: dict[str, str] = BEFORE[part]
    gone = [
        f"{part}: {name}: {word}"
        for name, words in then.items()
        for word in (words.split() if name in now else ["all of it"])
        if word not in now.get(name, "").split()
    ]
    return [place for place in gone if place not in CHANGED]
