"""The inspecting process: takes orders from stdin until it ends, and gives one reply to each.

Nothing of the service is in it: no keys, no ledger, no open connections. It may crash, hang or use up its
memory, and costs no more than one file's report.
"""

import faulthandler
import os
import signal
import sys
import traceback
from io import BufferedWriter
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

from workflow.errors import error_reason
from workflow.mesh.inspection import inspect_mesh
from workflow.mesh.messages import (
    FILE_UNREADABLE,
    INTERNAL_ERROR,
    NOTHING_TO_DRAW,
    OUT_OF_MEMORY,
    PICTURE_UNWRITABLE,
    InspectionFailure,
    decode_request,
    decode_setup,
    encode_reply,
)
from workflow.mesh.stream import UnreadableMesh
from workflow.mesh.warnings import MeshPolicy
from workflow.model import MeshReport

READY = b"ready\n"
_GRACE_SECONDS = 10
"""The service stops a slow inspection itself; this much later the process does so on its own, even in C."""


def serve(setup_text: str) -> None:
    """Inspect one file after the other."""
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
        reply = _answer_request(line, setup.policy)
        faulthandler.cancel_dump_traceback_later()
        replies.write(encode_reply(reply))
        replies.flush()
        if isinstance(reply, InspectionFailure) and reply.kind == OUT_OF_MEMORY:
            os._exit(0)  # what is left of the memory may be in pieces: the next file gets a new process


def _answer_request(line: bytes, policy: MeshPolicy) -> MeshReport | InspectionFailure:
    request = decode_request(line)
    try:
        report = inspect_mesh(request.source, request.shown_as, policy)
        undrawn = None if request.picture is None else _write_picture(request.source, report, request.picture)
        return undrawn or report
    except MemoryError:
        return InspectionFailure(OUT_OF_MEMORY)
    except OSError as error:
        return InspectionFailure(FILE_UNREADABLE, error_reason(error), error.errno)
    except Exception:  # noqa: BLE001  # the process's edge: the service is told, and goes on
        return InspectionFailure(INTERNAL_ERROR, traceback.format_exc())


def _write_picture(source: Path, report: MeshReport, picture: Path) -> InspectionFailure | None:
    """Write a picture; gives why not. Raises OSError when the file can't be read."""
    from workflow.mesh.picture import draw_picture

    try:
        drawn = draw_picture(source, report)
    except UnreadableMesh as problem:
        return InspectionFailure(NOTHING_TO_DRAW, str(problem))
    try:
        picture.write_bytes(drawn)
    except OSError as error:
        return InspectionFailure(PICTURE_UNWRITABLE, error_reason(error), error.errno)
    return None


def _queue_requests() -> SimpleQueue[bytes]:
    """Put the orders into a queue as they come; the process ends with the last, even amid a file."""
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
    try:
        import resource
    except ImportError:
        return
    most = _memory_now() + memory_mb * 2**20
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    try:
        resource.setrlimit(resource.RLIMIT_AS, (most if hard < 0 else min(most, hard), hard))
    except (OSError, ValueError):
        return  # the system knows no such limit


def _memory_now() -> int:
    """Return the address space in use, in bytes; 0 where the system does not say."""
    status = Path("/proc/self/statm")
    return int(status.read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE") if status.exists() else 0
