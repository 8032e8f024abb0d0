"""How quick the console is: its queries with 100,000 submissions, its pages, and what an idle page costs.

`python -m tests.bench.bench_console` prints one line for each budget; `--submissions` sets the number.
`--service` measures a running service instead (Linux): its memory before and after the first pages, as the
operating system counts it (RSS), and its start, with the console and without.
"""

import argparse
import gzip
import json
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import requests
from sqlalchemy import insert

from tests.bench.bench_idle import leave_alone
from tests.bench.bench_throughput import cpu_seconds, resident_mb, service, simulated_cloud
from tests.docs.blocks import ROOT
from tests.free_ports import free_port
from workflow.console import make_console, open_listener, running_console
from workflow.ledger import Ledger
from workflow.ledger.tables import events, submissions
from workflow.mesh.inspection import inspect_mesh
from workflow.settings import Settings

STATES = ("dispatched",) * 16 + ("rejected", "rejected", "canceled", "slicing")
AT_ONCE = 5000
REPEATS = 7
MESH = json.dumps(asdict(inspect_mesh(ROOT / "samples" / "bracket.stl", "bracket.stl")))


def fill(ledger: Ledger, count: int, held: int) -> None:
    """Write submissions with three events each; the last ones are held."""
    now = datetime.now(UTC).timestamp()
    with ledger.write_transaction() as connection:
        for begin in range(1, count + 1, AT_ONCE):
            rows = [
                _row(number, now - (count - number) * 60, is_held=number > count - held)
                for number in range(begin, min(begin + AT_ONCE, count + 1))
            ]
            connection.execute(insert(submissions), rows)
            connection.execute(insert(events), [line for row in rows for line in _lines(row)])


def _lines(row: dict[str, object]) -> Iterator[dict[str, object]]:
    for event in ("claimed", "inspected", "dispatched"):
        yield {"submission": row["id"], "at": row["opened_at"], "event": event, "detail": "by rule 7"}


def _row(number: int, at: float, *, is_held: bool) -> dict[str, object]:
    state = "held" if is_held else STATES[number % len(STATES)]
    ended = None if state in {"held", "slicing"} else at + 30
    reason, hold = ("Held by a rule.", "rule") if is_held else (None, None)
    return {
        "id": number, "path": f"customer {number % 90}/order {number // 9}/bracket_{number:06}.stl",
        "state": state, "opened_at": at, "claimed_as": f"done/{number}.stl", "size": 123_456,
        "sha256": f"{number:064x}", "reason": reason, "hold": hold, "ended_at": ended, "preset": "Onyx",
        "destination": "device_queue", "device": f"Mark Two {number % 20}", "turn": 3, "tries": 0,
        "routing_rule": "everything else", "intake_rule": "parts of customers", "mesh": MESH,
        "dropped_by": f"person {number % 30}", "left_in_place": False, "released": False,
    }  # fmt: skip


