"""kill -9 of the real service while files are in every state: all end, none twice."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cloud import Cloud, simulated
from tests.stl import box, flat_box
from tests.waiting import until
from workflow.ledger import Ledger
from workflow.model import Submission, SubmissionState

SETTINGS = {
    "STLFLOW_ACCESS_KEY": "demo",
    "STLFLOW_SECRET_KEY": "demo",
    "STLFLOW_SETTLE_SECONDS": "0.2",
    "STLFLOW_SETTLE_ASCII_SECONDS": "0.3",
    "STLFLOW_SWEEP_SECONDS": "0.5",
    "STLFLOW_SLICE_FIRST_POLL_SECONDS": "0.2",
    "STLFLOW_REQUEST_TIMEOUT_SECONDS": "1",
    "STLFLOW_LATE_EFFECT_SECONDS": "1",
    "STLFLOW_REQUESTS_PER_SECOND": "200",
    "STLFLOW_LOG_LEVEL": "WARNING",
    "STLFLOW_MASS_ARRIVAL_FILES": "0",  # on a slow machine all that was dropped waits for one start
}
GOOD = 12
BAD = 3


def start(folder: Path, cloud: Cloud) -> subprocess.Popen[bytes]:
    places = {
        "STLFLOW_SHARE": str(folder / "share"),
        "STLFLOW_STATE": str(folder / "state"),
        "STLFLOW_EIGER_URL": cloud.url,
    }
    return subprocess.Popen(
        [sys.executable, "-m", "workflow", "run"], cwd=folder, env={**os.environ, **SETTINGS, **places}
    )


def ended_within(folder: Path, process: subprocess.Popen[bytes], limit_seconds: float) -> bool:
    """Wait until all have ended; tells whether they did."""

    def reached() -> bool:
        assert process.poll() is None, "the service ended by itself"
        return all_ended(folder)

    return until(reached, limit_seconds)


def drop(folder: Path) -> None:
    inbox = folder / "share" / "inbox"
    (inbox / "rush").mkdir(parents=True)
    for number in range(GOOD):
        place = inbox / "rush" if number % 4 == 0 else inbox
        (place / f"part{number}.stl").write_bytes(box(10 + number))
    for number in range(BAD):
        (inbox / f"open{number}.stl").write_bytes(flat_box(20 + number))


def everything(folder: Path) -> list[Submission]:
    database = folder / "state" / "stlflow.db"
    if not database.exists():
        return []
    ledger = Ledger(f"sqlite:///{database}")
    try:
        return list(ledger.all())
    finally:
        ledger.close()


def all_ended(folder: Path) -> bool:
    seen = everything(folder)
    return len(seen) == GOOD + BAD and all(
        submission.state in {SubmissionState.DISPATCHED, SubmissionState.REJECTED} and submission.step is None
        for submission in seen
    )


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_killed_at_any_moment_all_end_and_none_twice(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    with simulated(slice_seconds=0.5) as cloud:
        drop(tmp_path)
        for _ in range(5):
            process = start(tmp_path, cloud)
            ended_within(tmp_path, process, chance.uniform(1.0, 3.5))
            process.send_signal(signal.SIGKILL)
            process.wait()
        process = start(tmp_path, cloud)
        try:
            assert ended_within(tmp_path, process, 300), everything(tmp_path)
        finally:
            process.terminate()
            process.wait(timeout=60)
        sent = cloud.dispatches()
        assert len(sent) == GOOD
        assert set(sent.values()) == {1}
    share = tmp_path / "share"
    assert len(list((share / "done").rglob("*.stl"))) == GOOD
    assert len(list((share / "rejected").rglob("*.stl"))) == BAD
    assert [*(share / "inbox").rglob("*.stl"), *(share / "processing").rglob("*.stl")] == []
