"""Reading the settings from all sources, with messages for wrong values and unknown names."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from subprocess import list2cmdline
from typing import Any
from zoneinfo import available_timezones

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from workflow.errors import SettingsError
from workflow.settings.model import ENV_PREFIX, LOG_LEVELS, Settings, setting_help, setting_type
from workflow.settings.notices import NOTICES
from workflow.settings.notices_reading import load_notices
from workflow.settings.sources import (
    ENV_FILE,
    SETTINGS_FILE,
    UNPREFIXED_NAMES,
    Source,
    SourceValue,
    read_all_sources,
    settings_file,
    single_quoted_path,
)
from workflow.suggest import VERY_NEAR, nearest_option, nearest_options

MAX_SHOWN_LENGTH = 16
"""Whatever is longer where something short belongs may be a key that was pasted into the wrong line."""
TYPE_WORDS = {bool: "true or false", int: "a whole number", float: "a number", Path: "a path", str: "text"}


def describe_wrong_value(given: SourceValue, setting: str, keys: frozenset[str]) -> str:
    """Return a sentence about a refused value; `keys` are never repeated."""
    field = Settings.model_fields[setting]
    where = f"{given.place[:1].upper()}{given.place[1:]}" if given.line is None else given.place
    example = format_assignment(given, _suggest_value(given, field))
    is_default = field.default not in {None, "", SecretStr("")} and example == format_assignment(
        given, field.default
    )
    note = " (the default)" if is_default else ""
    return (
        f"{where}: {given.name} is {_describe_value(given.value, field, keys)} "
        f"{describe_allowed_values(field)}; "
        f"write {example}{note} or {_removal_advice(given.source)}."
    )


def describe_allowed_values(field: FieldInfo) -> str:
    """Return what values a setting accepts."""
    if words := setting_help(field).allowed:
        return words
    noun = TYPE_WORDS[setting_type(field)]
    above, least, most = (_find_bound(field, name) for name in ("gt", "ge", "le"))
    if least is not None and most is not None:
        return f"{least:g}" if least == most else f"{noun} from {least:g} to {most:g}"
    if above is not None:
        return f"{noun} above {above:g}"
    return noun if least is None else f"{noun} of {least:g} or more"


def format_assignment(given: SourceValue, value: object) -> str:
    """Return a value as it is written in its source: `name = "text"` in TOML, `NAME=text` elsewhere."""
    plain = str(value).lower() if isinstance(value, bool) else str(value)
    if given.source is not Source.TOML:
        return plain if given.source is Source.SECRET_FILE else f"{given.name}={plain}"
    is_text = isinstance(value, str | Path) and not plain.startswith("'")
    return f'{given.name} = "{plain}"' if is_text else f"{given.name} = {plain}"


def _suggest_value(given: SourceValue, field: FieldInfo) -> object:
    """Return what was probably meant, otherwise the default, otherwise an example."""
    near: list[str] = []
    if given.setting == "log_level":
        near = nearest_options(str(given.value), LOG_LEVELS)
    if given.setting == "timezone":
        near = _find_similar_zones(str(given.value))
    if isinstance(given.value, str) and not given.value.isprintable():
        near = [single_quoted_path(given.text)] if single_quoted_path(given.text) else []
    example = next(iter(near), setting_help(field).example)
    return field.default if example == "" else example


def _find_similar_zones(name: str) -> list[str]:
    """Return the zone of a city, or one that is spelt nearly so."""
    cities = {zone.rpartition("/")[2].casefold(): zone for zone in sorted(available_timezones())}
    near = nearest_options(name.rpartition("/")[2], cities)
    return [cities[city] for city in near]


def _describe_value(value: object, field: FieldInfo, keys: frozenset[str]) -> str:
    """Return a value in words, without anything that may be a secret."""
    if setting_help(field).private or str(value) in keys:
        return "not what it must be,"
    return f"{_format_value(value)}, but must be"


def _format_value(value: object) -> str:
    match value:
        case str() if not value.strip():
            shown = "empty"
        case str():
            is_short = len(value) <= MAX_SHOWN_LENGTH
            shown = (
                json.dumps(value, ensure_ascii=False) if is_short else f"a text of {len(value)} characters"
            )
        case bool():
            shown = str(value).lower()
        case int() | float():
            shown = f"{value}" if len(f"{value}") <= MAX_SHOWN_LENGTH else "a number that is too large"
        case list() | dict():
            shown = "a list" if isinstance(value, list) else "a table"
        case _:
            shown = "a date or a time"
    return shown


def _removal_advice(source: Source) -> str:
    if source is Source.SECRET_FILE:
        return "remove the file"
    return "remove the line" if source in {Source.TOML, Source.ENV_FILE} else "unset it"


def _find_bound(field: FieldInfo, name: str) -> float | None:
    bounds: list[float] = [getattr(each, name) for each in field.metadata if hasattr(each, name)]
    return bounds[0] if bounds else None


def describe_unknown_names(given: Sequence[SourceValue]) -> Iterator[str]:
    """Return a sentence about each name that looks like a setting but is not one."""
    missing = [
        name for name, setting in UNPREFIXED_NAMES.items() if all(each.setting != setting for each in given)
    ]
    for each in given:
        if each.setting is None:
            meant = (
                _suggest_toml_name(each) if each.source is Source.TOML else _suggest_variable(each, missing)
            )
            if meant is not None:
                yield f"Unknown setting {each.name} in {each.place}: {_unknown_name_advice(meant)}"


def _unknown_name_advice(meant: str) -> str:
    return f"did you mean {meant}?" if meant else "no setting has such a name; remove it."


def _suggest_toml_name(given: SourceValue) -> str:
    return nearest_option(given.name.lower().removeprefix(ENV_PREFIX.lower()), Settings.model_fields)


def _suggest_variable(given: SourceValue, missing: Iterable[str]) -> str | None:
    """Return what was meant: nothing ("") by a name with our prefix alone, None by one of another program.

    Names like ACCESS_KEY are checked in .env only, and only where that key is still missing.
    """
    name = given.name.upper()
    variables = {f"{ENV_PREFIX}{field.upper()}" for field in Settings.model_fields}
    if name.startswith(ENV_PREFIX):
        meant = nearest_option(name.removeprefix(ENV_PREFIX), Settings.model_fields)
        return meant and f"{ENV_PREFIX}{meant.upper()}"
    if name.startswith(ENV_PREFIX[:2]):
        return nearest_option(name, variables, VERY_NEAR) or None
    return (nearest_option(name, missing, VERY_NEAR) if given.source is Source.ENV_FILE else "") or None


def load_settings(**overrides: object) -> Settings:
    """Return the settings from all sources.

    Raises SettingsError with one line per mistake: where it is and what to do, never with a key.
    """
    commanded = [SourceValue(Source.COMMAND_LINE, name, name, value) for name, value in overrides.items()]
    counting: dict[str, Any] = {name: each.value for name, each in _effective_values(commanded).items()}
    try:
        return _LoadedSettings(**counting).with_notices(load_notices(read_all_sources()))
    except ValidationError as error:
        raise SettingsError(_describe_errors(error, [*commanded, *read_all_sources()])) from None


def read_effective_values() -> dict[str, SourceValue]:
    """Return the value that is used for each setting that any source sets, with its place."""
    return _effective_values(read_all_sources())


def stlflow_command() -> str:
    """Return how a person calls stlflow from any folder so that it reads the same settings."""
    named = ["--config", str(settings_file().absolute())] if settings_file() != SETTINGS_FILE else []
    here = ["-C", str(Path.cwd())] if ENV_FILE.is_file() or (SETTINGS_FILE.is_file() and not named) else []
    return list2cmdline(["stlflow", *here, *named])


class _AllSources(PydanticBaseSettingsSource):
    """The values in the environment, `.env`, `stlflow.toml` and secret files.

    The library's own sources do not know the line of a value, which a message needs.
    """

    def __init__(self, settings_cls: type[BaseSettings]) -> None:
        """Read them. Raises SettingsError for names that no setting has."""
        super().__init__(settings_cls)
        given = read_all_sources()
        if mistakes := list(describe_unknown_names(given)):
            raise SettingsError("\n".join(mistakes))
        self._counts = {name: each for name, each in _effective_values(given).items() if name != NOTICES}

    def __call__(self) -> dict[str, Any]:
        """Return the value that is used for each setting that is set."""
        return {name: each.value for name, each in self._counts.items()}

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        """Return the value of one setting, None if it is not given; none is to be read as JSON."""
        each = self._counts.get(field_name)
        return each.value if each else None, field_name, False


class _LoadedSettings(Settings, BaseSettings):
    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *_: PydanticBaseSettingsSource,
        **__: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources, the command line first."""
        return init_settings, _AllSources(settings_cls)


def _effective_values(given: list[SourceValue]) -> dict[str, SourceValue]:
    return {each.setting: each for each in reversed(given) if each.setting and not _is_empty_key(each)}


def _describe_errors(error: ValidationError, given: list[SourceValue]) -> str:
    counts = _effective_values(given)
    keys = frozenset(str(each.value) for each in given if _is_secret(each))
    wrong = [str(detail["loc"][0]) for detail in error.errors(include_input=False)]
    return "\n".join(describe_wrong_value(counts[name], name, keys) for name in dict.fromkeys(wrong))


def _is_secret(given: SourceValue) -> bool:
    field = Settings.model_fields.get(given.setting or "")
    return given.setting == NOTICES if field is None else setting_type(field) is SecretStr


def _is_empty_key(given: SourceValue) -> bool:
    """True if a key was left empty, as in a copy of .env.example: it is not used."""
    return _is_secret(given) and isinstance(given.value, str) and not given.value.strip()
