"""The inspecting process: takes requests from stdin until it ends, and sends one reply to each.

Nothing of the service is in it: no keys, no ledger, no connection. A crash or a hang costs one file's report.

What the service and this process say to each other is one JSON object a line, never code. The service imports
this module for the messages, so what measures is imported only in the process itself.
"""

import faulthandler
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from functools import partial
from io import BufferedWriter
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any

from workflow.errors import error_reason
from workflow.frozen import frozen
from workflow.mesh.warnings import MeshPolicy, MeshWarningKind
from workflow.model import MeshReport, unmeasured_report


@frozen
class WorkerSetup:
    """What an inspecting process is told when it starts.

    It may use `memory_mb` more than it has at rest, where the system can hold it to that, and ends itself
    when one file takes `seconds`, so that it does not outlive a service that was killed.
    """

    policy: MeshPolicy
    memory_mb: int
    seconds: float


@frozen
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
    policy |= {"fits_all_mm": policy["fits_all_mm"] and tuple(policy["fits_all_mm"])}
    return WorkerSetup(MeshPolicy(**policy), given["memory_mb"], given["seconds"])


PICTURE = "picture"
THUMBNAIL = "thumbnail"
VIEWER_MESH = "viewer mesh"


@frozen
class InspectionRequest:
    """The request to inspect one file, and to write something of it to `picture` if that is wanted.

    A thumbnail is written without an inspection: the report says nothing then.
    """

    source: Path
    shown_as: str
    picture: Path | None = None
    drawing: str = PICTURE


def encode_request(request: InspectionRequest) -> bytes:
    """Return a request as a line; any name that a file system allows gets through."""
    return _encode_line(
        {
            "source": str(request.source),
            "shown_as": request.shown_as,
            "picture": None if request.picture is None else str(request.picture),
            "drawing": request.drawing,
        }
    )


def decode_request(line: bytes) -> InspectionRequest:
    """Read a request back."""
    given = json.loads(line)
    picture = None if given["picture"] is None else Path(given["picture"])
    return InspectionRequest(Path(given["source"]), given["shown_as"], picture, given["drawing"])


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


READY = b"ready\n"
_GRACE_SECONDS = 10
"""The service stops a slow inspection itself; this much later the process does so on its own, even in C."""


def serve(setup_text: str) -> None:
    """Inspect one file after the other."""
    from workflow.mesh.inspection import inspect_mesh

    setup = decode_setup(setup_text)
    replies = _private_stdout()
    _ignore_stop_signals()
    orders = _queue_requests()
    _limit_memory(setup.memory_mb)
    replies.write(READY)
    replies.flush()
    while True:
        line = orders.get()
        faulthandler.dump_traceback_later(setup.seconds + _GRACE_SECONDS, exit=True)
        reply = _answer_request(decode_request(line), partial(inspect_mesh, policy=setup.policy))
        faulthandler.cancel_dump_traceback_later()
        replies.write(encode_reply(reply))
        replies.flush()
        if isinstance(reply, InspectionFailure) and reply.kind == OUT_OF_MEMORY:
            os._exit(0)  # what is left of the memory may be in pieces: the next file gets a new process


def _answer_request(
    request: InspectionRequest, inspect: Callable[[Path, str], MeshReport]
) -> MeshReport | InspectionFailure:
    try:
        if request.drawing == THUMBNAIL:
            report = unmeasured_report(request.shown_as, "Only drawn.")
        else:
            report = inspect(request.source, request.shown_as)
        return (None if request.picture is None else _write_picture(request, report)) or report
    except MemoryError:
        return InspectionFailure(OUT_OF_MEMORY)
    except OSError as error:
        return InspectionFailure(FILE_UNREADABLE, error_reason(error), error.errno)
    except Exception:  # noqa: BLE001  # the process's edge: the service is told, and goes on
        return InspectionFailure(INTERNAL_ERROR, traceback.format_exc())


def _write_picture(request: InspectionRequest, report: MeshReport) -> InspectionFailure | None:
    """Write what is wanted; return why not. Raises OSError when the STL file can't be read."""
    from workflow.mesh.format import UnreadableMesh
    from workflow.mesh.picture import draw_picture
    from workflow.mesh.thumbnail import draw_thumbnail
    from workflow.mesh.viewer_mesh import encode_viewer_mesh

    source, picture = request.source, request.picture or Path()
    try:
        if request.drawing == THUMBNAIL:
            drawn = draw_thumbnail(source)
        elif request.drawing == VIEWER_MESH:
            drawn = encode_viewer_mesh(source, report)
        else:
            drawn = draw_picture(source, report)
    except UnreadableMesh as problem:
        return InspectionFailure(NOTHING_TO_DRAW, str(problem))
    try:
        picture.write_bytes(drawn)
    except OSError as error:
        return InspectionFailure(PICTURE_UNWRITABLE, error_reason(error), error.errno)
    return None


def _queue_requests() -> SimpleQueue[bytes]:
    """Put the requests into a queue as they come; the process ends with the last, even amid a file."""
    orders: SimpleQueue[bytes] = SimpleQueue()

    def take() -> None:
        for line in sys.stdin.buffer:
            orders.put(line)
        os._exit(0)  # the service is gone, and nobody waits for a reply

    Thread(target=take, daemon=True).start()
    return orders


def _private_stdout() -> BufferedWriter:
    """Keep stdout for replies alone: what a library prints goes to stderr."""
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return replies


def _ignore_stop_signals() -> None:
    """Ctrl-C and a stop of the whole process group are for the service: this process ends with its stdin."""
    for name in ("SIGINT", "SIGTERM"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)


def _limit_memory(memory_mb: int) -> None:
    """Hold the process to its memory, where the system can (not on Windows, hardly on macOS)."""
    if sys.platform == "win32":
        return
    import resource

    most = _memory_now() + memory_mb * 2**20
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    try:
        resource.setrlimit(resource.RLIMIT_AS, (most if hard < 0 else min(most, hard), hard))
    except (OSError, ValueError):
        return  # the system knows no such limit


def _memory_now() -> int:
    """Return the address space in use, in bytes; 0 where the system does not say."""
    if sys.platform == "win32":
        return 0
    status = Path("/proc/self/statm")
    return int(status.read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE") if status.exists() else 0
