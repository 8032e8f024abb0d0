"""Between rows of the database and values of the model."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

from workflow.model import (
    CloudVitals,
    DecisionRecord,
    Destination,
    DeviceFacts,
    HoldReason,
    MeshReport,
    Notice,
    NoticeEvent,
    Step,
    Submission,
    SubmissionEvent,
    SubmissionState,
    Worker,
    WorkerVitals,
)

_ENUMS: Mapping[str, type[StrEnum]] = {
    "state": SubmissionState,
    "destination": Destination,
    "step": Step,
    "hold": HoldReason,
}
_BOOLEANS = frozenset({"left_in_place", "approve_first", "units_released", "followed"})
"""SQLite stores them as 0 and 1."""
_COLUMNS = tuple(field.name for field in fields(Submission))
_MESH_FIELDS = tuple(field.name for field in fields(MeshReport))
_DEVICE_FACTS = frozenset(field.name for field in fields(DeviceFacts))


def submission_from(row: Mapping[Any, Any]) -> Submission:
    """Build the value from one row of `submissions`."""
    values = {name: stored for name in _COLUMNS if (stored := row[name]) is not None}
    for name, to_value in _CONVERTERS:
        if name in values:
            values[name] = to_value(values[name])
    return Submission(**values)


def event_from(row: Mapping[Any, Any]) -> SubmissionEvent:
    """Build the value from one row of `events`."""
    return SubmissionEvent(at=_time(row["at"]), event=row["event"], detail=row["detail"])


def notice_from(row: Mapping[Any, Any]) -> Notice:
    """Build the value from one row of `notices`."""
    words = ("id", "subject", "target", "submission", "detail", "tries", "message", "unconfirmed", "problem")
    values: dict[str, Any] = {name: row[name] for name in words}
    for name in ("due_at", "begun_at"):
        values[name] = None if row[name] is None else _time(row[name])
    return Notice(event=NoticeEvent(row["event"]), at=_time(row["at"]), **values)


def worker_from(row: Mapping[str, Any]) -> Worker:
    """Build the value from one row of `peers`."""
    words = {name: row[name] for name in ("name", "home", "host", "pid", "release")}
    since, seen_at = _time(row["since"]), _time(row["seen_at"])
    workers = tuple(json.loads(row["queue_workers"] or "[]"))
    vitals = _vitals(json.loads(row["vitals"] or "{}"))
    return Worker(**words, since=since, seen_at=seen_at, queue_workers=workers, vitals=vitals)


def _vitals(stored: Mapping[str, Any]) -> WorkerVitals:
    """Read vitals back; what another release added or dropped does no harm."""
    known = {field.name for field in fields(CloudVitals)}
    cloud = {name: value for name, value in stored.get("cloud", {}).items() if name in known}
    return WorkerVitals(CloudVitals(**cloud), stored.get("scanned_at"), stored.get("hanging", ""))


def to_columns(changes: Mapping[str, object]) -> dict[str, object]:
    """Turn model values into what the columns hold."""
    return {name: _to_column(value) for name, value in changes.items()}


def decision_columns(decided: DecisionRecord) -> dict[str, object]:
    """Turn a decision into what the columns of `decisions` hold."""
    devices = None if decided.devices is None else json.dumps(list(map(_plain, decided.devices)))
    return {
        "stage": decided.stage,
        "at": decided.at.timestamp(),
        "revision": decided.revision,
        "rule": decided.rule,
        "passed": _to_column(decided.passed),
        "facts": json.dumps(dict(decided.facts)),
        "devices": devices,
        "device_id": decided.device_id,
    }


def decision_from(row: Mapping[Any, Any]) -> DecisionRecord:
    """Build the value from one row of `decisions`."""
    devices = None if row["devices"] is None else tuple(map(_device, json.loads(row["devices"])))
    kept = {name: row[name] for name in ("stage", "revision", "rule", "device_id")}
    known = {"facts": json.loads(row["facts"]), "passed": tuple(json.loads(row["passed"] or "[]"))}
    return DecisionRecord(at=_time(row["at"]), devices=devices, **known, **kept)


def _plain(device: DeviceFacts) -> dict[str, object]:
    return {name: _to_column(value) for name, value in asdict(device).items() if value is not None}


def _device(stored: Mapping[str, Any]) -> DeviceFacts:
    """Read a device back; facts that a later version added or dropped do no harm."""
    known: dict[str, Any] = {name: value for name, value in stored.items() if name in _DEVICE_FACTS}
    sent = known.pop("last_sent_at", None)
    return DeviceFacts(**known, last_sent_at=None if sent is None else _time(sent))


def _converter(name: str) -> Callable[[Any], Any] | None:
    """Return what makes a value of what a column holds; None where both are the same."""
    if name in _BOOLEANS:
        return bool
    if name in _ENUMS:
        return _ENUMS[name]
    if name.endswith(("_at", "_since")):
        return _time
    if name in {"due_date", "late_on"}:
        return date.fromisoformat
    if name in {"passed", "spread_ids"}:
        return lambda stored: tuple(json.loads(stored))
    return _mesh if name == "mesh" else None


def _to_column(value: object) -> object:
    match value:
        case datetime():
            return value.timestamp()
        case date():
            return value.isoformat()
        case MeshReport():
            report = {name: getattr(value, name) for name in _MESH_FIELDS}
            return json.dumps(report, ensure_ascii=False)
        case str():  # enumerations, too
            return replace_unstorable(str(value))
        case tuple():
            return json.dumps(value)
    return value


def replace_unstorable(text: str) -> str:
    """Replace what Postgres takes in no text: the zero byte, and half a surrogate pair."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode("utf-8")


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@lru_cache(maxsize=128)
def _mesh(text: str) -> MeshReport:
    """Read a report back; fields that a later version added or dropped do no harm."""
    stored = {name: value for name, value in json.loads(text).items() if name in _MESH_FIELDS}
    for name, value in stored.items():
        if isinstance(value, list):
            stored[name] = tuple(value)
    return MeshReport(**stored)


_CONVERTERS = tuple((name, made) for name in _COLUMNS if (made := _converter(name)) is not None)
"""What makes a value of some columns; looked up once, because every stage reads rows."""
