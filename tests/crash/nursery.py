"""A process that has everything imported, and forks real services and commands from that.

    python -m tests.crash.nursery      # orders as JSON lines on stdin, answers on stdout

A start of `stlflow run` costs half a second for imports alone; a campaign of thousands of kills can't
pay that. What is forked runs the real command line to its end, in a process of its own.
"""

import json
import os
import random
import signal
import sys
import threading
import traceback
from collections.abc import Mapping
from typing import Any

from loguru import logger

from tests.crash.points import arm
from workflow.__main__ import main as stlflow
from workflow.eiger import request
from workflow.ledger import database
from workflow.pipeline import heartbeat, lease_queue, local_queue, retry

QUICK = (
    (heartbeat, "HEARTBEAT_SECONDS", 0.4),
    (heartbeat, "HEARTBEAT_TIMEOUT_SECONDS", 1.6),
    (lease_queue, "CHECK_SECONDS", 0.1),
    (lease_queue, "AUDIT_SECONDS", 0.4),
    (local_queue, "AUDIT_SECONDS", 0.4),
    (retry, "FIRST_BACKOFF_SECONDS", 0.2),
    (retry, "MAX_BACKOFF_SECONDS", 1.5),
    (request, "MAX_EFFECT_WAIT_SECONDS", 0.5),
)
"""Rhythms of the product that no setting changes, quickened so that a run takes seconds."""


def main() -> None:
    """Take orders until stdin closes."""
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
    out, err = (os.open(order[name], os.O_WRONLY | os.O_CREAT | os.O_APPEND) for name in ("out", "err"))
    nothing = os.open(os.devnull, os.O_RDONLY)
    for fd, place in ((nothing, 0), (out, 1), (err, 2)):
        os.dup2(fd, place)
    os.chdir(order["folder"])
    os.environ.update(order["environment"])
    random.seed()
    logger.remove()
    for module, name, seconds in QUICK:
        assert hasattr(module, name), name
        setattr(module, name, seconds)
    if order.get("clock_seconds"):
        turn_clock(order["clock_seconds"])
    if order.get("die_at"):
        arm(order["die_at"], order.get("nth", 1))
    sys.argv = ["stlflow", *order["words"]]
    try:
        stlflow()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1
    return 0


def turn_clock(seconds: float) -> None:
    """Let this process see the time of day so many seconds later, or earlier."""

    real = database.system_time
    database.system_time = lambda: real() + seconds


def state_of(pid: int) -> int | None:
    """Give the exit code of a child, the negative signal that ended it, or None while it lives."""
    ended, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main()
