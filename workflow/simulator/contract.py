"""The contract as a table of operations, and the validation of requests against it.

Validates the small part of JSON Schema that the contract's requests use.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

from workflow.contract import contract

Schema = Mapping[str, Any]

UUID_PATTERN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
DATE_PATTERN = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
DATE_TIME_PATTERN = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)  # RFC 3339, section 5.6
MAX_SHOWN_CHARACTERS = 60


class InvalidRequest(ValueError):
    """Raised for a value that its schema refuses; the message names the place and what is allowed."""


def resolve_reference(schema: Schema) -> Schema:
    """Return the schema that `$ref` points to."""
    while "$ref" in schema:
        place: Any = contract()
        for step in schema["$ref"].removeprefix("#/").split("/"):
            place = place[step]
        schema = place
    return schema


def parse_parameter(schema: Schema, text: str, where: str) -> object:
    """Return a query or path parameter as its schema's type. Raises InvalidRequest."""
    schema = resolve_reference(schema)
    if schema.get("nullable") and text == "null":
        return None
    value: object = text
    match schema["type"]:
        case "integer" if re.fullmatch(r"-?\d{1,300}", text, re.ASCII):
            value = int(text)
        case "boolean" if text in {"true", "false"}:
            value = text == "true"
    return validate_value(schema, value, where)


def validate_value(schema: Schema, value: object, where: str) -> object:
    """Return a checked value: ids in lower case, times aware. Raises InvalidRequest."""
    schema = resolve_reference(schema)
    if value is None and schema.get("nullable"):
        return None
    match schema["type"]:
        case "string":
            return _validate_string(schema, value, where)
        case "integer":
            return _validate_integer(schema, value, where)
        case "boolean":
            return _validate_boolean(value, where)
        case "array":
            return _validate_array(schema, value, where)
        case _:
            return _validate_object(schema, value, where)


def _validate_string(schema: Schema, value: object, where: str) -> object:
    if not isinstance(value, str):
        raise InvalidRequest(f"{where} must be text, not {_short_repr(value)}.")
    if "enum" in schema and value not in schema["enum"]:
        raise InvalidRequest(f"{where} must be one of {', '.join(schema['enum'])}, not {_short_repr(value)}.")
    if len(value) > schema.get("maxLength", len(value)):
        raise InvalidRequest(f"{where} must have at most {schema['maxLength']} characters, not {len(value)}.")
    return _validate_format(schema.get("format"), value, where)


def _validate_format(form: str | None, value: str, where: str) -> object:
    match form:
        case "uuid":
            if not UUID_PATTERN.fullmatch(value):
                raise InvalidRequest(f"{where} must be a uuid, not {_short_repr(value)}.")
            return value.lower()
        case "date":
            return _parse_date(value, where)
        case "date-time":
            return _parse_date_time(value, where)
        case _:
            return value


def _parse_date(value: str, where: str) -> date:
    if DATE_PATTERN.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass  # the 31st of February
    raise InvalidRequest(f"{where} must be a date like 2026-01-31, not {_short_repr(value)}.")


def _parse_date_time(value: str, where: str) -> datetime:
    if DATE_TIME_PATTERN.fullmatch(value):
        try:
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            pass  # 25 o'clock, or the year 0
    raise InvalidRequest(f"{where} must be a time like 2026-01-31T08:00:00Z, not {_short_repr(value)}.")


