"""Reading TOML for people who never wrote any: which line is wrong, and how to write it."""

import re
import tomllib
from typing import Any

from workflow.errors import SettingsError

_PLACE = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)")
_SETTING = re.compile(r"\s*(?P<name>[\w-]+)\s*(?P<sign>[=:]?)\s*(?P<value>.*?)\s*(?:#.*)?$")
_BACKSLASHED = re.compile(r'^"(?P<path>(?:[A-Za-z]:|\\)[^"\']*\\[^"\']*)"$')


def read_toml(text: str, shown_as: str) -> dict[str, Any]:
    """Give what a text holds. Raises SettingsError with the line, and how to write it if that can be told."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _PLACE.search(str(error))
        reason = _PLACE.sub("", str(error)).rstrip(".")
        number = int(found[1]) if found and found[1] else len(text.splitlines())
        line = text.splitlines()[number - 1] if text else ""
        if "overwrite" in reason:
            words = "this name is set a second time: remove one of the two lines."
        else:
            words = advice(line) or f"this is not TOML ({reason}): write it as NAME = value."
        raise SettingsError(f"{shown_as} line {number}: {words}") from None


def line_of(text: str, name: str) -> tuple[int, str]:
    """Give the line (from 1) on which the value of `name` begins, and its text.

    It is found by reading ever more lines: the first whole text that has the name ends with its value.
    """
    lines, begin = text.splitlines(), 0
    for end in range(1, len(lines) + 1):
        try:
            known = tomllib.loads("\n".join(lines[:end]))
        except tomllib.TOMLDecodeError:
            continue  # within a value of several lines
        if name in known:
            return begin + 1, lines[begin]
        begin = end
    return len(lines), ""


def advice(line: str) -> str:
    """Say how to write a line that is not TOML; empty where nobody can tell."""
    parts = _SETTING.match(line)
    if parts is None:
        return ""
    name, sign, value = parts.groups()
    if not value:
        return f"{name} has no value: write {name} = …, or remove the line."
    if sign == ":":
        return f"between a name and its value stands an equals sign: {name} = …"
    return _advice_on_value(name, value, in_single_quotes(line)) if sign else ""


def _advice_on_value(name: str, value: str, path: str) -> str:
    if value[0] == '"' and "\\" in value:
        written = f": {name} = {path}" if path else "."
        return f"in double quotes a backslash begins a special character; write it in single quotes{written}"
    if value.lower() in {"true", "false", "yes", "no", "on", "off"}:
        return f"write {name} = true or {name} = false, in small letters."
    return f'text stands in quotes: {name} = "…"' if value[0] not in "\"'[{" else ""


def in_single_quotes(line: str) -> str:
    """Give the path of a line in single quotes, if it is a Windows path in double ones; else nothing."""
    parts = _SETTING.match(line)
    path = _BACKSLASHED.match(parts["value"]) if parts else None
    return f"'{path['path']}'" if path else ""