@contextmanager
def console(count: int, held: int) -> Iterator[str]:
    """Serve a ledger of so many submissions."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state"
        state.mkdir()
        settings = Settings.model_validate({"share": Path(folder) / "share", "state": state})
        ledger = Ledger(settings.database)
        fill(ledger, count, held)
        with (
            open_listener("127.0.0.1", 0) as listener,
            running_console(make_console(settings, ledger), listener) as url,
        ):
            requests.get(url, timeout=60)
            yield url
        ledger.close()


def milliseconds(do: Callable[[], object]) -> float:
    """Return the median of processor time of a few runs, client and server together: others may be busy."""
    took = []
    for _ in range(REPEATS):
        began = time.process_time()
        do()
        took.append(1000 * (time.process_time() - began))
    return statistics.median(took)


PAGES = [
    "/",
    "/submissions",
    "/submissions?q=bracket_0001",
    "/submissions?q=nothing+like+it",
    "/submissions?q=state:held",
    "/submissions?q=-state:sent",
    "/submissions?q=since:today",
    "/submissions?sort=file",
    "/submissions?sort=-state",
    "/submissions?q=customer+7&sort=destination",
    "/mine?who=person+7",
    "/s/17",
]
FIRST_VISIT = [
    "/submissions",
    "/static/console.css",
    "/static/console.js",
    "/static/live.js",
    "/static/keys.js",
    "/static/drop.js",
    "/static/icons.svg",
    "/static/icon.svg",
]


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--submissions", type=int, default=100_000)
    parser.add_argument("--held", type=int, default=40)
    parser.add_argument("--idle-seconds", type=float, default=10.0)
    parser.add_argument("--service", action="store_true", help="memory and start of a running service")
    parser.add_argument(
        "--starts", type=int, default=5, help="how many with the console, and how many without"
    )
    given = parser.parse_args()
    if given.service:
        measure_memory()
        measure_starts(given.starts)
        return
    with console(given.submissions, given.held) as url:
        session = requests.Session()
        for page in PAGES:
            took = milliseconds(partial(session.get, f"{url}{page}", timeout=60))
            print(f"{took:8.1f} ms  {page}  ({given.submissions:,} submissions)")
        print(f"{first_load(session, url) / 1000:8.1f} kB  first load of /submissions, compressed")
        print(f"{idle_share(url, given.idle_seconds):8.2f} %   of a core for an idle page with its stream")


SETTLE_SECONDS = 15.0
CONNECTIONS = 6
"""A browser's, to one host."""
FIRST_PAGES = ("/", "/submissions", "/printers", "/rules", "/health", "/mine", "/wall", *FIRST_VISIT[1:])


def measure_memory() -> None:
    """Print what the first pages add to the memory of a service, over one connection and over six."""
    port = free_port()
    with (
        tempfile.TemporaryDirectory() as folder,
        simulated_cloud() as cloud,
        service(Path(folder), cloud, STLFLOW_CONSOLE_PORT=str(port)) as process,
    ):
        leave_alone(SETTLE_SECONDS)
        at_rest = resident_mb(process)
        print(f"{at_rest:8.1f} MB  at rest, before the first page")
        for connections in (1, CONNECTIONS):
            with ThreadPoolExecutor(connections) as visitors:
                list(visitors.map(visit, [f"http://127.0.0.1:{port}"] * connections))
            leave_alone(SETTLE_SECONDS)
            print(f"{resident_mb(process) - at_rest:+8.1f} MB  after the first pages, {connections} at once")


def visit(url: str) -> None:
    """Open the first pages over one connection."""
    with requests.Session() as session:
        for page in FIRST_PAGES:
            session.get(f"{url}{page}", timeout=60).raise_for_status()


def measure_starts(rounds: int) -> None:
    """Print how long a start takes until systemd hears READY, with the console and without, in turns."""
    took = [(start_once(free_port()), start_once(0)) for _ in range(rounds)]
    for kind, name in enumerate(("seconds", "s of processor time")):
        beside, alone = (statistics.median(each[which][kind] for each in took) for which in (0, 1))
        print(
            f"{beside - alone:+8.2f} {name}, which the console adds to a start of {alone:.2f} ({rounds} each)"
        )


def start_once(port: int) -> tuple[float, float]:
    """Start a service and wait until it is ready; return the seconds that passed, and those it used."""
    with (
        tempfile.TemporaryDirectory() as folder,
        simulated_cloud() as cloud,
    ):
        began = time.perf_counter()
        with service(Path(folder), cloud, STLFLOW_CONSOLE_PORT=str(port)) as process:
            return time.perf_counter() - began, cpu_seconds(process)


def first_load(session: requests.Session, url: str) -> int:
    """Return the bytes of a first visit, as they are sent: the page, its styles and scripts."""
    return sum(len(gzip.compress(session.get(f"{url}{each}", timeout=60).content, 5)) for each in FIRST_VISIT)


def idle_share(url: str, seconds: float) -> float:
    """Return the share of one core that this process needs while one page is open and nothing happens.

    It waits for the stream's own heartbeats, so that waiting itself costs nothing.
    """
    with requests.get(f"{url}/events", stream=True, timeout=60) as reply:
        lines = reply.iter_lines(chunk_size=1)
        next(lines)
        before, began = _processor_seconds(), time.perf_counter()
        next(line for line in lines if time.perf_counter() - began >= seconds)
        return 100 * (_processor_seconds() - before) / (time.perf_counter() - began)


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
