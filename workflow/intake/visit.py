"""One visit to a folder that is not an inbox: the same gate, but every file stays where it is."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from workflow.errors import ShareError
from workflow.intake.gate import GateTimes
from workflow.intake.settling import Settling
from workflow.intake.walk import walk
from workflow.intake.writers import sees_all_writers


def visit(
    folder: Path,
    times: GateTimes,
    *,
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[float], object] = time.sleep,
) -> Iterator[str]:
    """Give the part files of a folder, each as soon as it is complete; paths are relative to it.

    Ends when all that were there at the start are given, or have gone. Links, pipes and folders named
    like an STL are left out. Raises ShareError when the folder can't be read.
    """
    settling = Settling(folder, times, clock)
    try:
        settling.sees_writers = sees_all_writers(folder)
        settling.found(walk(folder).paths)
    except OSError as error:
        raise ShareError(f"{folder} can't be read: {error.strerror}.") from None
    while any(not waiting.left_alone for waiting in settling.waiting()):
        for path, _seen in settling.ready():
            settling.forget(path)
            yield path
        wait(max(0.0, (settling.next_due() or clock()) - clock()))
