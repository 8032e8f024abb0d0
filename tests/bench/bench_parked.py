"""Thousands of submissions parked in slicing: memory, CPU, questions per second, and how soon one goes on.

    python -m tests.bench.bench_parked [--parked 5000] [--seconds 60] [--database sqlite|postgres]

The parts are uploaded by a plain script, and their rows written as the service would have. Then the
service idles over them; then `--ends` of them end slicing, so many seconds apart, and each is timed from
COMPLETED to dispatched. The same is measured where every slice job is asked for by itself, and, with
`--strange`, where the cloud gives builds titles of its own.
"""

import argparse
import hashlib
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from pathlib import Path

import requests
from sqlalchemy import insert

from tests.bench.bench_idle import database
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
PROGRAMS = ("workflow", "tests.bench.one_by_one")
Uploaded = dict[str, str]


def upload(url: str, number: int, *, strange: bool) -> Uploaded:
    """Upload one part as the service would."""
    signature = "" if strange else f"~{number + 1}-{sha256(number)[:6]}"
    part = {"stlFile": (f"part{number}{signature}.stl", box(10 + number / 1000, 20, 30))}
    reply: Uploaded = requests.post(f"{url}/parts/upload_stl", files=part, auth=AUTH, timeout=60).json()
    return reply


def sha256(number: int) -> str:
    """Return what stands for the content of a part."""
    return hashlib.sha256(str(number).encode()).hexdigest()


def database_url(folder: Path, settings: dict[str, str]) -> str:
    """Return the address of the service's database."""
    return settings.get("STLFLOW_DATABASE_URL") or f"sqlite:///{folder / 'state' / 'stlflow.db'}"


def park(folder: Path, url: str, uploaded: list[Uploaded], age_seconds: float) -> None:
    """Write rows that wait for slicing, as old as is said."""
    (folder / "state").mkdir(exist_ok=True)
    processing = folder / "share" / "processing"
    processing.mkdir(parents=True, exist_ok=True)
    since = time.time() - age_seconds
    with closing(Ledger(url)) as ledger, ledger.write_transaction() as write:
        for number, made in enumerate(uploaded):
            name = f"{number + 1}~part{number}.stl"
            (processing / name).write_bytes(box(10 + number / 1000, 20, 30))
            row = {
                "path": f"part{number}.stl", "state": "slicing", "opened_at": since, "preset": "Onyx",
                "sha256": sha256(number), "claimed_as": f"processing/{name}", "size": 684,
                "step": "poll", "turn": 1,
                "part_version_id": made["part_version_id"], "slice_job_id": made["slice_job_id"],
                "uploaded_at": since, "waiting_since": since, "due_at": since,
            }  # fmt: skip
            write.execute(insert(submissions).values(row))


def polls(url: str) -> int:
    """Count the questions for slice jobs that the simulator has seen."""
    journal = requests.get(url.removesuffix("/api/v3") + "/_sim/journal", timeout=60).json()
    return sum(entry["operation"] == "getSliceStatus" for entry in journal)


def advance(url: str, seconds: float) -> float:
    """Put the simulator's clock forward; gives its time then."""
    control = url.removesuffix("/api/v3") + "/_sim/clock"
    reply = requests.post(control, json={"advance_seconds": seconds}, timeout=60)
    return datetime.fromisoformat(reply.json()["now"]).timestamp()


def delays(url: str, ends: Sequence[float]) -> list[float]:
    """Wait until the first submissions are dispatched; gives the seconds that each took since its end."""
    with closing(Ledger(url)) as ledger:
        wanted = range(1, len(ends) + 1)

        def all_sent() -> bool:
            return all(each.ended_at is not None for each in ledger.among(wanted))

        if not until(all_sent, 3600):
            raise SystemExit("took too long")
        sent = [each.ended_at.timestamp() for each in ledger.among(wanted) if each.ended_at is not None]
        return sorted(at - end for at, end in zip(sent, ends, strict=True))


def measure(asked: argparse.Namespace, program: str) -> None:
    """Measure idling with and without parked submissions, then the delay, and print them."""
    with (
        tempfile.TemporaryDirectory() as name,
        simulated_cloud(slice_seconds=LONG_SECONDS) as url,
        database(asked.database) as settings,
    ):
        folder, ledger_url = Path(name), database_url(Path(name), settings)
        settings["STLFLOW_REQUESTS_PER_SECOND"] = str(asked.budget)
        with service(folder, url, program, **settings) as process:
            idle_mb = resident_mb(process)
        first, ends = list[Uploaded](), list[float]()
        for number in range(asked.ends):
            first.append(upload(url, number, strange=asked.strange))
            ends.append(advance(url, asked.apart) - asked.apart + LONG_SECONDS)
        advance(url, LONG_SECONDS / 2)
        with ThreadPoolExecutor(THREADS) as threads:
            others = range(asked.ends, asked.parked)
            rest = list(threads.map(lambda number: upload(url, number, strange=asked.strange), others))
        park(folder, ledger_url, [*first, *rest], age_seconds=600.0)
        with service(folder, url, program, **settings) as process:
            until(lambda: polls(url) > 0)
            asked_before, cpu_before, began = polls(url), cpu_seconds(process), time.monotonic()
            until(lambda: time.monotonic() - began > asked.seconds, asked.seconds + 60)
            passed = time.monotonic() - began
            per_second = (polls(url) - asked_before) / passed
            busy = 100 * (cpu_seconds(process) - cpu_before) / passed
            above = resident_mb(process) - idle_mb
            ahead = advance(url, ends[0] - advance(url, 0)) - time.time()
            took = delays(ledger_url, [end - ahead for end in ends])
    print(f"{asked.parked} parked, {asked.budget:g} requests/s, {asked.database} ({program}):")
    print(f"{above:.0f} MB above idle, {busy:.1f} % of a core, {per_second:.1f} questions/s;")
    print(f"COMPLETED to dispatched of {asked.ends}:")
    print(f"p50 {statistics.median(took):.0f} s, p95 {took[int(len(took) * 0.95)]:.0f} s", flush=True)


def main() -> None:
    """Measure the service as it is, and one that asks for every slice job by itself."""
    options = argparse.ArgumentParser()
    options.add_argument("--parked", type=int, default=5000)
    options.add_argument("--ends", type=int, default=50, help="so many end slicing and are timed")
    options.add_argument("--apart", type=float, default=0.0, help="seconds between two ends")
    options.add_argument("--seconds", type=float, default=60.0)
    options.add_argument("--budget", type=float, default=10.0, help="requests per second")
    options.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    options.add_argument("--strange", action="store_true", help="titles of builds tell nothing")
    options.add_argument("--only", choices=PROGRAMS, help="measure one of the two")
    asked = options.parse_args()
    os.environ["STLFLOW_SLICE_LIMIT_SECONDS"] = str(100 * LONG_SECONDS)
    for program in [asked.only] if asked.only else PROGRAMS:
        measure(asked, program)


if __name__ == "__main__":
    main()
