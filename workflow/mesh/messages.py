"""What the service and its inspecting process say to each other: one JSON object a line, never code."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from workflow.mesh.warnings import MeshPolicy, MeshWarningKind
from workflow.model import MeshReport


@dataclass(frozen=True, slots=True)
class WorkerSetup:
    """What an inspecting process is told when it starts.

    It may use `memory_mb` more than it has at rest, where the system can hold it to that, and ends itself
    when one file takes `seconds`, so that it does not outlive a service that was killed.
    """

    policy: MeshPolicy
    memory_mb: int
    seconds: float


@dataclass(frozen=True, slots=True)
class InspectionFailure:
    """Why there is no report: `kind` is one of the constants below, `words` say more."""

    kind: str
    words: str = ""
    errno: int | None = None


FILE_UNREADABLE = "unreadable"
"""The system did not let the file be read; `errno` says why."""
OUT_OF_MEMORY = "out of memory"
NOTHING_TO_DRAW = "undrawn"
"""There is nothing to draw; the words say why."""
PICTURE_UNWRITABLE = "unwritable"
"""The system did not let the picture be written; `errno` says why."""
INTERNAL_ERROR = "fault"
"""A mistake of ours; the words are the traceback."""


def encode_setup(setup: WorkerSetup) -> str:
    """Return the setup as text."""
    policy = {**asdict(setup.policy), "held": sorted(setup.policy.held)}
    return json.dumps({"policy": policy, "memory_mb": setup.memory_mb, "seconds": setup.seconds})


def decode_setup(text: str) -> WorkerSetup:
    """Read a setup back."""
    given = json.loads(text)
    policy = {**given["policy"], "held": frozenset(map(MeshWarningKind, given["policy"]["held"]))}
    return WorkerSetup(MeshPolicy(**policy), given["memory_mb"], given["seconds"])


@dataclass(frozen=True, slots=True)
class InspectionRequest:
    """The order to inspect one file, and to write a picture of it if one is wanted."""

    source: Path
    shown_as: str
    picture: Path | None = None


def encode_request(request: InspectionRequest) -> bytes:
    """Return an order as a line; any name that a file system allows gets through."""
    picture = None if request.picture is None else str(request.picture)
    return _encode_line({"source": str(request.source), "shown_as": request.shown_as, "picture": picture})


def decode_request(line: bytes) -> InspectionRequest:
    """Read an order back."""
    given = json.loads(line)
    picture = None if given["picture"] is None else Path(given["picture"])
    return InspectionRequest(Path(given["source"]), given["shown_as"], picture)


def encode_reply(reply: MeshReport | InspectionFailure) -> bytes:
    """Return a report, or why there is none."""
    return _encode_line({"report" if isinstance(reply, MeshReport) else "failure": asdict(reply)})


def decode_reply(line: bytes) -> MeshReport | InspectionFailure:
    """Read a reply back. Raises ValueError when it is not whole."""
    try:
        given = json.loads(line)
        if "failure" in given:
            return InspectionFailure(**given["failure"])
        return _decode_report(given["report"])
    except (KeyError, TypeError) as error:
        raise ValueError("no reply") from error


def _decode_report(given: Mapping[str, Any]) -> MeshReport:
    known = {field.name for field in fields(MeshReport)}
    if given.keys() != known:
        raise ValueError("no report")
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in given.items()
    }
    return MeshReport(**values)  # the names are checked; the sender is our own code


def _encode_line(message: Mapping[str, object]) -> bytes:
    return json.dumps(message).encode() + b"\n"
