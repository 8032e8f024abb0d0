"""How soon an idle service acts: on a dropped file, and on an order of another process.

    python -m tests.bench.bench_latency [--times 20] [--database sqlite|postgres]

Slicing is instant. A drop is timed from its rename to the file in done/ (it settles for 0.3 s of that), an
order from its `release` until the build is sent. Before each the service has had a few seconds of rest.
"""

import argparse
import tempfile
import time
from contextlib import closing
from pathlib import Path

from tests.bench.bench_idle import database, leave_alone
from tests.bench.bench_throughput import box, service, simulated_cloud
from tests.waiting import until
from workflow.ledger import Ledger
from workflow.model import SubmissionState
from workflow.pipeline.commands import release_submission

RULES = """\
version: 1
intake:
  - {name: all, preset: Onyx}
routing:
  - {name: look first, when: {path: "held/**"}, hold: "Look first."}
  - {name: all, send_to: job_request}
"""
REST_SECONDS = (1.1, 1.4, 1.7, 2.0)
"""In turn, so that the service is met at different moments of its pauses."""


def drop(folder: Path, path: str, content: bytes) -> float:
    """Put a file into the inbox; gives when."""
    staged, place = folder / "staged.stl", folder / "share" / "inbox" / path
    staged.write_bytes(content)
    place.parent.mkdir(exist_ok=True)
    staged.rename(place)
    return time.monotonic()


def picked_up(folder: Path, number: int) -> float:
    """Return the seconds from a drop to its end."""
    began = drop(folder, f"part{number}.stl", box(10 + number / 100, 20, 30))
    if not until((folder / "share" / "done" / f"part{number}.stl").is_file, 60):
        raise SystemExit("took too long")
    return time.monotonic() - began


def obeyed(folder: Path, ledger: Ledger, number: int) -> float:
    """Return the seconds from an order to its effect."""
    path = f"held/part{number}.stl"
    drop(folder, path, box(40 + number / 100, 20, 30))

    def held() -> int | None:
        found = (
            each for each in ledger.all([SubmissionState.HELD]) if each.path == path and each.step is None
        )
        return next((each.id for each in found), None)

    if not until(held, 60):
        raise SystemExit("took too long")
    waiting = held() or 0
    leave_alone(REST_SECONDS[number % len(REST_SECONDS)])
    began = time.monotonic()
    release_submission(ledger, waiting)
    if not until(lambda: ledger.get(waiting).state is SubmissionState.DISPATCHED, 60):
        raise SystemExit("took too long")
    return time.monotonic() - began


def spread(seconds: list[float]) -> str:
    """Return median and worst."""
    ordered = sorted(seconds)
    return f"p50 {ordered[len(ordered) // 2]:.2f} s, slowest {ordered[-1]:.2f} s"


def main() -> None:
    """Measure both."""
    options = argparse.ArgumentParser()
    options.add_argument("--times", type=int, default=20)
    options.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    asked = options.parse_args()
    with (
        tempfile.TemporaryDirectory() as name,
        simulated_cloud() as url,
        database(asked.database) as (settings, _),
    ):
        folder, rules = Path(name), Path(name) / "looking.yaml"
        rules.write_text(RULES)
        (folder / "state").mkdir()
        address = settings.get("STLFLOW_DATABASE_URL", f"sqlite:///{folder / 'state' / 'stlflow.db'}")
        with (
            service(folder, url, STLFLOW_RULES=str(rules), **settings),
            closing(Ledger(address)) as ledger,
        ):
            taken, orders = list[float](), list[float]()
            for number in range(asked.times):
                leave_alone(REST_SECONDS[number % len(REST_SECONDS)])
                taken.append(picked_up(folder, number))
                orders.append(obeyed(folder, ledger, number))
    print(f"from a drop to done/: {spread(taken)}; from an order to sent: {spread(orders)}")


if __name__ == "__main__":
    main()
