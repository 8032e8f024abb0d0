"""The sources of settings: every value with its place, and messages for wrong TOML."""

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from enum import Enum
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar

from dotenv import dotenv_values
from dotenv.parser import Binding, parse_stream

from workflow.errors import SettingsError, error_reason
from workflow.frozen import frozen
from workflow.settings.model import ENV_PREFIX, Settings
from workflow.settings.notices import NOTICES, VARIABLE_PREFIX
from workflow.settings.secrets import SECRETS_FOLDER_VARIABLE, read_keyring, secrets_folder

_ERROR_POSITION = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)")
_SETTING_LINE = re.compile(r"\s*(?P<name>[\w-]+)\s*(?P<sign>[=:]?)\s*(?P<value>.*?)\s*(?:#.*)?$")
_WINDOWS_PATH = re.compile(r'^"(?P<path>(?:[A-Za-z]:|\\)[^"\']*\\[^"\']*)"$')


def parse_toml(text: str, shown_as: str) -> dict[str, Any]:
    """Return the values of a TOML text. Raises SettingsError with the line and advice."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _ERROR_POSITION.search(str(error))
        reason = _ERROR_POSITION.sub("", str(error)).rstrip(".")
        number = int(found[1]) if found and found[1] else len(text.splitlines())
        line = text.splitlines()[number - 1] if text else ""
        if "overwrite" in reason:
            words = "this name is set a second time: remove one of the two lines."
        else:
            words = toml_line_advice(line) or f"this is not TOML ({reason}): write it as NAME = value."
        raise SettingsError(f"{shown_as} line {number}: {words}") from None


def find_setting_line(text: str, name: str) -> tuple[int, str]:
    """Return the line (from 1) on which the value of `name` begins, and its text.

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


def toml_line_advice(line: str) -> str:
    """Return how to write a line that is not TOML; empty if that is unknown."""
    parts = _SETTING_LINE.match(line)
    if parts is None:
        return ""
    name, sign, value = parts.groups()
    if not value:
        return f"{name} has no value: write {name} = …, or remove the line."
    if sign == ":":
        return f"write an equals sign between a name and its value: {name} = …"
    return _toml_value_advice(name, value, single_quoted_path(line)) if sign else ""


def _toml_value_advice(name: str, value: str, path: str) -> str:
    if value[0] == '"' and "\\" in value:
        written = f": {name} = {path}" if path else "."
        return f"in double quotes a backslash begins a special character; write it in single quotes{written}"
    if value.lower() in {"true", "false", "yes", "no", "on", "off"}:
        return f"write {name} = true or {name} = false, in small letters."
    return f'write text in quotes: {name} = "…"' if value[0] not in "\"'[{" else ""


def single_quoted_path(line: str) -> str:
    """Return the path of a line in single quotes, if it is a Windows path in double ones; empty otherwise."""
    parts = _SETTING_LINE.match(line)
    path = _WINDOWS_PATH.match(parts["value"]) if parts else None
    return f"'{path['path']}'" if path else ""


SETTINGS_FILE = Path("stlflow.toml")
SETTINGS_FILE_VARIABLE = "STLFLOW_CONFIG"
"""Names another settings file; `stlflow --config FILE` sets it."""
ENV_FILE = Path(".env")
UNPREFIXED_NAMES: Mapping[str, str] = {"ACCESS_KEY": "access_key", "SECRET_KEY": "secret_key"}
"""The names in the vendor's sample script."""
ENV_FILE_NAMES: Mapping[str, str] = {"HTTPS_PROXY": "proxy", "REQUESTS_CA_BUNDLE": "ca_bundle"}
"""Names of the network that other programs use, too: in `.env` they are meant for stlflow."""
KEYRING_NAMES = tuple(f"{ENV_PREFIX}{name}" for name in ("ACCESS_KEY", "SECRET_KEY", "DATABASE_URL", "PROXY"))

Value = TypeVar("Value")


class Source(Enum):
    """Where values come from; the first one wins."""

    COMMAND_LINE = "the command line"
    ENVIRONMENT = "the environment"
    ENV_FILE = str(ENV_FILE)
    TOML = str(SETTINGS_FILE)
    SECRET_FILE = "the secret file"  # noqa: S105  # no secret
    KEYRING = "the keyring"


@frozen
class SourceValue:
    """One value in one source.

    `name` is as written there, `setting` the one that it is for, None for none. `line` (from 1) and
    `text` of that line, where it is one of a file.
    """

    source: Source
    name: str
    setting: str | None
    value: object
    line: int | None = None
    text: str = ""
    file: str = ""
    """The name of the settings file, where it is another than usual."""

    @property
    def place(self) -> str:
        """Return the place in words."""
        if self.source is Source.SECRET_FILE:
            return f"{self.source.value} {self.name}"
        file = self.file or self.source.value
        return file if self.line is None else f"{file} line {self.line}"


def settings_file() -> Path:
    """Return the settings file that is read: the one that `--config` names, or stlflow.toml here."""
    named = os.environ.get(SETTINGS_FILE_VARIABLE)
    return Path(named) if named else SETTINGS_FILE


