"""Watchdog over the threads that run stages and polls: a call that hangs is named, with its duration.

Each call to Eiger and each inspection has its own time limit. The file system has none: a share that does
not answer keeps a thread for ever, and once it keeps all of them, nothing goes on.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from types import FrameType

from loguru import logger

from workflow.errors import catch_faults

HANG_SECONDS = 1800.0
"""Twice the time limits of an inspection and an upload, as they are by default."""
WATCH_SECONDS = 30.0
RESTART_SECONDS = 10.0
"""The pause before a thread that ended by a fault begins again."""
_PACKAGE = "workflow."


def keep_running(name: str, run: Callable[[threading.Event], None], stop: threading.Event) -> None:
    """Run the loop of a thread until `stop` is set; after a fault that it did not catch, it begins again."""

    def log(fault: Exception) -> None:
        logger.opt(exception=fault).error("A fault of stlflow in its thread '{}': it begins again.", name)

    while not stop.is_set():
        catch_faults(partial(run, stop), log)
        stop.wait(RESTART_SECONDS)


@dataclass(slots=True)
class _Call:
    what: str
    thread: int
    since: float
    is_told: bool = False


@dataclass
class Watchdog:
    """The calls that run now; one per service."""

    clock: Callable[[], float] = time.monotonic
    hanging: str = ""
    """Which calls hang, and for how long, as of the last check: this worker says it with its heartbeats."""
    _calls: dict[int, _Call] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def watching(self, what: str) -> Iterator[None]:
        """Watch over what this thread does in the block."""
        call = _Call(what, threading.get_ident(), self.clock())
        with self._lock:
            self._calls[call.thread] = call
        try:
            yield
        finally:
            with self._lock:
                del self._calls[call.thread]
            if call.is_told:
                logger.info("{} goes on after {}.", what, _minutes(self.clock() - call.since))

    def run(self, stop: threading.Event) -> None:
        """Check until told to stop."""
        while not stop.wait(WATCH_SECONDS):
            self.check()

    def check(self) -> None:
        """Log each call that hangs, once, and name all of them for `status` and `doctor`."""
        with self._lock:
            calls = [each for each in self._calls.values() if self.clock() - each.since > HANG_SECONDS]
        sentences = [_sentence(call, self.clock()) for call in calls]
        for call, sentence in zip(calls, sentences, strict=True):
            if not call.is_told:
                call.is_told = True
                logger.warning("{} Check that the share answers; then restart stlflow.", sentence)
        self.hanging = " ".join(sentences)


def _sentence(call: _Call, now: float) -> str:
    place = _place_of(sys._current_frames().get(call.thread))
    return f"{call.what} hangs: {_minutes(now - call.since)} so far, in {place}."


def _place_of(frame: FrameType | None) -> str:
    """Return the operation of Eiger that is called, else our innermost function."""
    innermost = "a call that has ended"
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module.startswith(_PACKAGE):
            if "request" in frame.f_locals and (operation := _operation(frame.f_locals["request"])):
                return f"Eiger's {operation}"
            if innermost.startswith("a call"):
                innermost = f"{module.removeprefix(_PACKAGE)}.{frame.f_code.co_name}"
        frame = frame.f_back
    return innermost


def _operation(request: object) -> str | None:
    identifier = getattr(getattr(request, "operation", None), "id", None)
    return identifier if isinstance(identifier, str) else None


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 60 else f"{seconds:.0f} s"
