"""Thousands of submissions parked in slicing: memory, processor time, questions per second, and delay.

    python -m tests.bench.bench_parked [--parked 5000] [--seconds 60] [--settle 30]
                                       [--database sqlite|postgres|both] [--due later|now] [--ends 0]

The parts are uploaded by a plain script, and their rows written as the service would have. An empty service
is measured first, as long and as late after its start as the one over the parked. `--due later` spreads the
polls as the service does by itself after the first round; `--due now` is a start after a long stop: all are
due. Then `--ends` of them end slicing, so many seconds apart, and each is timed from COMPLETED to dispatched.
`--one-by-one` measures a service that asks for every slice job by itself, and `--strange` a cloud that gives
builds titles of its own.
"""

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import requests

from tests.bench.bench_idle import database, leave_alone
from tests.bench.bench_throughput import THREADS, service, simulated_cloud
from tests.bench.parked import Parking, Uploaded, upload
from tests.bench.process_cost import Memory, memory, seconds_by_name, server_seconds, thread_seconds
from tests.postgres import Postgres
from tests.waiting import until
from workflow.ledger import Ledger
from workflow.pipeline.retry import POLL_SHARE, RetrySchedule

LONG_SECONDS = 100_000
AGE_SECONDS = 600.0
BUSIEST = 5


@dataclass(frozen=True)
class Cost:
    """What a service cost while nothing ended."""

    memory: Memory
    share: float
    """Of a core, in percent."""
    server_share: float
    """Of a core, by the Postgres server; 0 for SQLite."""
    threads: dict[str, float]
    """Share of a core by thread, in percent."""
    calls: dict[str, float]
    """Questions to the cloud per second, by operation."""


def calls(url: str) -> Counter[str]:
    """Count the questions that the simulator has seen, by operation."""
    journal = requests.get(url.removesuffix("/api/v3") + "/_sim/journal", timeout=60).json()
    return Counter(entry["operation"] for entry in journal)


def cost(
    process: subprocess.Popen[bytes], url: str, server: Postgres | None, asked: argparse.Namespace
) -> Cost:
    """Measure a service, some time after its start."""
    leave_alone(asked.settle)
    asked_before, before, theirs = calls(url), thread_seconds(process.pid), server_seconds(server)
    began = time.monotonic()
    leave_alone(asked.seconds)
    passed = time.monotonic() - began
    spent = seconds_by_name(before, thread_seconds(process.pid))
    return Cost(
        memory(process.pid),
        100 * sum(spent.values()) / passed,
        100 * (server_seconds(server) - theirs) / passed,
        {name: 100 * seconds / passed for name, seconds in spent.items()},
        {name: count / passed for name, count in (calls(url) - asked_before).items()},
    )


def advance(url: str, seconds: float) -> float:
    """Put the simulator's clock forward; return its time then."""
    control = url.removesuffix("/api/v3") + "/_sim/clock"
    reply = requests.post(control, json={"advance_seconds": seconds}, timeout=60)
    return datetime.fromisoformat(reply.json()["now"]).timestamp()


def delays(ledger_url: str, ends: Sequence[float]) -> list[float]:
    """Wait until the first submissions are dispatched; return the seconds that each took since its end."""
    with closing(Ledger(ledger_url)) as ledger:
        wanted = range(1, len(ends) + 1)

        def all_sent() -> bool:
            return all(each.ended_at is not None for each in ledger.among(wanted))

        if not until(all_sent, 3600):
            raise SystemExit("took too long")
        sent = [each.ended_at.timestamp() for each in ledger.among(wanted) if each.ended_at is not None]
        return sorted(at - end for at, end in zip(sent, ends, strict=True))


def upload_all(url: str, asked: argparse.Namespace) -> tuple[list[Uploaded], list[float]]:
    """Upload the parts; return the replies, and when the first of them end slicing by the cloud's clock."""
    first, ends = list[Uploaded](), list[float]()
    for number in range(asked.ends):
        first.append(upload(url, number, strange=asked.strange))
        ends.append(advance(url, asked.apart) - asked.apart + LONG_SECONDS)
    advance(url, LONG_SECONDS / 2)
    with ThreadPoolExecutor(THREADS) as threads:
        others = range(asked.ends, asked.parked)
        rest = list(threads.map(lambda number: upload(url, number, strange=asked.strange), others))
    return [*first, *rest], ends


