"""How soon the notes answer, and what they cost.

    python -m tests.bench.bench_notes [--times 30] [--files 300]

First: files dropped one by one, with the polling of real life and slicing of 3 s. Timed are the claim (as in
the history) to the note beside the place of the drop, and the end of slicing (by the simulator's journal) to
the note with print time and printer. Then: many files at once, with these notes and without; the requests
that each file needs are counted by the journal.
"""

import argparse
import tempfile
import time
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path

import requests

from tests.bench.bench_throughput import box, cpu_seconds, drop, service, simulated_cloud, wait_until
from tests.waiting import until
from workflow.ledger import Ledger
from workflow.model import EventKind

RULES = """\
version: 1
intake:
  - {name: all, preset: Onyx}
routing:
  - name: all
    send_to: device_queue
    device: {name: Mark Two - Anvil}
"""
SLICE_SECONDS = 3.0
REAL_LIFE = {"STLFLOW_SLICE_FIRST_POLL_SECONDS": "2", "STLFLOW_REQUESTS_PER_SECOND": "10"}
WITHOUT = {"STLFLOW_PROGRESS_NOTES": "false"}


def journal(url: str) -> list[dict[str, object]]:
    """Return the requests that the simulator has seen."""
    reply = requests.get(url.removesuffix("/api/v3") + "/_sim/journal", timeout=60).json()
    entries: list[dict[str, object]] = reply
    return entries


def written_at(note: Path) -> float:
    """Wait for a note; gives when it was written."""
    if not until(note.is_file, 60):
        raise SystemExit(f"no note {note}")
    return note.stat().st_mtime


def measure_latency(times: int) -> None:
    """Print how soon both notes come."""
    first, answer = list[float](), list[float]()
    with tempfile.TemporaryDirectory() as name, simulated_cloud(SLICE_SECONDS) as url:
        folder, rules = Path(name), Path(name) / "printing.yaml"
        rules.write_text(RULES)
        (folder / "state").mkdir()
        with (
            service(folder, url, STLFLOW_RULES=str(rules), **REAL_LIFE),
            closing(Ledger(f"sqlite:///{folder / 'state' / 'stlflow.db'}")) as ledger,
        ):
            inbox = folder / "share" / "inbox"
            for number in range(times):
                staged, path = folder / "staged.stl", f"part{number}.stl"
                staged.write_bytes(box(10 + number / 100, 20, 30))
                staged.rename(inbox / path)
                noted = written_at(inbox / f"{path}.txt")
                answered = written_at(folder / "share" / "done" / f"{path}.txt")
                submission = next(each for each in ledger.all() if each.path == path)
                claimed = next(
                    each.at for each in ledger.events(submission.id) if each.event == EventKind.CLAIMED
                )
                first.append(noted - claimed.timestamp())
                uploaded = [each for each in journal(url) if each["operation"] == "uploadStl"][-1]
                sliced = datetime.fromisoformat(str(uploaded["at"])).timestamp() + SLICE_SECONDS
                answer.append(answered - sliced)
    print(f"claim to first note: {spread(first)}; slicing done to answer: {spread(answer)}")


def spread(seconds: list[float]) -> str:
    """Return median, 95th percentile and worst."""
    ordered = sorted(seconds)
    middle, high = ordered[len(ordered) // 2], ordered[min(len(ordered) * 95 // 100, len(ordered) - 1)]
    return f"p50 {middle:.2f} s, p95 {high:.2f} s, slowest {ordered[-1]:.2f} s"


def measure_cost(files: int, settings: Mapping[str, str]) -> str:
    """Return files per second, processor time and requests per file of a burst."""
    with tempfile.TemporaryDirectory() as name, simulated_cloud() as url:
        folder, rules = Path(name), Path(name) / "printing.yaml"
        rules.write_text(RULES)
        with service(folder, url, STLFLOW_RULES=str(rules), **settings) as process:
            done, before = folder / "share" / "done", cpu_seconds(process)
            began = time.monotonic()
            drop(
                {f"p{number}.stl": box(10 + number / 100, 20, 30) for number in range(files)},
                folder / "share" / "inbox",
            )
            wait_until(lambda: len(list(done.glob("*.stl.txt"))) >= files, process)
            took, used = time.monotonic() - began, cpu_seconds(process) - before
            calls = len(journal(url))
    a_file = f"{1000 * used / files:.1f} ms CPU and {calls / files:.2f} requests a file"
    return f"{files / took:.1f} files/s, {a_file}"


def main() -> None:
    """Measure both."""
    options = argparse.ArgumentParser()
    options.add_argument("--times", type=int, default=30)
    options.add_argument("--files", type=int, default=300)
    asked = options.parse_args()
    measure_latency(asked.times)
    for label, settings in (("with notes", {}), ("without", WITHOUT)) * 2:
        print(f"{label}: {measure_cost(asked.files, settings)}")


if __name__ == "__main__":
    main()
