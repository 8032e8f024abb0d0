"""What many files cost the intake: taken at once, in trees, waiting, and when nothing happens at all.

    python -m tests.bench.bench_intake_load [--files 10000] [--folders 1000] [--waiting 1000,10000,100000]

The intake runs in a process of its own. Times count from the end of the writing. Waiting files are cut
off, so that they wait for their rest. The yardstick is watchdog's PollingObserver, once a second, on the
same files.
"""

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.intake.campaign import Lines, running_until_the_end, service, taken_by
from tests.intake.parts import binary
from tests.waiting import until
from workflow.intake import Share, scan_inbox

STL = binary(12)
POLLING = """
import sys
from watchdog.events import FileSystemEventHandler
from watchdog.observers.polling import PollingObserver
observer = PollingObserver(timeout=1)
observer.schedule(FileSystemEventHandler(), sys.argv[1], recursive=True)
observer.start()
print("{}", flush=True)
sys.stdin.read()
observer.stop()
observer.join()
"""
_TICKS = os.sysconf("SC_CLK_TCK")
_LIMIT_SECONDS = 300.0


@contextmanager
def fresh_share() -> Iterator[Share]:
    """Return an empty share of its own."""
    with tempfile.TemporaryDirectory() as folder:
        share = Share(Path(folder) / "share")
        share.prepare()
        yield share


def drop_at_once(share: Share, count: int) -> None:
    """Write many files into one folder, as fast as it goes."""
    for number in range(count):
        (share.inbox / f"part {number}.stl").write_bytes(STL)


def make_tree(top: Path, folders: int) -> None:
    """Make a tree of folders, each with one file."""
    for number in range(folders):
        place = top / f"{number // 100}" / f"{number % 100 // 10}" / f"{number}"
        place.mkdir(parents=True)
        (place / "part.stl").write_bytes(STL)


def move_tree(share: Share, folders: int) -> None:
    """Move a whole tree in: one rename."""
    make_tree(share.root / "tree", folders)
    (share.root / "tree").rename(share.inbox / "tree")


def copy_tree(share: Share, folders: int) -> None:
    """Copy a whole tree in."""
    make_tree(share.root / "tree", folders)
    shutil.copytree(share.root / "tree", share.inbox / "tree")


def time_to_take(share: Share, count: int, mode: str, drop: str) -> str:
    """Drop files in front of a running intake; gives a line about when the last one was taken."""
    with running_until_the_end([service(share, mode=mode)]) as running:
        (share.inbox / "first.stl").write_bytes(STL)
        assert until(lambda: len(taken_by(running)) == 1)
        {"files": drop_at_once, "tree moved in": move_tree, "tree copied in": copy_tree}[drop](share, count)
        done = time.monotonic()
        assert until(lambda: len(taken_by(running)) >= count + 1, _LIMIT_SECONDS), len(taken_by(running))
        last = max(each.at for each in taken_by(running)) - done
    paths = {each.path for each in taken_by(running)}
    twice = len(taken_by(running)) - len(paths)
    return f"{count:6} {drop:15} {mode:8} all taken {last:6.2f} s after the last was written, {twice} twice"


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident_megabytes(pid: int) -> float:
    """Return the memory that a process holds now."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


def idle_share(process: Lines, seconds: float) -> tuple[float, float]:
    """Return what part of a core a process uses, in per cent, and its memory in MB."""
    pid = process.process.pid
    until(lambda: is_calm(pid), _LIMIT_SECONDS)
    before, start = cpu_seconds(pid), time.monotonic()
    until(lambda: time.monotonic() - start > seconds, seconds + 1)
    return 100 * (cpu_seconds(pid) - before) / (time.monotonic() - start), resident_megabytes(pid)


def is_calm(pid: int) -> bool:
    """True if a process leaves half of a second or more unused: its start is over."""
    before, start = cpu_seconds(pid), time.monotonic()
    until(lambda: time.monotonic() - start > 1, 2)
    return cpu_seconds(pid) - before < 0.5


def waiting_costs(count: int, seconds: float) -> str:
    """Return a line about `count` files that wait for their rest."""
    with fresh_share() as share:
        for number in range(count):
            folder = share.inbox / f"folder {number // 1000}"
            folder.mkdir(exist_ok=True)
            (folder / f"part {number}.stl").write_bytes(STL[:-1])
        start = time.perf_counter()
        scan_inbox(share.inbox)
        swept = time.perf_counter() - start
        with running_until_the_end([service(share)]) as (intake,):
            ours = idle_share(intake, seconds)
        polling = Lines("-c", POLLING, share.inbox)
        with running_until_the_end([polling]):
            theirs = idle_share(polling, seconds)
    return (
        f"{count:7} waiting: one sweep {1000 * swept:7.1f} ms; intake {ours[0]:5.2f} % of a core, "
        f"{ours[1]:4.0f} MB; PollingObserver(1 s) {theirs[0]:5.2f} %, {theirs[1]:4.0f} MB"
    )


def main() -> None:
    """Measure and print."""
    words = argparse.ArgumentParser()
    words.add_argument("--files", type=int, default=10_000)
    words.add_argument("--folders", type=int, default=1000)
    words.add_argument("--waiting", default="0,1000,10000,100000")
    words.add_argument("--seconds", type=float, default=20.0, help="how long the processor time is watched")
    asked = words.parse_args()
    for mode in ("hints", "sweeps"):
        for drop, count in (
            ("files", asked.files), ("tree moved in", asked.folders), ("tree copied in", asked.folders),
        ):  # fmt: skip
            with fresh_share() as share:
                print(time_to_take(share, count, mode, drop), flush=True)
    for count in map(int, asked.waiting.split(",")):
        print(waiting_costs(count, asked.seconds), flush=True)


if __name__ == "__main__":
    main()