def read_all_sources() -> list[SourceValue]:
    """Return all values, the strongest source first. Raises SettingsError if a source can't be read."""
    given = [*_read_environment(), *_read_env_file(), *_read_settings_toml(), *_read_secret_files()]
    wanted = next((str(each.value).lower() for each in given if each.setting == "keyring"), "false")
    return [*given, *_read_keyring(given)] if wanted == "true" else given


def _read_environment() -> list[SourceValue]:
    return [
        SourceValue(Source.ENVIRONMENT, name, setting_for_variable(name), value)
        for name, value in _prefixed_first(os.environ)
        if _may_be_ours(name)
    ]


def _read_env_file() -> list[SourceValue]:
    text = _read_text_file(ENV_FILE)
    lines = {each.key: _statement_line(each) for each in parse_stream(StringIO(text)) if each.key}
    _refuse_broken_lines(text)
    values = dotenv_values(stream=StringIO(text)) if text else {}
    return [
        SourceValue(Source.ENV_FILE, name, setting, value or "", lines[name])
        for name, value in _prefixed_first(values)
        for setting in (setting_for_variable(name) or ENV_FILE_NAMES.get(name.upper()),)
    ]


def _refuse_broken_lines(text: str) -> None:
    """Raise SettingsError for a broken line with a name of ours: the parser would skip it."""
    starts = (ENV_PREFIX, *(name[:6] for name in UNPREFIXED_NAMES))
    for each in parse_stream(StringIO(text)):
        words = each.original.string.upper()
        if each.error and any(start in words for start in starts):
            raise SettingsError(f"{ENV_FILE} line {_statement_line(each)}: write it as NAME=value.")


def _statement_line(statement: Binding) -> int:
    """Return the line on which a statement itself begins: blank lines before it are part of what was read."""
    read = statement.original.string
    return statement.original.line + read[: len(read) - len(read.lstrip())].count("\n")


def _read_settings_toml() -> list[SourceValue]:
    file = settings_file()
    if file != SETTINGS_FILE and not file.is_file():
        raise SettingsError(
            f"There is no settings file {file}. Correct {SETTINGS_FILE_VARIABLE} or --config."
        )
    text = _read_text_file(file)
    return [
        SourceValue(
            Source.TOML,
            name,
            name if name in Settings.model_fields or name == NOTICES else None,
            value,
            *find_setting_line(text, name),
            file=str(file),
        )
        for name, value in parse_toml(text, str(file)).items()
    ]


def _read_secret_files() -> list[SourceValue]:
    folder = secrets_folder()
    if folder is None:
        return []
    try:
        files = {place.name: place for place in sorted(folder.iterdir()) if setting_for_variable(place.name)}
    except OSError as error:
        raise SettingsError(
            f"{SECRETS_FOLDER_VARIABLE} names a folder of secret files that can't be read "
            f"({error_reason(error)}): name another one, or unset it."
        ) from None
    return [
        SourceValue(Source.SECRET_FILE, name, setting_for_variable(name), _read_text_file(file).strip())
        for name, file in _prefixed_first(files)
    ]


def _read_keyring(given: Sequence[SourceValue]) -> list[SourceValue]:
    """Return the secrets of the keyring that no other source has."""
    known = {each.setting for each in given if each.value}
    missing = {name: setting_for_variable(name) for name in KEYRING_NAMES}
    found = {name: read_keyring(name) for name, setting in missing.items() if setting not in known}
    return [SourceValue(Source.KEYRING, name, missing[name], value) for name, value in found.items() if value]


def setting_for_variable(variable: str) -> str | None:
    """Return the setting that a variable is for, in capitals or not; None for none."""
    name = variable.upper()
    if name.startswith(VARIABLE_PREFIX):
        return NOTICES
    plain = UNPREFIXED_NAMES.get(name) or (
        name.removeprefix(ENV_PREFIX).lower() if name.startswith(ENV_PREFIX) else ""
    )
    return plain if plain in Settings.model_fields else None


def _prefixed_first(values: Mapping[str, Value]) -> list[tuple[str, Value]]:
    return sorted(values.items(), key=lambda item: not item[0].upper().startswith(ENV_PREFIX))


def _may_be_ours(name: str) -> bool:
    """True if a variable may be meant for stlflow: most are for other programs."""
    upper = name.upper()
    return upper != SETTINGS_FILE_VARIABLE and (upper in UNPREFIXED_NAMES or upper.startswith(ENV_PREFIX[:2]))


def _read_text_file(file: Path) -> str:
    """Return the text of a file, with or without a byte order mark; empty if there is no file."""
    try:
        return file.read_text("utf-8-sig") if file.is_file() else ""
    except UnicodeDecodeError:
        raise SettingsError(f"{file} is not in UTF-8: save it as UTF-8 in your editor.") from None
    except OSError as error:
        raise SettingsError(f"{file} can't be read: {error_reason(error)}.") from None