def _validate_integer(schema: Schema, value: object, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidRequest(f"{where} must be a whole number, not {_short_repr(value)}.")
    low, high = schema.get("minimum", value), schema.get("maximum", value)
    if not low <= value <= high:
        bound = f"at least {low}" if value < low else f"at most {high}"
        raise InvalidRequest(f"{where} must be {bound}, not {_short_repr(value)}.")
    return value


def _validate_boolean(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise InvalidRequest(f"{where} must be true or false, not {_short_repr(value)}.")
    return value


def _validate_array(schema: Schema, value: object, where: str) -> Sequence[object]:
    if not isinstance(value, list):
        raise InvalidRequest(f"{where} must be a list, not {_short_repr(value)}.")
    return [validate_value(schema["items"], item, f"{where}[{place}]") for place, item in enumerate(value)]


def _validate_object(schema: Schema, value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise InvalidRequest(f"{where} must be an object, not {_short_repr(value)}.")
    known: Mapping[str, Schema] = schema["properties"]
    for name in schema.get("required", ()):
        if name not in value:
            raise InvalidRequest(f"{name} is missing.")
    for name in value:
        if name not in known and schema.get("additionalProperties") is False:
            raise InvalidRequest(f"{_short_repr(name)} is not a field here; there is {', '.join(known)}.")
    return {name: validate_value(known[name], item, name) for name, item in value.items() if name in known}


def _short_repr(value: object) -> str:
    text = repr(value)
    return text if len(text) <= MAX_SHOWN_CHARACTERS else f"{text[:MAX_SHOWN_CHARACTERS]}…"


METHODS = ("get", "put", "post", "delete", "patch")
PAGING_AND_FILTERS = ("filter", "sort", "page")
JSON_CONTENT_TYPE = "application/json"
FORM_CONTENT_TYPE = "application/x-www-form-urlencoded"

ALSO_FORM_ENCODED = frozenset({"printToPrinter"})
"""The vendor's sample posts the build form-encoded, although the contract says JSON only."""

NOT_FOUND_BY_SAMPLE = {"printToPrinter": 404}
"""The contract lists no status for an unknown id here; the vendor's sample expects 404."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One of the contract's 28 operations.

    `not_found_status` is the status for an unknown id: 500 for most of `/parts`.
    """

    id: str
    method: str
    path: str
    pattern: re.Pattern[str]
    ids: Mapping[str, Schema]
    query: Mapping[str, Schema]
    body: Schema | None
    body_type: str | None
    statuses: frozenset[int]
    not_found_status: int


@dataclass(frozen=True, slots=True)
class PathMatch:
    """A path of the contract: the operation of the method (None without one), and the allowed methods."""

    operation: Operation | None
    ids: Mapping[str, str]
    allowed: tuple[str, ...]


@cache
def operations() -> Mapping[str, Operation]:
    """Return the contract's operations by operationId."""
    return {operation.id: operation for operation in _read_operations()}


def match_path(method: str, path: str) -> PathMatch | None:
    """Return what the contract has at a path (relative to the base); None for an unknown path.

    If a literal path and a template both match, the literal path wins.
    """
    for pattern, by_method in _operations_by_path():
        if found := pattern.fullmatch(path):
            return PathMatch(by_method.get(method), found.groupdict(), tuple(by_method))
    return None


def validate_ids(operation: Operation, ids: Mapping[str, str]) -> Mapping[str, str]:
    """Return the path's ids in lower case. Raises InvalidRequest."""
    return {name: str(parse_parameter(operation.ids[name], text, name)) for name, text in ids.items()}


def validate_query(operation: Operation, pairs: Sequence[tuple[str, str]]) -> Mapping[str, object]:
    """Return the query's typed values by name. Raises InvalidRequest.

    Unknown filters, sorts and pages are refused, because they are a client's mistake. Other unknown names
    are ignored: the contract does not mention them.
    """
    values: dict[str, object] = {}
    for name, text in pairs:
        if name in values:
            raise InvalidRequest(f"{name} is given twice.")
        if name in operation.query:
            values[name] = parse_parameter(operation.query[name], text, name)
        elif name.split("[")[0] in PAGING_AND_FILTERS:
            raise InvalidRequest(f"{name} is not a parameter of {operation.id}.")
    return values


def validate_body(operation: Operation, body: object) -> Mapping[str, object]:
    """Return the JSON body's values by name; no body counts as an empty one. Raises InvalidRequest."""
    if operation.body is None:
        return {}
    values = validate_value(operation.body, {} if body is None else body, "The body")
    return values if isinstance(values, dict) else {}


@cache
def _operations_by_path() -> Sequence[tuple[re.Pattern[str], Mapping[str, Operation]]]:
    by_path: dict[str, dict[str, Operation]] = {}
    for operation in operations().values():
        by_path.setdefault(operation.path, {})[operation.method] = operation
    literal_first = sorted(by_path, key=lambda path: "{" in path)
    return [(next(iter(by_path[path].values())).pattern, by_path[path]) for path in literal_first]


def _read_operations() -> Iterator[Operation]:
    for path, item in contract()["paths"].items():
        for method in METHODS:
            if method in item:
                yield _parse_operation(method.upper(), path, item[method], item.get("parameters", []))


def _parse_operation(method: str, path: str, entry: Mapping[str, Any], shared: Sequence[Schema]) -> Operation:
    parameters = [resolve_reference(parameter) for parameter in (*shared, *entry.get("parameters", ()))]
    body_type, body = _body_schema(entry)
    return Operation(
        id=entry["operationId"],
        method=method,
        path=path,
        pattern=re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)),
        ids={entry["name"]: entry["schema"] for entry in parameters if entry["in"] == "path"},
        query={entry["name"]: entry["schema"] for entry in parameters if entry["in"] == "query"},
        body=body,
        body_type=body_type,
        statuses=frozenset(int(status) for status in entry["responses"]),
        not_found_status=_not_found_status(entry),
    )


def _body_schema(entry: Mapping[str, Any]) -> tuple[str | None, Schema | None]:
    if "requestBody" not in entry:
        return None, None
    body_type, content = next(iter(resolve_reference(entry["requestBody"])["content"].items()))
    return body_type, resolve_reference(content["schema"])


def _not_found_status(entry: Mapping[str, Any]) -> int:
    for status, response in entry["responses"].items():
        if response.get("$ref", "").endswith("/resourceNotFoundError"):
            return int(status)
    if entry["operationId"] in NOT_FOUND_BY_SAMPLE:
        return NOT_FOUND_BY_SAMPLE[entry["operationId"]]
    return 400 if "400" in entry["responses"] else 404
