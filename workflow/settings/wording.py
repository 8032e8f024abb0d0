"""One sentence for each wrong value: where it stands, what it is, what is allowed, and what to do."""

import json
from difflib import get_close_matches
from pathlib import Path
from zoneinfo import available_timezones

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from workflow.settings.given import Given, Source
from workflow.settings.model import LEVELS, Settings, kind_of, words_of
from workflow.settings.toml import in_single_quotes

LONGEST_SHOWN = 16
"""Whatever is longer where something short belongs may be a key that was pasted into the wrong line."""
NOUNS = {bool: "true or false", int: "a whole number", float: "a number", Path: "a path", str: "text"}


def wrong_value(given: Given, setting: str, keys: frozenset[str]) -> str:
    """Say what is wrong with a value that the settings refused; `keys` are never repeated."""
    field = Settings.model_fields[setting]
    where = f"{given.place[:1].upper()}{given.place[1:]}" if given.line is None else given.place
    example = written(given, _example(given, field))
    is_default = field.default not in {None, "", SecretStr("")} and example == written(given, field.default)
    note = " (the default)" if is_default else ""
    return (
        f"{where}: {given.name} is {_shown(given.value, field, keys)} {allowed(field)}; "
        f"write {example}{note} or {_leave_out(given.source)}."
    )


def allowed(field: FieldInfo) -> str:
    """Say what a setting takes."""
    if words := words_of(field).allowed:
        return words
    noun = NOUNS[kind_of(field)]
    above, least, most = (_bound(field, name) for name in ("gt", "ge", "le"))
    if least is not None and most is not None:
        return f"{least:g}" if least == most else f"{noun} from {least:g} to {most:g}"
    if above is not None:
        return f"{noun} above {above:g}"
    return noun if least is None else f"{noun} of {least:g} or more"


def written(given: Given, value: object) -> str:
    """Write a value as its source has it: `name = "text"` in TOML, `NAME=text` elsewhere."""
    plain = str(value).lower() if isinstance(value, bool) else str(value)
    if given.source is not Source.TOML:
        return plain if given.source is Source.SECRET_FILE else f"{given.name}={plain}"
    is_text = isinstance(value, str | Path) and not plain.startswith("'")
    return f'{given.name} = "{plain}"' if is_text else f"{given.name} = {plain}"


def _example(given: Given, field: FieldInfo) -> object:
    """Give what was probably meant, else the default, else an example."""
    near: list[str] = []
    if given.setting == "log_level":
        near = get_close_matches(str(given.value).upper(), LEVELS, n=1)
    if given.setting == "timezone":
        near = _near_zones(str(given.value))
    if isinstance(given.value, str) and not given.value.isprintable():
        near = [in_single_quotes(given.text)] if in_single_quotes(given.text) else []
    example = next(iter(near), words_of(field).example)
    return field.default if example == "" else example


def _near_zones(name: str) -> list[str]:
    """Give the zone of a city, or one that is spelt nearly so."""
    cities = {zone.rpartition("/")[2].casefold(): zone for zone in sorted(available_timezones())}
    near = get_close_matches(name.rpartition("/")[2].replace(" ", "_").casefold(), cities, n=1)
    return [cities[city] for city in near]


def _shown(value: object, field: FieldInfo, keys: frozenset[str]) -> str:
    """Show a value as far as it can't be a secret, and lead over to what it must be."""
    if words_of(field).private or str(value) in keys:
        return "not what it must be,"
    return f"{_plainly(value)}, but must be"


def _plainly(value: object) -> str:
    match value:
        case str() if not value.strip():
            shown = "empty"
        case str():
            is_short = len(value) <= LONGEST_SHOWN
            shown = (
                json.dumps(value, ensure_ascii=False) if is_short else f"a text of {len(value)} characters"
            )
        case bool():
            shown = str(value).lower()
        case int() | float():
            shown = f"{value}" if len(f"{value}") <= LONGEST_SHOWN else "a number that is too large"
        case list() | dict():
            shown = "a list" if isinstance(value, list) else "a table"
        case _:
            shown = "a date or a time"
    return shown


def _leave_out(source: Source) -> str:
    match source:
        case Source.TOML | Source.ENV_FILE:
            return "remove the line"
        case Source.SECRET_FILE:
            return "remove the file"
    return "unset it"


def _bound(field: FieldInfo, name: str) -> float | None:
    bounds: list[float] = [getattr(each, name) for each in field.metadata if hasattr(each, name)]
    return bounds[0] if bounds else None
