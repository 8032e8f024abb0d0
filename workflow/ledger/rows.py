"""Between rows of the database and values of the model."""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from workflow.model import Destination, Event, Hold, MeshReport, State, Step, Submission, Worker

_ENUMS: Mapping[str, type[StrEnum]] = {
    "state": State,
    "destination": Destination,
    "step": Step,
    "hold": Hold,
}
_COLUMNS = tuple(field.name for field in fields(Submission))


def submission_from(row: Mapping[str, Any]) -> Submission:
    """Build the value from one row of `submissions`."""
    return Submission(**{name: _to_value(name, row[name]) for name in _COLUMNS})


def event_from(row: Mapping[str, Any]) -> Event:
    """Build the value from one row of `events`."""
    return Event(at=_time(row["at"]), event=row["event"], detail=row["detail"])


def worker_from(row: Mapping[str, Any]) -> Worker:
    """Build the value from one row of `workers`."""
    times = {name: _time(row[name]) for name in ("since", "seen_at")}
    words = {name: row[name] for name in ("name", "home", "host", "pid", "release")}
    values: dict[str, Any] = {**words, **times}
    return Worker(**values)


def to_columns(changes: Mapping[str, object]) -> dict[str, object]:
    """Turn model values into what the columns hold."""
    return {name: _to_column(value) for name, value in changes.items()}


def _to_value(name: str, stored: Any) -> Any:
    if stored is None:
        return None
    if name in _ENUMS:
        return _ENUMS[name](stored)
    if name.endswith(("_at", "_since")):
        return _time(stored)
    if name == "due_date":
        return date.fromisoformat(stored)
    return _mesh(stored) if name == "mesh" else stored


def _to_column(value: object) -> object:
    match value:
        case datetime():
            return value.timestamp()
        case date():
            return value.isoformat()
        case MeshReport():
            return json.dumps(asdict(value), ensure_ascii=False)
        case StrEnum():
            return value.value
        case str():
            return storable(value)
    return value


def storable(text: str) -> str:
    """Replace what Postgres takes in no text: the zero byte, and half a surrogate pair."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode("utf-8")


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _mesh(text: str) -> MeshReport:
    """Read a report back; fields that a later version added or dropped do no harm."""
    known = {field.name for field in fields(MeshReport)}
    stored = {name: value for name, value in json.loads(text).items() if name in known}
    for name, value in stored.items():
        if isinstance(value, list):
            stored[name] = tuple(value)
    return MeshReport(**stored)