def due_at(asked: argparse.Namespace, number: int) -> float:
    """Return when a part is polled next."""
    now = time.time()
    if asked.due == "now":
        return now - AGE_SECONDS
    schedule = RetrySchedule(polls_per_second=asked.budget * POLL_SHARE, slice_limit_seconds=float("inf"))
    spread_seconds = schedule.poll_delay(AGE_SECONDS, asked.parked)
    return now + spread_seconds * (number + 1) / float(asked.parked)


def measure(asked: argparse.Namespace, kind: str) -> None:
    """Measure a service with and without parked submissions, then the delay, and print all of it."""
    with (
        tempfile.TemporaryDirectory() as name,
        simulated_cloud(slice_seconds=LONG_SECONDS) as url,
        database(kind) as (settings, server),
    ):
        folder = Path(name)
        ledger_url = settings.get("STLFLOW_DATABASE_URL") or f"sqlite:///{folder / 'state' / 'stlflow.db'}"
        settings["STLFLOW_REQUESTS_PER_SECOND"] = str(asked.budget)
        with service(folder, url, "tests.bench.named_threads", **settings) as process:
            empty = cost(process, url, server, asked)
        uploaded, ends = upload_all(url, asked)
        since = time.time() - AGE_SECONDS
        Parking(folder, url, ledger_url, since, lambda number: due_at(asked, number)).park(uploaded)
        program = "tests.bench.one_by_one" if asked.one_by_one else "tests.bench.named_threads"
        with service(folder, url, program, **settings) as process:
            full = cost(process, url, server, asked)
            show(asked, kind, empty, full)
            if ends:
                ahead = advance(url, ends[0] - advance(url, 0)) - time.time()
                show_delays(delays(ledger_url, [end - ahead for end in ends]))


def show(asked: argparse.Namespace, kind: str, empty: Cost, full: Cost) -> None:
    """Print what the parked submissions cost."""
    print(f"{kind}: {asked.parked} parked, due {asked.due}, {asked.budget:g} requests/s,", end=" ")
    print(f"load {os.getloadavg()[0]:.1f}")
    private, mapped = full.memory.private - empty.memory.private, full.memory.mapped - empty.memory.mapped
    print(f"  {full.memory.total:.1f} MB, {private + mapped:+.1f} MB over an empty service", end=" ")
    print(f"({private:+.1f} private, {mapped:+.1f} of files)")
    print(f"  {full.share:.2f} % of a core, an empty service {empty.share:.2f} %")
    if full.server_share:
        print(f"  {full.server_share:.2f} % of a core by the server, without parked", end=" ")
        print(f"{empty.server_share:.2f} %")
    for name in sorted(full.threads, key=lambda name: -full.threads[name])[:BUSIEST]:
        print(
            f"    {name:16} {full.threads[name]:.2f} %, without parked {empty.threads.get(name, 0.0):.2f} %"
        )
    for operation, count in sorted(full.calls.items()):
        print(f"    {operation:16} {count:.2f}/s", flush=True)


def show_delays(took: Sequence[float]) -> None:
    """Print how long it took from COMPLETED to dispatched."""
    print(f"  COMPLETED to dispatched of {len(took)}:", end=" ")
    print(f"p50 {statistics.median(took):.0f} s, p95 {took[int(len(took) * 0.95)]:.0f} s", flush=True)


def main() -> None:
    """Measure on one kind of database, or on both."""
    options = argparse.ArgumentParser()
    options.add_argument("--parked", type=int, default=5000)
    options.add_argument("--seconds", type=float, default=60.0)
    options.add_argument("--settle", type=float, default=30.0, help="seconds before a measurement begins")
    options.add_argument("--due", choices=("later", "now"), default="later")
    options.add_argument("--ends", type=int, default=0, help="so many end slicing and are timed")
    options.add_argument("--apart", type=float, default=0.0, help="seconds between two ends")
    options.add_argument("--budget", type=float, default=10.0, help="requests per second")
    options.add_argument("--database", choices=("sqlite", "postgres", "both"), default="both")
    options.add_argument("--strange", action="store_true", help="titles of builds tell nothing")
    options.add_argument("--one-by-one", action="store_true", help="without listings of builds")
    asked = options.parse_args()
    os.environ["STLFLOW_SLICE_LIMIT_SECONDS"] = str(100 * LONG_SECONDS)
    for kind in ("sqlite", "postgres") if asked.database == "both" else (asked.database,):
        measure(asked, kind)


if __name__ == "__main__":
    main()
