"""Inspecting in a process of its own, which may crash, hang or eat memory without harm to the service.

One process stays resident: starting it costs thirty times what a usual file does. It is a fresh program (no
fork of this one, so threads and locks do no harm), gets no keys in its environment, and ends with its
stdin when this process is gone.
"""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self, cast

from workflow.cores import use_all_cores
from workflow.errors import InspectionFailed, StateFolderError
from workflow.frozen import frozen
from workflow.mesh.warnings import MeshPolicy
from workflow.mesh.worker import (
    INTERNAL_ERROR,
    NOTHING_TO_DRAW,
    OUT_OF_MEMORY,
    PICTURE_UNWRITABLE,
    THUMBNAIL,
    VIEWER_MESH,
    InspectionFailure,
    InspectionRequest,
    WorkerSetup,
    decode_reply,
    encode_request,
    encode_setup,
)
from workflow.model import MeshReport

START_TIMEOUT_SECONDS = 60
STOP_TIMEOUT_SECONDS = 1
MAX_ATTEMPTS = 2
"""A process may be killed for what others did, say when the machine is short of memory."""

_LONGEST_REPLY = 1 << 20
_SECRET = re.compile(r"(?i)^STLFLOW_|KEY|SECRET|TOKEN|PASS|CREDENTIAL")
_ONE_THREAD = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "MALLOC_ARENA_MAX"), "1"
)
_PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from workflow.mesh.worker import serve; serve(sys.argv[2])"
)


@frozen
class InspectionLimits:
    """What the inspection of one file may take: seconds, and MB of memory beyond the 50 at rest."""

    seconds: float = 300
    memory_mb: int = 1024


class Inspector:
    """Inspects one file at a time, whichever thread asks. The process starts with the first file."""

    def __init__(self, policy: MeshPolicy | None = None, limits: InspectionLimits | None = None) -> None:
        self._limits = limits or InspectionLimits()
        self._setup = WorkerSetup(policy or MeshPolicy(), self._limits.memory_mb, self._limits.seconds)
        self._turn = threading.Lock()
        self._worker: _WorkerProcess | None = None
        self._is_closed = False

    def inspect(self, source: Path, shown_as: str | None = None) -> MeshReport:
        """Inspect an STL file of any content and size. `shown_as` is the path in the report.

        Raises OSError when the file can't be read or the process can't start, InspectionFailed when it can't
        be inspected within the limits, StateFolderError when closed meanwhile.
        """
        named = str(source) if shown_as is None else shown_as
        return self._send_with_retry(InspectionRequest(source.absolute(), named), source)

    def draw(self, source: Path, picture: Path) -> MeshReport:
        """Inspect an STL file, and write a PNG of it to `picture`, over what may stand there.

        Raises what `inspect` raises, OSError when the picture can't be written, InspectionFailed when there
        is nothing to draw.
        """
        wanted = InspectionRequest(source.absolute(), str(source), picture.absolute())
        return self._send_with_retry(wanted, source)

    def draw_thumbnail(self, source: Path, picture: Path) -> None:
        """Write a small PNG of an STL file to `picture`, without an inspection. Raises what `draw` raises."""
        wanted = InspectionRequest(source.absolute(), str(source), picture.absolute(), THUMBNAIL)
        self._send_with_retry(wanted, source)

    def write_viewer_mesh(self, source: Path, target: Path) -> MeshReport:
        """Inspect an STL file, and write what the console's viewer shows of it to `target`.

        Raises what `draw` raises.
        """
        wanted = InspectionRequest(source.absolute(), str(source), target.absolute(), VIEWER_MESH)
        return self._send_with_retry(wanted, source)

    def _send_with_retry(self, request: InspectionRequest, source: Path) -> MeshReport:
        with self._turn:
            for _ in range(MAX_ATTEMPTS):
                reply = self._ask_worker(encode_request(request))
                if isinstance(reply, MeshReport):
                    return reply
                if isinstance(reply, InspectionFailure):
                    file = request.picture if reply.kind == PICTURE_UNWRITABLE else source
                    raise _failure_error(reply, file or source, self._limits)
        raise InspectionFailed(
            f"{MAX_ATTEMPTS} times the inspection of this file broke down ({reply}). "
            "Export it again, if need "
            "be from another program; retry it if the machine was short of memory."
        )

    def close(self) -> None:
        """End the process; an inspection under way ends with StateFolderError."""
        self._is_closed = True
        if self._worker:
            self._worker.process.kill()
            self._worker.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask_worker(self, request: bytes) -> MeshReport | InspectionFailure | str:
        """Return the reply, or how the process ended without one."""
        worker = self._running_worker()
        line = worker.send_request(request, self._limits.seconds)
        try:
            reply = decode_reply(line)
        except ValueError:
            worker.end()
            self._refuse_when_closed()
            if worker.was_slow:
                raise InspectionFailed(_timeout_text(self._limits.seconds)) from None
            return _exit_text(worker.process.returncode)
        if isinstance(reply, InspectionFailure) and reply.kind == OUT_OF_MEMORY:
            worker.end()
        return reply

    def _running_worker(self) -> "_WorkerProcess":
        worker = self._worker
        self._refuse_when_closed()
        if worker is None or worker.process.poll() is not None:
            if worker:
                worker.end()
            worker = self._worker = _WorkerProcess(self._setup)
            if self._is_closed:
                worker.end()
                self._refuse_when_closed()
        return worker

    def _refuse_when_closed(self) -> None:
        if self._is_closed:
            raise StateFolderError("stlflow is stopping: this file is inspected at the next start.")


