"""A process that has everything imported, and forks real services and commands from that.

    python -m tests.nursery      # orders as JSON lines on stdin, answers on stdout

A start of `stlflow run` costs half a second for imports alone; neither hundreds of tests nor a campaign of
thousands of kills can pay that. What is forked runs the real command line to its end, in a process of its
own; only what begins before the first line of ours needs a fresh Python.
"""

import atexit
import gc
import json
import os
import random
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any, Protocol

from loguru import logger

import workflow
from tests.crash.points import arm
from tests.crash.power import cut_power_at
from tests.inspectors import address, fork_inspectors
from tests.made_once import make_first
from tests.quick_servers import quicken_servers
from tests.waiting import until
from workflow.__main__ import main as stlflow
from workflow.eiger import request
from workflow.ledger import database, due_polls
from workflow.pipeline import heartbeat, local_queue, notifier, postgres_queue, retry

ROOT = Path(__file__).parents[1]
QUICK = (
    (heartbeat, "HEARTBEAT_SECONDS", 0.4),
    (heartbeat, "HEARTBEAT_TIMEOUT_SECONDS", 1.6),
    (postgres_queue, "CHECK_SECONDS", 0.1),
    (postgres_queue, "AUDIT_SECONDS", 0.4),
    (local_queue, "AUDIT_SECONDS", 0.4),
    (due_polls, "ASK_AGAIN_SECONDS", 5.0),
    (notifier, "POLL_SECONDS", 0.1),
    (retry, "FIRST_BACKOFF_SECONDS", 0.2),
    (retry, "MAX_BACKOFF_SECONDS", 1.5),
    (request, "MAX_EFFECT_WAIT_SECONDS", 0.5),
)
"""Rhythms of the product that no setting changes, quickened so that a run takes seconds."""


class Process(Protocol):
    """A command that runs, forked or started afresh."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""

    def wait(self, timeout: float) -> int:
        """Return the exit code once it has ended."""

    def send_signal(self, sig: int) -> None:
        """Send a signal, unless it has ended."""

    def kill(self) -> None:
        """End it at once."""


class Nursery:
    """The process that forks services and commands."""

    def __init__(self, site: Path = ROOT, inspectors: str | None = None) -> None:
        """Import stlflow from the source, or from the folder into which it was installed.

        `inspectors` is where commands have inspecting processes forked, see there.
        """
        self._one_at_a_time = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.nursery", *filter(None, [inspectors])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=site,  # where Python searches first
            env={**os.environ, "PYTHONPATH": str(ROOT)},  # has these tests
        )

    def send_request(self, **order: object) -> Any:
        """Send an order and return its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._one_at_a_time:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        """End it."""
        with self._process:
            assert self._process.stdin is not None
            self._process.stdin.close()


@dataclass
class Forked:
    """A process that the nursery forked."""

    nursery: Nursery
    pid: int
    code: int | None = None

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""
        if self.code is None:
            self.code = self.nursery.send_request(pid=self.pid)
        return self.code

    def wait(self, timeout: float) -> int:
        """Return the exit code once it has ended."""
        assert until(lambda: self.poll() is not None, timeout), "it goes on"
        assert self.code is not None
        return self.code

    def send_signal(self, sig: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, sig)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


@cache
def nursery_of_this_process() -> Nursery:
    """Return the one for all tests of this process."""
    nursery = Nursery(inspectors=address())
    atexit.register(nursery.close)
    return nursery


def start(
    words: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    out: Path,
    err: Path,
    *,
    afresh: bool = False,
    nursery: Nursery | None = None,
) -> Process:
    """Start a command; what it prints is added to two files. `afresh`, and without fork: by a new Python."""
    if hasattr(os, "fork") and not afresh:
        nursery = nursery or nursery_of_this_process()
        places = {"folder": str(folder), "out": str(out), "err": str(err)}
        return Forked(nursery, nursery.send_request(words=words, environment=dict(environment), **places))
    command = [sys.executable, "-m", "workflow", *words]
    with out.open("ab") as stdout, err.open("ab") as stderr:
        return subprocess.Popen(command, cwd=folder, env=environment, stdout=stdout, stderr=stderr)


def start_on_terminal(
    words: Sequence[str], folder: Path, environment: Mapping[str, str], terminal: str
) -> Process:
    """Start a command that reads from a terminal, and writes to it."""
    nursery = nursery_of_this_process()
    order = {"folder": str(folder), "environment": dict(environment), "terminal": terminal}
    return Forked(nursery, nursery.send_request(words=words, **order))


def import_the_rest() -> None:
    """Import what commands import when they run, but no numpy: a command takes a fifth of the time then."""
    for module in walk_packages(workflow.__path__, "workflow."):
        if not module.name.startswith("workflow.mesh.") and not module.name.endswith("__main__"):
            import_module(module.name)
    gc.freeze()  # no child copies these objects only to look through them


def main() -> None:
    """Take orders until stdin closes."""
    import_the_rest()
    if len(sys.argv) > 1:
        fork_inspectors(sys.argv[1])
        make_first()
        quicken_servers()
    for line in sys.stdin:
        order = json.loads(line)
        if "words" in order:
            answer: object = born(order)
        else:
            answer = state_of(order["pid"])
        print(json.dumps(answer), flush=True)


def born(order: Mapping[str, Any]) -> int:
    """Fork one command; gives its process id."""
    assert threading.active_count() == 1, "forking would leave locks behind"
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        code = live(order)
    except BaseException:  # noqa: BLE001  # the child's edge: nothing of it may run on in the nursery's loop
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def live(order: Mapping[str, Any]) -> int:
    """Be the command; gives its exit code."""
    for place, fd in enumerate(streams(order)):
        os.dup2(fd, place)
    if "terminal" in order:
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    random.seed()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if order.get("quickened"):
        quicken()
    if order.get("clock_seconds"):
        turn_clock(order["clock_seconds"])
    if order.get("die_at"):
        arm(order["die_at"], order.get("nth", 1))
    if order.get("cut_power_at"):
        cut_power_at(order["cut_power_at"])
    sys.argv = ["stlflow", *order["words"]]
    sys.modules["__main__"].__package__ = ""  # by it click finds the name that its help shows
    try:
        stlflow()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1
    return 0


def streams(order: Mapping[str, Any]) -> tuple[int, int, int]:
    """Return what the command reads from, and writes to."""
    if "terminal" in order:
        terminal = os.open(order["terminal"], os.O_RDWR | os.O_NOCTTY)
        return terminal, terminal, terminal
    out, err = (os.open(order[name], os.O_WRONLY | os.O_CREAT | os.O_APPEND) for name in ("out", "err"))
    return os.open(os.devnull, os.O_RDONLY), out, err


def quicken() -> None:
    """Let the rhythms that no setting changes take tenths of seconds."""
    logger.remove()
    for module, name, seconds in QUICK:
        assert hasattr(module, name), name
        setattr(module, name, seconds)


def turn_clock(seconds: float) -> None:
    """Let this process see the time of day so many seconds later, or earlier."""

    real = database.system_time
    database.system_time = lambda: real() + seconds


def state_of(pid: int) -> int | None:
    """Return the exit code of a child, the negative signal that ended it, or None while it lives."""
    ended, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main()
