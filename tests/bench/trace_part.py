"""How many files one dropped part passes through, and how often its path switches between files.

    python -m tests.bench.trace_part [--seconds 3]

The simulator and the service run in this process with a profile function on every thread. Work that also
happens while nothing is dropped (polls, scans) is recorded for some seconds first and left out. The
inspecting process is not traced, nor are generator expressions and the bodies of classes.
"""

import argparse
import sys
import tempfile
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from threading import Event
from types import FrameType

from tests.bench.bench_throughput import box
from tests.waiting import until
from workflow.assembly import running_service
from workflow.settings import load_settings
from workflow.simulator import SimulatorOptions, running_simulator

PACKAGE = str(Path(__file__).parents[2] / "workflow") + "/"
SIMULATOR = PACKAGE + "simulator/"
Call = tuple[str, str]
"""File, relative to the package, and function."""


@dataclass
class ThreadTrace:
    """The calls of one thread, cut into bursts: one for each call out of the thread's own loop."""

    depth: int = 0
    loop_depth: int = 0
    burst: list[Call] = field(default_factory=list)
    bursts: list[tuple[Call, ...]] = field(default_factory=list)


class Tracer:
    """Collects bursts from all threads that start after it."""

    def __init__(self) -> None:
        self.threads: dict[str, ThreadTrace] = defaultdict(ThreadTrace)

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        name = frame.f_code.co_filename
        if not name.startswith(PACKAGE) or name.startswith(SIMULATOR) or frame.f_code.co_name[0] == "<":
            return
        trace = self.threads[threading.current_thread().name]
        if event == "call":
            trace.depth += 1
            trace.burst.append((name.removeprefix(PACKAGE), frame.f_code.co_qualname))
        elif event == "return":
            trace.depth -= 1
            if trace.depth <= trace.loop_depth and trace.burst:
                trace.bursts.append(tuple(trace.burst))
                trace.burst = []

    def take(self) -> dict[str, list[tuple[Call, ...]]]:
        """Return the bursts so far by thread, and begin again; a function that still runs is a loop."""
        taken = {name: trace.bursts for name, trace in self.threads.items()}
        for trace in self.threads.values():
            trace.bursts, trace.burst, trace.loop_depth = [], [], trace.depth
        return taken


def files_of(burst: tuple[Call, ...]) -> Iterator[str]:
    """Return the files of a burst in order, each as often as the path comes to it."""
    previous = ""
    for file, _ in burst:
        if file != previous:
            yield file
        previous = file


def main() -> None:
    """Trace one part from the drop to done/ and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3.0, help="how long idle work is recorded first")
    idle_seconds = parser.parse_args().seconds
    tracer = Tracer()
    with (
        tempfile.TemporaryDirectory() as name,
        running_simulator(SimulatorOptions(slice_seconds=0.5)) as url,
    ):
        folder = Path(name)
        settings = load_settings(
            share=folder / "share",
            state=folder / "state",
            eiger_url=url,
            access_key="demo",
            secret_key="demo",
        )
        threading.setprofile(tracer)
        with running_service(settings):
            Event().wait(idle_seconds)
            tracer.take()
            Event().wait(idle_seconds)
            idle = {burst for bursts in tracer.take().values() for burst in bursts}
            staged = folder / "bracket.stl"
            staged.write_bytes(box(10, 20, 30))
            staged.rename(folder / "share" / "inbox" / "bracket.stl")
            if not until((folder / "share" / "done" / "bracket.stl.txt").is_file, 60):
                raise SystemExit("The part did not reach done/ within 60 s.")
            traced = tracer.take()
        threading.setprofile(None)
        sys.setprofile(None)
    print_table(
        {thread: [burst for burst in bursts if burst not in idle] for thread, bursts in traced.items()}
    )


def print_table(traced: dict[str, list[tuple[Call, ...]]]) -> None:
    """Print files, functions, switches and returns for each kind of thread and for all together."""
    kinds: dict[str, list[str]] = defaultdict(list)
    functions: dict[str, set[Call]] = defaultdict(set)
    for thread, bursts in traced.items():
        kind = thread.rstrip("0123456789_-") or thread
        for burst in bursts:
            kinds[kind].extend(files_of(burst))
            functions[kind].update(burst)
    print(f"{'thread':24} {'files':>6} {'functions':>10} {'switches':>9} {'returns':>8}")
    total: Counter[str] = Counter()
    for kind, path in sorted(kinds.items()):
        switches = sum(before != after for before, after in pairwise(path))
        returns = switches + 1 - len(set(path))
        total["switches"] += switches
        total["returns"] += returns
        print(f"{kind:24} {len(set(path)):6} {len(functions[kind]):10} {switches:9} {returns:8}")
    files = {file for path in kinds.values() for file in path}
    called = {call for calls in functions.values() for call in calls}
    print(f"{'together':24} {len(files):6} {len(called):10} {total['switches']:9} {total['returns']:8}")


if __name__ == "__main__":
    main()
