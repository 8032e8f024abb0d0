"""Files per second on Postgres with 1, 2 and 4 workers, and their ratios in one run.

    python -m tests.bench.bench_workers [--files 400] [--workers 1,2,4]

Each worker is a `stlflow run` with a state folder of its own; slicing is instant and the rate budget wide.
With more workers than cores the ratio tells what sharing costs, not what it gains.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.bench.bench_throughput import RULES, box, drop, effects, settings_of, simulated_cloud
from tests.postgres import postgres_server
from tests.waiting import until


@contextmanager
def workers(folder: Path, url: str, database: str, count: int) -> Iterator[Sequence[subprocess.Popen[bytes]]]:
    """Run so many services on one share."""
    (folder / "rules.yaml").write_text(RULES)
    with ExitStack() as stack:
        running = []
        for place in range(count):
            settings = {
                **settings_of(folder, url),
                "STLFLOW_STATE": str(folder / f"state{place}"),
                "STLFLOW_DATABASE_URL": database,
            }
            process = subprocess.Popen(
                [sys.executable, "-m", "workflow", "run"], env={**os.environ, **settings}, cwd=folder
            )
            stack.callback(process.wait, 60)
            stack.callback(process.terminate)
            running.append(process)
        yield running


def measure(database: str, count: int, files: dict[str, bytes]) -> float:
    """Return files per second with so many workers."""
    with tempfile.TemporaryDirectory() as name, simulated_cloud() as url:
        folder, before = Path(name), effects(url)
        with workers(folder, url, database, count) as running:
            if not until(
                lambda: all((folder / f"state{place}" / "logs").is_dir() for place in range(count)), 60
            ):
                raise SystemExit("the services did not start")
            until((folder / "share" / "inbox").is_dir, 60)
            began = time.monotonic()
            drop(files, folder / "share" / "inbox")
            done = folder / "share" / "done"
            if not until(lambda: len(list(done.glob("*.stl"))) == len(files), 1800):
                raise SystemExit("the services took too long")
            took = time.monotonic() - began
            assert all(process.poll() is None for process in running)
        assert effects(url) - before == len(files), "each file exactly once"
    return len(files) / took


def main() -> None:
    """Measure each number of workers on a fresh database of one server."""
    options = argparse.ArgumentParser()
    options.add_argument("--files", type=int, default=400)
    options.add_argument("--workers", default="1,2,4")
    asked = options.parse_args()
    files = {f"part{number:05}.stl": box(10 + number / 1000, 20, 30) for number in range(asked.files)}
    counts = [int(count) for count in asked.workers.split(",")]
    with postgres_server() as server:
        rates = {count: measure(server.database(), count, files) for count in counts}
    for count, rate in rates.items():
        print(f"{count} worker(s): {rate:.1f} files/s, {rate / rates[counts[0]]:.2f} of {counts[0]}")


if __name__ == "__main__":
    main()
