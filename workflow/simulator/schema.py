"""Values against the contract's schemas: the small part of JSON Schema that its requests use."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from workflow.contract import contract

Schema = Mapping[str, Any]

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
DATE_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)  # RFC 3339, section 5.6
SHOWN_CHARACTERS = 60


class Unfit(ValueError):
    """A value that its schema refuses; the message names the place and what would fit."""


def resolve(schema: Schema) -> Schema:
    """Follow `$ref` to where the schema stands."""
    while "$ref" in schema:
        place: Any = contract()
        for step in schema["$ref"].removeprefix("#/").split("/"):
            place = place[step]
        schema = place
    return schema


def from_text(schema: Schema, text: str, where: str) -> object:
    """Read a query or path parameter as its schema's type. Raises Unfit."""
    schema = resolve(schema)
    if schema.get("nullable") and text == "null":
        return None
    value: object = text
    match schema["type"]:
        case "integer" if re.fullmatch(r"-?\d{1,300}", text, re.ASCII):
            value = int(text)
        case "boolean" if text in {"true", "false"}:
            value = text == "true"
    return checked(schema, value, where)


def checked(schema: Schema, value: object, where: str) -> object:
    """Give the value as the world takes it (ids in lower case, times aware). Raises Unfit."""
    schema = resolve(schema)
    if value is None and schema.get("nullable"):
        return None
    match schema["type"]:
        case "string":
            return _string(schema, value, where)
        case "integer":
            return _integer(schema, value, where)
        case "boolean":
            return _boolean(value, where)
        case "array":
            return _array(schema, value, where)
        case _:
            return _object(schema, value, where)


def _string(schema: Schema, value: object, where: str) -> object:
    if not isinstance(value, str):
        raise Unfit(f"{where} must be text, not {_shown(value)}.")
    if "enum" in schema and value not in schema["enum"]:
        raise Unfit(f"{where} must be one of {', '.join(schema['enum'])}, not {_shown(value)}.")
    if len(value) > schema.get("maxLength", len(value)):
        raise Unfit(f"{where} must have at most {schema['maxLength']} characters, not {len(value)}.")
    return _formatted(schema.get("format"), value, where)


def _formatted(form: str | None, value: str, where: str) -> object:
    match form:
        case "uuid":
            if not UUID.fullmatch(value):
                raise Unfit(f"{where} must be a uuid, not {_shown(value)}.")
            return value.lower()
        case "date":
            return _date(value, where)
        case "date-time":
            return _date_time(value, where)
        case _:
            return value


def _date(value: str, where: str) -> date:
    if DATE.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass  # the 31st of February
    raise Unfit(f"{where} must be a date like 2026-01-31, not {_shown(value)}.")


def _date_time(value: str, where: str) -> datetime:
    if DATE_TIME.fullmatch(value):
        try:
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            pass  # 25 o'clock, or the year 0
    raise Unfit(f"{where} must be a time like 2026-01-31T08:00:00Z, not {_shown(value)}.")


def _integer(schema: Schema, value: object, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise Unfit(f"{where} must be a whole number, not {_shown(value)}.")
    low, high = schema.get("minimum", value), schema.get("maximum", value)
    if not low <= value <= high:
        bound = f"at least {low}" if value < low else f"at most {high}"
        raise Unfit(f"{where} must be {bound}, not {_shown(value)}.")
    return value


def _boolean(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise Unfit(f"{where} must be true or false, not {_shown(value)}.")
    return value


def _array(schema: Schema, value: object, where: str) -> Sequence[object]:
    if not isinstance(value, list):
        raise Unfit(f"{where} must be a list, not {_shown(value)}.")
    return [checked(schema["items"], item, f"{where}[{place}]") for place, item in enumerate(value)]


def _object(schema: Schema, value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise Unfit(f"{where} must be an object, not {_shown(value)}.")
    known: Mapping[str, Schema] = schema["properties"]
    for name in schema.get("required", ()):
        if name not in value:
            raise Unfit(f"{name} is missing.")
    for name in value:
        if name not in known and schema.get("additionalProperties") is False:
            raise Unfit(f"{_shown(name)} is not a field here; there is {', '.join(known)}.")
    return {name: checked(known[name], item, name) for name, item in value.items() if name in known}


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"
