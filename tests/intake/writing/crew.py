"""A process that writes many files at once, each in its own way, and tells how each one ended.

    python -m tests.intake.writing.crew FOLDER SEED FIRST STEP END AT_ONCE SCALE

Numbers from FIRST to END by STEP, so that several crews share the work. All pauses are multiplied by
SCALE. Prints one JSON line per file.
"""

import heapq
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.intake.writing.job import Job, Steps
from tests.intake.writing.kinds import KINDS

DESKS = tuple(f"desk {number}" for number in range(7))
"""The folders of the inbox that are written to; they are there before."""
_WAIT = time.sleep


@dataclass
class Work:
    """A job under way."""

    kind: str
    job: Job
    steps: Steps
    asked: float = 0.0
    stood_at: float = 0.0
    longest_pause: float = 0.0
    robbed: bool = False
    """The file was taken while its writer was at it."""


def begin(inbox: Path, seed: str, number: int) -> Work:
    """Start the job of that number; the same seed makes the same job."""
    kind = list(KINDS)[number % len(KINDS)]
    job = Job(inbox / DESKS[number % len(DESKS)] / f"part {number}.stl", Random(f"{seed}/{number}"))
    return Work(kind, job, KINDS[kind](job))


def go_on(work: Work) -> float | None:
    """Do one step; gives the pause that follows, or None at the end."""
    if work.stood_at:
        work.longest_pause = max(work.longest_pause, time.monotonic() - work.stood_at)
    try:
        pause = next(work.steps, None)
    except FileNotFoundError:
        work.robbed, pause = True, None
    work.stood_at = time.monotonic()
    return pause


def told(work: Work, inbox: Path) -> str:
    """Return the line about a job that is over."""
    job = work.job
    return json.dumps({
        "kind": work.kind,
        "path": job.place.relative_to(inbox).as_posix(),
        "versions": job.versions,
        "finished_at": job.finished_at,
        "longest_pause": work.longest_pause,
        "robbed": work.robbed,
    })  # fmt: skip


def write_all(inbox: Path, seed: str, numbers: range, at_once: int, scale: float) -> None:
    """Work on `at_once` jobs at a time until all are done."""
    left = iter(numbers)
    agenda: list[tuple[float, int, Work]] = []

    def take_up() -> None:
        if (number := next(left, None)) is not None:
            heapq.heappush(agenda, (time.monotonic(), number, begin(inbox, seed, number)))

    for _ in range(at_once):
        take_up()
    while agenda:
        due, number, work = heapq.heappop(agenda)
        _WAIT(max(0.0, due - time.monotonic()))
        pause = go_on(work)
        if pause is None:
            print(told(work, inbox), flush=True)
            take_up()
        else:
            heapq.heappush(agenda, (time.monotonic() + pause * scale, number, work))


if __name__ == "__main__":
    place, a_seed, *counts, a_scale = sys.argv[1:]
    first, step, end, many = map(int, counts)
    write_all(Path(place), a_seed, range(first, end, step), many, float(a_scale))
