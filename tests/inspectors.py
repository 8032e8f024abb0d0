"""A process that has imported what measures meshes, and forks inspecting processes from that.

    python -m tests.inspectors FD      # takes orders from the listening socket FD until stdin closes

An inspecting process imports numpy, which takes longer than all that a usual test inspects. What is forked is
the real program, in a process of its own; the tests of the mesh room start it as the product does.
"""

import atexit
import gc
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

from workflow.mesh import inspector
from workflow.mesh.worker import WorkerSetup, encode_setup, serve

ROOT = Path(__file__).parents[1]
start_afresh = inspector.start_process
WHAT_MEASURES = ("inspection", "picture", "thumbnail", "viewer_mesh")
LONGEST_ORDER = 1 << 17
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}


class ForkedInspector:
    """An inspecting process that was forked, with what is used of `subprocess.Popen`."""

    def __init__(self, address: str, setup: WorkerSetup) -> None:
        (orders, to_it), (from_it, replies) = os.pipe(), os.pipe()
        self.stdin, self.stdout = os.fdopen(to_it, "wb"), os.fdopen(from_it, "rb")
        self.returncode: int | None = None
        self._one_at_a_time = threading.Lock()
        self._told = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._told.connect(f"\0{address}")
        order = {"setup": encode_setup(setup), "environment": inspector.worker_environment(os.environ)}
        socket.send_fds(self._told, [json.dumps(order).encode()], [orders, replies])
        os.close(orders)
        os.close(replies)
        self.pid = int(self._told.recv(100))

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""
        return self._ended_within(0)

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code once it has ended. Raises TimeoutExpired."""
        code = self._ended_within(timeout)
        if code is None:
            raise subprocess.TimeoutExpired("an inspecting process", timeout or 0)
        return code

    def kill(self) -> None:
        """End it at once."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def _ended_within(self, seconds: float | None) -> int | None:
        with self._one_at_a_time:
            if self.returncode is None:
                self._told.settimeout(seconds)
                with suppress(TimeoutError, BlockingIOError):
                    self.returncode = int(self._told.recv(100) or -signal.SIGKILL)
                    self._told.close()
            return self.returncode


@cache
def address(site: Path = ROOT) -> str | None:
    """Return where a forking process takes orders, which the first caller starts; None where none can be.

    It has stlflow of the source, or of the folder into which it was installed.
    """
    if sys.platform != "linux":
        return None
    name = f"stlflow-inspectors-{uuid4().hex}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(f"\0{name}")  # a name without a file
        listener.listen(50)
        number = listener.fileno()
        command, environment = [sys.executable, "-m", "tests.inspectors", str(number)], dict(os.environ)
        environment |= {**ONE_THREAD, "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, cwd=site, env=environment, pass_fds=[number]
        )
    assert process.stdin is not None
    atexit.register(process.wait)
    atexit.register(process.stdin.close)
    return name


def fork_inspectors(known_address: str | None = None) -> None:
    """Have inspecting processes forked: by the process at this address, or by one for this process."""
    assert callable(vars(inspector)["start_process"])

    def start_process(setup: WorkerSetup) -> ForkedInspector | subprocess.Popen[bytes]:
        there = known_address or address()
        return start_afresh(setup) if there is None else ForkedInspector(there, setup)

    vars(inspector)["start_process"] = start_process


class Forking:
    """The forking process: takes orders, and tells of each process its number and then its exit code."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._selector = selectors.DefaultSelector()
        self._on(sys.stdin.fileno(), sys.exit)
        self._on(listener.fileno(), self._take_order)

    def run(self) -> None:
        """Take orders until stdin closes."""
        while True:
            for key, _ in self._selector.select():
                key.data()

    def _on(self, number: int, react: Callable[[], object]) -> None:
        self._selector.register(number, selectors.EVENT_READ, react)

    def _take_order(self) -> None:
        asker, _ = self._listener.accept()
        text, pipes, _, _ = socket.recv_fds(asker, LONGEST_ORDER, 2)
        if len(pipes) != 2:  # whoever asked is gone
            return
        pid = os.fork()
        if not pid:
            live(json.loads(text), *pipes)
        for each in pipes:
            os.close(each)
        with suppress(OSError):  # whoever asked is gone
            asker.send(str(pid).encode())
        ended = os.pidfd_open(pid)
        self._on(ended, partial(self._tell_end, pid, ended, asker))

    def _tell_end(self, pid: int, ended: int, asker: socket.socket) -> None:
        self._selector.unregister(ended)
        os.close(ended)
        _, status = os.waitpid(pid, 0)
        with suppress(OSError), asker:  # whoever asked is gone
            asker.send(str(os.waitstatus_to_exitcode(status)).encode())


def live(order: dict[str, Any], orders: int, replies: int) -> None:
    """Be an inspecting process to its end."""
    try:
        os.dup2(orders, 0)
        os.dup2(replies, 1)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        os.closerange(3, 1000)
        os.environ.clear()
        os.environ.update(order["environment"])
        signal.signal(signal.SIGINT, signal.default_int_handler)
        serve(order["setup"])
    finally:  # nothing of it may run on in the loop of its parent
        os._exit(1)


def main() -> None:
    """Import what measures, and take orders."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in WHAT_MEASURES:
        import_module(f"workflow.mesh.{name}")
    gc.freeze()
    Forking(socket.socket(fileno=int(sys.argv[1]))).run()


if __name__ == "__main__":
    main()
