"""The core that the service runs on.

Python runs one thread at a time. If the threads of a service are spread over several cores, each handover
goes from core to core: a burst of files then takes 16 ms of processor time a file instead of 10, and longer
in proportion (300 files, two cores). So they share one core. On Linux only: elsewhere nothing changes.
"""

import os
import sys
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CHOOSE_SECONDS = 60.0
"""How long a service stays on a core that another process needs, too."""
PROCESSOR_FIELD = 36
"""The core of a thread, among the fields of its `stat` from the state on (proc(5): field 39)."""


def allowed_cores() -> frozenset[int]:
    """Return the cores that the present thread may run on; none where that can't be asked."""
    found: Collection[int] = ()
    if sys.platform == "linux":
        found = os.sched_getaffinity(0)
    return frozenset(found)


ALL_CORES = allowed_cores()
"""What this process was given."""


@contextmanager
def sharing_one_core() -> Iterator[None]:
    """Keep all threads of this process on one core until the block ends."""
    if len(ALL_CORES) < 2:
        yield
        return
    stop, chosen = threading.Event(), threading.Event()
    chooser = threading.Thread(target=_choose, args=(stop, chosen), name="core", daemon=True)
    chooser.start()
    chosen.wait()
    try:
        yield
    finally:
        stop.set()
        chooser.join()
        with suppress(OSError):
            _move_threads(ALL_CORES)


def use_all_cores(process_id: int) -> None:
    """Let a process that this one has started run on all cores again."""
    _move(process_id, ALL_CORES)


def _choose(stop: threading.Event, chosen: threading.Event) -> None:
    """Move all threads to where the system runs this one, which may be anywhere: to a core that has room."""
    while not stop.is_set():
        with suppress(OSError, IndexError, ValueError):  # a system without this file
            _move_threads({_present_core()})
        _move(0, ALL_CORES)
        chosen.set()
        stop.wait(CHOOSE_SECONDS)


def _present_core() -> int:
    fields = Path("/proc/thread-self/stat").read_text("utf-8", "replace").rpartition(") ")[2].split()
    return int(fields[PROCESSOR_FIELD])


def _move_threads(cores: Collection[int]) -> None:
    for thread in Path("/proc/self/task").iterdir():
        _move(int(thread.name), cores)


def _move(thread: int, cores: Collection[int]) -> None:
    """Let a thread run on these cores; 0 is the present one."""
    if sys.platform == "linux":
        with suppress(OSError):  # it has ended, or a container does not allow it
            os.sched_setaffinity(thread, cores)
