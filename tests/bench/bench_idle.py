"""What an idle service costs: processor time, wake-ups of each thread, and memory (Linux).

    python -m tests.bench.bench_idle [--seconds 60] [--database sqlite|postgres]

The inbox is empty and nothing is under way. A wake-up is a voluntary switch of context: the thread had
gone to sleep. The service is left alone for `--settle` seconds first: its start is no idling.
"""

import argparse
import subprocess
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.bench_throughput import cpu_seconds, resident_mb, service, simulated_cloud
from tests.postgres import postgres_server
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


def processor_seconds(pid: int) -> dict[tuple[str, str], float]:
    """Return the processor time of each thread so far, by thread id and name."""
    spent = {}
    for thread in Path(f"/proc/{pid}/task").iterdir():
        name = (thread / "comm").read_text("utf-8").strip()
        spent[thread.name, name] = int((thread / "schedstat").read_text("utf-8").split()[0]) / 1e9
    return spent


@contextmanager
def database(kind: str) -> Iterator[dict[str, str]]:
    """Return the settings of a service on this kind of database."""
    if kind == "sqlite":
        yield {}
        return
    with postgres_server() as server:
        yield {"STLFLOW_DATABASE_URL": server.database()}


def leave_alone(seconds: float) -> None:
    """Let time pass."""
    began = time.monotonic()
    until(lambda: time.monotonic() - began >= seconds, seconds + 60)


def by_thread(pid: int, seconds: float) -> None:
    """Print what each thread does in so many seconds, the busiest first."""
    woken_before, spent_before = wake_ups(pid), processor_seconds(pid)
    leave_alone(seconds)
    woken, spent = Counter[str](), defaultdict[str, float](float)
    for key, count in wake_ups(pid).items():
        woken[key[1]] += count - woken_before.get(key, 0)
    for key, used in processor_seconds(pid).items():
        spent[key[1]] += used - spent_before.get(key, 0.0)
    for name in sorted(spent, key=lambda name: -spent[name]):
        each_minute = 60_000 * spent[name] / seconds
        print(f"  {name:16} {woken[name] / seconds:6.2f} wake-ups/s {each_minute:7.0f} ms a minute")
    print(f"  {'all':16} {woken.total() / seconds:6.2f} wake-ups/s")


def measure(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Print what the service does while nothing is to be done."""
    before, began = cpu_seconds(process), time.monotonic()
    by_thread(process.pid, seconds)
    passed = time.monotonic() - began
    used = cpu_seconds(process) - before
    print(f"{60 * used / passed:.2f} s of processor time a minute: {100 * used / passed:.2f} % of a core,")
    threads = len(list(Path(f"/proc/{process.pid}/task").iterdir()))
    print(f"{resident_mb(process):.0f} MB, {threads} threads")


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
        database(asked.database) as settings,
        service(Path(folder), url, "tests.bench.named_threads", **settings) as process,
    ):
        leave_alone(asked.settle)
        measure(process, asked.seconds)


if __name__ == "__main__":
    main()
