"""What stands where: every value in every source, under the name that it has there."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from io import StringIO
from pathlib import Path
from typing import TypeVar

from dotenv import dotenv_values
from dotenv.parser import Binding, parse_stream

from workflow.errors import SettingsError
from workflow.settings.model import PREFIX, Settings
from workflow.settings.toml import line_of, read_toml

SETTINGS_FILE = Path("stlflow.toml")
ENV_FILE = Path(".env")
BARE_NAMES: Mapping[str, str] = {"ACCESS_KEY": "access_key", "SECRET_KEY": "secret_key"}
"""The names in the vendor's sample script."""
SECRETS_FOLDER = "CREDENTIALS_DIRECTORY"
"""Set by systemd for `LoadCredential=` (systemd.exec(5)), and by hand in containers."""

Value = TypeVar("Value")


class Source(Enum):
    """Where values come from, the first one counts."""

    COMMAND_LINE = "the command line"
    ENVIRONMENT = "the environment"
    ENV_FILE = str(ENV_FILE)
    TOML = str(SETTINGS_FILE)
    SECRET_FILE = "the secret file"  # noqa: S105  # no secret


@dataclass(frozen=True, slots=True)
class Given:
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

    @property
    def place(self) -> str:
        """Where it stands, in words."""
        if self.source is Source.SECRET_FILE:
            return f"{self.source.value} {self.name}"
        return self.source.value if self.line is None else f"{self.source.value} line {self.line}"


def everything_given() -> list[Given]:
    """Read all sources, the one that counts most first. Raises SettingsError for one that can't be read."""
    return [*_from_environment(), *_from_env_file(), *_from_toml(), *_from_secret_files()]


def _from_environment() -> list[Given]:
    return [
        Given(Source.ENVIRONMENT, name, setting_of(name), value)
        for name, value in _prefixed_first(os.environ)
        if _may_be_ours(name)
    ]


def _from_env_file() -> list[Given]:
    text = _text_of(ENV_FILE)
    lines = {each.key: _line_of(each) for each in parse_stream(StringIO(text)) if each.key}
    _refuse_broken_lines(text)
    values = dotenv_values(stream=StringIO(text)) if text else {}
    return [
        Given(Source.ENV_FILE, name, setting_of(name), value or "", lines[name])
        for name, value in _prefixed_first(values)
    ]


def _refuse_broken_lines(text: str) -> None:
    """Raise SettingsError for a line that is no NAME=value and speaks of us: it would be passed over."""
    for each in parse_stream(StringIO(text)):
        words = each.original.string.upper()
        if each.error and any(word in words for word in (PREFIX, *(name[:6] for name in BARE_NAMES))):
            raise SettingsError(f"{ENV_FILE} line {_line_of(each)}: write it as NAME=value.")


def _line_of(statement: Binding) -> int:
    """Give the line on which a statement itself begins: blank lines before it are part of what was read."""
    read = statement.original.string
    return statement.original.line + read[: len(read) - len(read.lstrip())].count("\n")


def _from_toml() -> list[Given]:
    text = _text_of(SETTINGS_FILE)
    return [
        Given(Source.TOML, name, name if name in Settings.model_fields else None, value, *line_of(text, name))
        for name, value in read_toml(text, str(SETTINGS_FILE)).items()
    ]


def _from_secret_files() -> list[Given]:
    folder = os.environ.get(SECRETS_FOLDER)
    if folder is None:
        return []
    try:
        files = sorted(place for place in Path(folder).iterdir() if setting_of(place.name) is not None)
    except OSError as error:
        raise SettingsError(
            f"{SECRETS_FOLDER} names a folder of secret files that can't be read ({error.strerror}): "
            "name another one, or unset it."
        ) from None
    return [
        Given(Source.SECRET_FILE, file.name, setting_of(file.name), _text_of(file).strip())
        for _, file in _prefixed_first({file.name: file for file in files})
    ]


def setting_of(variable: str) -> str | None:
    """Give the setting that a variable is for, in capitals or not; None for none."""
    name = variable.upper()
    plain = BARE_NAMES.get(name) or (name.removeprefix(PREFIX).lower() if name.startswith(PREFIX) else "")
    return plain if plain in Settings.model_fields else None


def _prefixed_first(values: Mapping[str, Value]) -> list[tuple[str, Value]]:
    return sorted(values.items(), key=lambda item: not item[0].upper().startswith(PREFIX))


def _may_be_ours(name: str) -> bool:
    """Tell what is worth a look: an environment holds many variables of others."""
    return name.upper() in BARE_NAMES or name.upper().startswith(PREFIX[:2])


def _text_of(file: Path) -> str:
    """Read a text file, with or without a byte order mark; one that is not there is empty."""
    try:
        return file.read_text("utf-8-sig") if file.is_file() else ""
    except UnicodeDecodeError:
        raise SettingsError(f"{file} is not in UTF-8: save it as UTF-8 in your editor.") from None
    except OSError as error:
        raise SettingsError(f"{file} can't be read: {error.strerror}.") from None
