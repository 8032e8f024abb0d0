"""The contract as a table of operations, and what a request breaks of it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from workflow.contract import contract
from workflow.simulator.schema import Schema, Unfit, checked, from_text, resolve

METHODS = ("get", "put", "post", "delete", "patch")
PAGING_AND_FILTERS = ("filter", "sort", "page")
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"

ALSO_FORM_ENCODED = frozenset({"printToPrinter"})
"""The vendor's sample script posts the build form-encoded, though the contract says JSON only."""

NOT_FOUND_BY_SAMPLE = {"printToPrinter": 404}
"""The contract lists no status for an unknown id here; the vendor's sample script expects 404."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One of the contract's 28 operations.

    `not_found_status`: what the contract answers to an unknown id; 500 for most of `/parts`.
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
class Match:
    """What stands at a path: the operation of the method if there is one, and the methods that are."""

    operation: Operation | None
    ids: Mapping[str, str]
    allowed: tuple[str, ...]


@cache
def operations() -> Mapping[str, Operation]:
    """Give the contract's operations by operationId."""
    return {operation.id: operation for operation in _read_operations()}


def match(method: str, path: str) -> Match | None:
    """Find what the contract has at this path (relative to the base); None if nothing.

    Where a literal path and a template both match, the literal one stands.
    """
    for pattern, by_method in _paths():
        if found := pattern.fullmatch(path):
            return Match(by_method.get(method), found.groupdict(), tuple(by_method))
    return None


def checked_ids(operation: Operation, ids: Mapping[str, str]) -> Mapping[str, str]:
    """Give the path's ids in lower case. Raises Unfit."""
    return {name: str(from_text(operation.ids[name], text, name)) for name, text in ids.items()}


def checked_query(operation: Operation, pairs: Sequence[tuple[str, str]]) -> Mapping[str, object]:
    """Give the query's values by name, typed. Raises Unfit.

    Unknown filters, sorts and pages are refused, as a client's slip of the pen; other unknown names
    pass, as the contract says nothing of them.
    """
    values: dict[str, object] = {}
    for name, text in pairs:
        if name in values:
            raise Unfit(f"{name} is given twice.")
        if name in operation.query:
            values[name] = from_text(operation.query[name], text, name)
        elif name.split("[")[0] in PAGING_AND_FILTERS:
            raise Unfit(f"{name} is not a parameter of {operation.id}.")
    return values


def checked_body(operation: Operation, body: object) -> Mapping[str, object]:
    """Give the JSON body's values by name; no body is an empty one. Raises Unfit."""
    if operation.body is None:
        return {}
    values = checked(operation.body, {} if body is None else body, "The body")
    return values if isinstance(values, dict) else {}


@cache
def _paths() -> Sequence[tuple[re.Pattern[str], Mapping[str, Operation]]]:
    by_path: dict[str, dict[str, Operation]] = {}
    for operation in operations().values():
        by_path.setdefault(operation.path, {})[operation.method] = operation
    literal_first = sorted(by_path, key=lambda path: "{" in path)
    return [(next(iter(by_path[path].values())).pattern, by_path[path]) for path in literal_first]


def _read_operations() -> Iterator[Operation]:
    for path, item in contract()["paths"].items():
        for method in METHODS:
            if method in item:
                yield _operation(method.upper(), path, item[method], item.get("parameters", []))


def _operation(method: str, path: str, entry: Mapping[str, Any], shared: Sequence[Schema]) -> Operation:
    parameters = [resolve(parameter) for parameter in (*shared, *entry.get("parameters", ()))]
    body_type, body = _body(entry)
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


def _body(entry: Mapping[str, Any]) -> tuple[str | None, Schema | None]:
    if "requestBody" not in entry:
        return None, None
    body_type, content = next(iter(resolve(entry["requestBody"])["content"].items()))
    return body_type, resolve(content["schema"])


def _not_found_status(entry: Mapping[str, Any]) -> int:
    for status, response in entry["responses"].items():
        if response.get("$ref", "").endswith("/resourceNotFoundError"):
            return int(status)
    if entry["operationId"] in NOT_FOUND_BY_SAMPLE:
        return NOT_FOUND_BY_SAMPLE[entry["operationId"]]
    return 400 if "400" in entry["responses"] else 404