def start_process(setup: WorkerSetup) -> subprocess.Popen[bytes]:
    """Return a new inspecting process. Raises OSError when it can't start."""
    process = subprocess.Popen(  # noqa: S603  # this Python, and our own program
        [sys.executable, "-P", "-c", _PROGRAM, json.dumps(sys.path), encode_setup(setup)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=worker_environment(os.environ),
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
    use_all_cores(process.pid)
    return process


class _WorkerProcess:
    """One inspecting process. Raises OSError when it can't start."""

    def __init__(self, setup: WorkerSetup) -> None:
        self.was_slow = False
        self._deadline = _Deadline(self._stop_slow)
        self.process = start_process(setup)
        self._orders, self._replies = (
            cast(IO[bytes], pipe) for pipe in (self.process.stdin, self.process.stdout)
        )
        if not self.send_request(b"", START_TIMEOUT_SECONDS):
            self.end()
            ended = _exit_text(self.process.returncode)
            raise OSError(f"the process that inspects meshes did not start ({ended})")

    def send_request(self, request: bytes, limit_seconds: float) -> bytes:
        """Return the reply, or what there is of one when the process ended or was stopped at the limit."""
        self._deadline.set(limit_seconds)
        try:
            self._orders.write(request)
            self._orders.flush()
            return self._replies.readline(_LONGEST_REPLY)
        except (OSError, ValueError):  # the process is gone, or was ended by another thread
            return b""
        finally:
            self._deadline.clear()

    def end(self) -> None:
        """End the process and wait for it; one that is ending by itself gets the time to say how."""
        if not self.was_slow:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_TIMEOUT_SECONDS)
        self.process.kill()
        self.process.wait()
        for pipe in (self._orders, self._replies):
            with suppress(OSError):  # an order that was never taken
                pipe.close()

    def _stop_slow(self) -> None:
        self.was_slow = True
        self.process.kill()


class _Deadline:
    """Calls `ring` if it is not cleared in time. A timer for each request would be a new thread for each.

    The thread sleeps until the first time it was set for, and then on if it was set again meanwhile.
    """

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._changed = threading.Condition()
        self._due: float | None = None
        self._wakes_at: float | None = None
        """When the thread looks next; None while there is no thread."""

    def set(self, seconds: float) -> None:
        """Ring after so many seconds."""
        with self._changed:
            self._due = time.monotonic() + seconds
            if self._wakes_at is None:
                self._wakes_at = self._due
                threading.Thread(target=self._run, name="inspection-limit", daemon=True).start()
            elif self._due < self._wakes_at:
                self._changed.notify()

    def clear(self) -> None:
        """Do not ring. The thread ends when it wakes, if nothing was set until then."""
        with self._changed:
            self._due = None

    def _run(self) -> None:
        with self._changed:
            while self._due is not None and (seconds := self._due - time.monotonic()) > 0:
                self._wakes_at = self._due
                self._changed.wait(seconds)
            self._wakes_at = None
            is_due = self._due is not None
        if is_due:
            self._ring()


def worker_environment(here: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the process: no keys, and no threads that nobody needs."""
    return {name: value for name, value in here.items() if not _SECRET.search(name)} | _ONE_THREAD


def _failure_error(failure: InspectionFailure, source: Path, limits: InspectionLimits) -> Exception:
    if failure.kind == OUT_OF_MEMORY:
        return InspectionFailed(
            f"{limits.memory_mb:,} MB of memory were not enough to inspect this file. Export it again with "
            "a coarser resolution, or raise inspection_memory_mb."
        )
    if failure.kind == INTERNAL_ERROR:
        fault = InspectionFailed(
            "A fault of stlflow itself stopped the inspection: see the log, and report it."
        )
        fault.add_note(failure.words)
        return fault
    if failure.kind == NOTHING_TO_DRAW:
        return InspectionFailed(failure.words)
    return OSError(failure.errno, failure.words, str(source))


def _timeout_text(seconds: float) -> str:
    return (
        f"{seconds:g} s were not enough to inspect this file. Export it again with a coarser resolution, "
        "or raise inspection_limit_seconds."
    )


def _exit_text(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
