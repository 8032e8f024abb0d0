"""Thousands of submissions parked in slicing: memory, CPU, questions per second, and how soon one goes on.

    python -m tests.bench.bench_parked [--parked 5000] [--seconds 60] [--budget 10]

The parts are uploaded by a plain script, and their rows written as the service would have. Then the
service idles over them; then `--ends` of them end slicing, and each is timed from COMPLETED to dispatched.
"""

import argparse
import os
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import requests
from sqlalchemy import insert

from tests.bench.bench_throughput import (
    AUTH,
    THREADS,
    box,
    cpu_seconds,
    resident_mb,
    service,
    simulated_cloud,
)
from tests.waiting import until
from workflow.ledger import Ledger
from workflow.ledger.tables import submissions

LONG_SECONDS = 100_000
Uploaded = dict[str, str]


def upload(url: str, number: int) -> Uploaded:
    """Upload one part as the service would."""
    part = {"stlFile": (f"part{number}.stl", box(10 + number / 1000, 20, 30))}
    reply: Uploaded = requests.post(f"{url}/parts/upload_stl", files=part, auth=AUTH, timeout=60).json()
    return reply


def park(folder: Path, uploaded: list[Uploaded], age_seconds: float) -> None:
    """Write rows that wait for slicing, as old as is said."""
    (folder / "state").mkdir(exist_ok=True)
    processing = folder / "share" / "processing"
    processing.mkdir(parents=True, exist_ok=True)
    since = time.time() - age_seconds
    with closing(Ledger(f"sqlite:///{folder / 'state' / 'stlflow.db'}")) as ledger, ledger.writing() as write:
        for number, made in enumerate(uploaded):
            (processing / f"part{number}.stl").write_bytes(box(10 + number / 1000, 20, 30))
            row = {
                "path": f"part{number}.stl", "state": "slicing", "opened_at": since, "preset": "Onyx",
                "sha256": f"{number:064x}", "claimed_as": f"processing/part{number}.stl", "size": 684,
                "step": "poll", "turn": 1,
                "part_version_id": made["part_version_id"], "slice_job_id": made["slice_job_id"],
                "uploaded_at": since, "waiting_since": since, "due_at": since,
            }  # fmt: skip
            write.execute(insert(submissions).values(row))


def polls(url: str) -> int:
    """Count the questions for slice jobs that the simulator has seen."""
    journal = requests.get(url.removesuffix("/api/v3") + "/_sim/journal", timeout=60).json()
    return sum(entry["operation"] == "getSliceStatus" for entry in journal)


def advance(url: str, seconds: float) -> None:
    """Put the simulator's clock forward: what is young enough ends slicing."""
    control = url.removesuffix("/api/v3") + "/_sim/clock"
    requests.post(control, json={"advance_seconds": seconds}, timeout=60).raise_for_status()


def delays(folder: Path, numbers: range, began: float) -> list[float]:
    """Wait until these are dispatched; gives the seconds that each took."""
    with closing(Ledger(f"sqlite:///{folder / 'state' / 'stlflow.db'}")) as ledger:
        wanted = [number + 1 for number in numbers]

        def all_sent() -> bool:
            return all(each.ended_at is not None for each in ledger.among(wanted))

        if not until(all_sent, 3600):
            raise SystemExit("took too long")
        ended = [each.ended_at for each in ledger.among(wanted)]
        return sorted(at.timestamp() - began for at in ended if at is not None)


def main() -> None:
    """Measure idling with and without parked submissions, then the delay."""
    options = argparse.ArgumentParser()
    options.add_argument("--parked", type=int, default=5000)
    options.add_argument("--ends", type=int, default=50, help="so many end slicing and are timed")
    options.add_argument("--seconds", type=float, default=60.0)
    options.add_argument("--budget", type=float, default=10.0, help="requests per second")
    asked = options.parse_args()
    os.environ["STLFLOW_SLICE_LIMIT_SECONDS"] = str(100 * LONG_SECONDS)
    with tempfile.TemporaryDirectory() as name, simulated_cloud(slice_seconds=LONG_SECONDS) as url:
        folder, budget = Path(name), {"STLFLOW_REQUESTS_PER_SECOND": str(asked.budget)}
        with service(folder, url, **budget) as process:
            idle_mb = resident_mb(process)
        with ThreadPoolExecutor(THREADS) as threads:
            first = list(threads.map(lambda number: upload(url, number), range(asked.ends)))
            advance(url, LONG_SECONDS / 2)
            rest = list(threads.map(lambda number: upload(url, number), range(asked.ends, asked.parked)))
        park(folder, [*first, *rest], age_seconds=600.0)
        with service(folder, url, **budget) as process:
            until(lambda: polls(url) > 0)
            asked_before, cpu_before, began = polls(url), cpu_seconds(process), time.monotonic()
            until(lambda: time.monotonic() - began > asked.seconds, asked.seconds + 60)
            passed = time.monotonic() - began
            per_second = (polls(url) - asked_before) / passed
            busy = 100 * (cpu_seconds(process) - cpu_before) / passed
            above = resident_mb(process) - idle_mb
            advance(url, LONG_SECONDS / 2 + 60)
            took = delays(folder, range(asked.ends), time.time())
    print(f"{asked.parked} parked, {asked.budget:g} requests/s: {above:.0f} MB above idle,")
    print(f"{busy:.1f} % of a core, {per_second:.1f} questions/s; COMPLETED to dispatched of {asked.ends}:")
    print(f"p50 {statistics.median(took):.0f} s, p95 {took[int(len(took) * 0.95)]:.0f} s")


if __name__ == "__main__":
    main()
