"""What the past costs: list, show, start-up and first pick-up with very many submissions in the ledger.

    python -m tests.bench.bench_past [--submissions 10000]

Each figure is the real command in a process of its own; the same with an empty ledger is the yardstick.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import insert

from tests.bench.bench_throughput import box, service, simulated_cloud, wait_until
from workflow.ledger import Ledger
from workflow.ledger.tables import events, submissions

ROWS_AT_ONCE = 1000
EVENTS_EACH = 11


def fill(url: str, count: int) -> None:
    """Write so many dispatched submissions, with as many events as real ones have."""
    ledger = Ledger(url)
    for start in range(0, count, ROWS_AT_ONCE):
        numbers = range(start + 1, min(start + ROWS_AT_ONCE, count) + 1)
        rows = [
            {
                "path": f"part{number}.stl", "state": "dispatched", "opened_at": 1.7e9 + number,
                "claimed_as": f"done/part{number}.stl", "sha256": f"{number:064x}", "size": 684,
                "ended_at": 1.7e9 + number, "receipt_id": str(number), "turn": 5,
            }
            for number in numbers
        ]  # fmt: skip
        told = [
            {"submission": number, "at": 1.7e9, "event": "dispatched", "detail": "a line of history"}
            for number in numbers
            for _ in range(EVENTS_EACH)
        ]
        with ledger.write_transaction() as connection:
            connection.execute(insert(submissions), rows)
            connection.execute(insert(events), told)
    ledger.close()


def seconds(work: Callable[[], object]) -> float:
    """Return how long something takes."""
    began = time.monotonic()
    work()
    return time.monotonic() - began


def command(folder: Path, *words: str) -> float:
    """Return how long a command of stlflow takes."""
    environment = {
        **os.environ,
        "STLFLOW_STATE": str(folder / "state"),
        "STLFLOW_SHARE": str(folder / "share"),
    }
    return seconds(
        lambda: subprocess.run(
            [sys.executable, "-m", "workflow", *words],
            env=environment,
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )
    )


def measure(count: int) -> dict[str, float]:
    """Return seconds by what was done, on a ledger with so many submissions."""
    with tempfile.TemporaryDirectory() as name, simulated_cloud() as cloud:
        folder = Path(name)
        (folder / "state").mkdir()
        fill(
            os.environ.get("STLFLOW_DATABASE_URL") or f"sqlite:///{folder / 'state' / 'stlflow.db'}",
            max(count, 1),
        )
        figures = {
            "list": command(folder, "list"),
            "list --limit 50 --json": command(folder, "list", "--limit", "50", "--json"),
            "show": command(folder, "show", "1", "--json"),
        }
        inbox, done = folder / "share" / "inbox", folder / "share" / "done"
        inbox.mkdir(parents=True)
        (inbox / "first.stl").write_bytes(box(10, 20, 30))
        began = time.monotonic()
        with service(folder, cloud) as process:
            wait_until(lambda: not (inbox / "first.stl").exists(), process)
            figures["start to first pick-up"] = time.monotonic() - began
            wait_until((done / "first.stl").exists, process)
            figures["start to first sent"] = time.monotonic() - began
    return figures


def main() -> None:
    """Measure with an empty ledger and with a full one."""
    options = argparse.ArgumentParser()
    options.add_argument("--submissions", type=int, default=10_000)
    asked = options.parse_args()
    empty, full = measure(0), measure(asked.submissions)
    print(f"seconds with {asked.submissions:,} submissions in the ledger (and with none):")
    for what, taken in full.items():
        print(f"  {what}: {taken:.2f} ({empty[what]:.2f})")


if __name__ == "__main__":
    main()
