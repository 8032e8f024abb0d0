"""A campaign: crews of writers in one inbox, real services that take the files, and the reckoning."""

import json
import statistics
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.intake.parts import binary
from tests.intake.writing.crew import DESKS
from tests.intake.writing.job import LONGEST_PAUSE_SECONDS
from tests.intake.writing.kinds import KINDS, SINGLE, TEXT
from tests.waiting import until
from workflow.intake import Share

PROBE = "probe.stl"
CREWS = 4
AT_ONCE = 160
_TREE = Path(__file__).parents[2]
_SLACK_SECONDS = 0.4
"""A writer that was kept waiting for longer by a busy machine paused beyond the quiet times."""
_END_SECONDS = 60


@dataclass(frozen=True)
class Written:
    """How a writer ended. No `versions` means that nothing of it may be taken."""

    kind: str
    path: str
    versions: tuple[str, ...]
    finished_at: float
    longest_pause: float
    robbed: bool


@dataclass(frozen=True)
class Taken:
    """What a service, or another rule, took; `sha256` is of the bytes at that moment."""

    path: str
    sha256: str
    at: float


class Lines:
    """A process whose JSON lines are collected while it runs."""

    def __init__(self, *words: object, within: Sequence[str] = ()) -> None:
        """Run Python with these words, `-m` and a module or `-c` and a program, by another command."""
        command = [*within, sys.executable, *map(str, words)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=_TREE
        )
        self.lines: list[dict[str, object]] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(json.loads(line))

    def end(self, code: int = 0) -> None:
        """Close its stdin, which asks it to end, and wait until it has, with an exit code."""
        assert self.process.stdin is not None
        if not self.process.stdin.closed:
            self.process.stdin.close()
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()
        assert self.process.wait() == code


@dataclass(frozen=True)
class Reckoning:
    """What came of a campaign. All but the latencies should be empty."""

    written: Sequence[Written]
    incomplete: Sequence[str]
    unfinished: Sequence[str]
    """Taken though their writer died, or though they are links or pipes."""
    missed: Sequence[str]
    doubled: Sequence[str]
    beyond: Sequence[str]
    """Not judged: the machine made their writer pause for longer than any promise covers."""
    latencies: Sequence[tuple[str, float]]
    """Kind of writer and seconds from the last byte to the claim."""

    def waits(self, *kinds: str) -> str:
        """Return the median and the 95th percentile of the latencies of some kinds, in seconds."""
        seconds = self.seconds(*kinds)
        if len(seconds) < 2:
            return "-"
        return f"{statistics.median(seconds):.2f} / {statistics.quantiles(seconds, n=20)[-1]:.2f}"

    def seconds(self, *kinds: str) -> list[float]:
        """Return the latencies of some kinds, shortest first."""
        return sorted(late for kind, late in self.latencies if kind in kinds)

    def faults(self) -> dict[str, Sequence[str]]:
        """Return what must not happen and did."""
        every = {
            "incomplete": self.incomplete, "unfinished": self.unfinished,
            "missed": self.missed, "doubled": self.doubled,
        }  # fmt: skip
        return {name: found for name, found in every.items() if found}


def reckon(written: Sequence[Written], taken: Sequence[Taken], scale: float) -> Reckoning:
    """Compare what was taken with what was complete."""
    by_path = {each.path: each for each in written}
    limit = (LONGEST_PAUSE_SECONDS + _SLACK_SECONDS) * scale
    beyond = {each.path for each in written if each.longest_pause > limit}
    incomplete = [f"{each.kind}: {each.path}, from under its writer" for each in written if each.robbed]
    unfinished, latencies = [], []
    times = Counter((each.path, each.sha256) for each in taken)
    for each in taken:
        origin = by_path.get(each.path)
        if origin is None or each.path in beyond:
            incomplete += [] if origin else [f"{each.path}, a name that was never meant to be taken"]
        elif origin.robbed:
            continue
        elif not origin.versions:
            unfinished.append(f"{origin.kind}: {each.path}")
        elif each.sha256 not in origin.versions:
            incomplete.append(f"{origin.kind}: {each.path}")
        elif each.sha256 == origin.versions[-1]:
            latencies.append((origin.kind, max(0.0, each.at - origin.finished_at)))
    missed = [
        f"{each.kind}: {each.path}"
        for each in written
        if each.versions
        and not each.robbed
        and each.path not in beyond
        and (each.path, each.versions[-1]) not in times
    ]
    doubled = [f"{path} {count} times" for (path, _), count in times.items() if count > 1]
    return Reckoning(written, incomplete, unfinished, missed, doubled, sorted(beyond), latencies)


def service(
    share: Share, number: int = 0, scale: float = 1.0, mode: str = "hints", within: Sequence[str] = ()
) -> Lines:
    """Start a real intake; each has numbers of its own for what it takes."""
    options = {"--first": 1 + 1_000_000 * number, "--scale": scale, "--mode": mode}
    words = [word for option in options.items() for word in option]
    return Lines("-m", "tests.intake.service", share.root, *words, within=within)


@contextmanager
def running_until_the_end(running: list[Lines]) -> Iterator[list[Lines]]:
    """End all of them, whatever happens."""
    try:
        yield running
    finally:
        for each in running:
            each.end()


def write(share: Share, seed: str, patterns: int, scale: float) -> list[Written]:
    """Let the crews write `patterns` files; gives how each one ended."""
    crews = [
        Lines(
            "-m",
            "tests.intake.writing.crew",
            share.inbox,
            seed,
            first,
            CREWS,
            patterns,
            AT_ONCE // CREWS,
            scale,
        )
        for first in range(CREWS)
    ]
    for crew in crews:
        crew.end()
    return [Written(**{**line, "versions": tuple(line["versions"])}) for crew in crews for line in crew.lines]  # type: ignore[arg-type]


def _wait_until_awake(share: Share, running: Sequence[Lines]) -> None:
    """Wait until a file has been taken, and with it whatever was there at the start."""
    (share.inbox / PROBE).write_bytes(binary())
    assert until(lambda: any(each.lines for each in running))


def taken_by(running: Sequence[Lines]) -> list[Taken]:
    """Return what all of them have taken up to now."""
    return [
        Taken(str(line["path"]), str(line["sha256"]), float(str(line["at"])))
        for each in running
        for line in tuple(each.lines)
        if line["path"] != PROBE
    ]


def run_campaign(
    share: Share,
    seed: str,
    patterns: int,
    *,
    takers: Callable[[], list[Lines]],
    scale: float,
    warm: bool = False,
) -> Reckoning:
    """Write, let the takers take, and wait until nothing more is to come.

    The takers start together with the writers, or, for a measurement, well before (`warm`).
    """
    for desk in DESKS:
        (share.inbox / desk).mkdir()
    with running_until_the_end(takers()) as running:
        if warm:
            _wait_until_awake(share, running)
        written = write(share, seed, patterns, scale)
        until(lambda: not reckon(written, taken_by(running), scale).missed, _END_SECONDS * scale + 5)
    return reckon(written, taken_by(running), scale)


def table_of(reckoning: Reckoning) -> dict[str, str]:
    """Return the latencies as p50 / p95 by group of writers."""
    single, text = ({kind.__name__ for kind in group} for group in (SINGLE, TEXT))
    rest = KINDS.keys() - single - text
    return {
        "binary, one session": reckoning.waits(*single),
        "ASCII": reckoning.waits(*text),
        "all others": reckoning.waits(*rest),
    }
