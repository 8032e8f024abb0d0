"""What an idle service costs: processor time, wake-ups of each thread, and memory (Linux).

    python -m tests.bench.bench_idle [--seconds 60] [--database sqlite|postgres]

The inbox is empty and nothing is under way. A wake-up is a voluntary switch of context: the thread had
gone to sleep. The service is left alone for `--settle` seconds first: its start is no idling.
"""

import argparse
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.bench_throughput import service, simulated_cloud
from tests.bench.process_cost import memory, seconds_by_name, server_seconds, thread_seconds
from tests.postgres import Postgres, postgres_server
from tests.waiting import until

WOKEN = "voluntary_ctxt_switches:"


def wake_ups(pid: int) -> dict[tuple[str, str], int]:
    """Count the wake-ups of each thread of a process so far, by thread id and name."""
    counted = {}
    for thread in Path(f"/proc/{pid}/task").iterdir():
        lines = (thread / "status").read_text("utf-8").splitlines()
        name = lines[0].partition("\t")[2]
        counted[thread.name, name] = next(int(line.split()[1]) for line in lines if line.startswith(WOKEN))
    return counted


@contextmanager
def database(kind: str) -> Iterator[tuple[dict[str, str], Postgres | None]]:
    """Return the settings of a service on this kind of database, and the server that it runs on."""
    if kind == "sqlite":
        yield {}, None
        return
    with postgres_server() as server:
        yield {"STLFLOW_DATABASE_URL": server.database()}, server


def leave_alone(seconds: float) -> None:
    """Let time pass."""
    began = time.monotonic()
    until(lambda: time.monotonic() - began >= seconds, seconds + 60)


def measure(process: subprocess.Popen[bytes], server: Postgres | None, seconds: float) -> None:
    """Print what the service does while nothing is to be done, the busiest thread first."""
    woken_before, before, theirs = wake_ups(process.pid), thread_seconds(process.pid), server_seconds(server)
    began = time.monotonic()
    leave_alone(seconds)
    passed, woken = time.monotonic() - began, Counter[str]()
    for key, count in wake_ups(process.pid).items():
        woken[key[1]] += count - woken_before.get(key, 0)
    spent = seconds_by_name(before, thread_seconds(process.pid))
    for name in sorted(spent, key=lambda name: -spent[name]):
        each_minute = 60_000 * spent[name] / passed
        print(f"  {name:16} {woken[name] / passed:6.2f} wake-ups/s {each_minute:7.0f} ms a minute")
    print(f"  {'all':16} {woken.total() / passed:6.2f} wake-ups/s")
    print(f"{100 * sum(spent.values()) / passed:.2f} % of a core,", end=" ")
    if server is not None:
        print(f"the Postgres server {100 * (server_seconds(server) - theirs) / passed:.2f} %,", end=" ")
    threads = len(list(Path(f"/proc/{process.pid}/task").iterdir()))
    used = memory(process.pid)
    print(f"{used.total:.0f} MB ({used.private:.0f} MB private), {threads} threads")


def main() -> None:
    """Measure an idle service."""
    options = argparse.ArgumentParser()
    options.add_argument("--seconds", type=float, default=60.0)
    options.add_argument("--settle", type=float, default=65.0, help="seconds before the measurement begins")
    options.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    asked = options.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        simulated_cloud() as url,
        database(asked.database) as (settings, server),
        service(Path(folder), url, "tests.bench.named_threads", **settings) as process,
    ):
        leave_alone(asked.settle)
        measure(process, server, asked.seconds)


if __name__ == "__main__":
    main()
