"""kill -9 of the service while it follows prints: each end is found, told once, and noted."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cloud import Cloud, simulated
from tests.crash.test_kill import SETTINGS, everything
from tests.stl import box
from tests.waiting import until
from workflow.ledger import Ledger
from workflow.model import EventKind, SubmissionState

RULES = """
version: 1
intake:
  - {name: all, preset: Onyx}
routing:
  - {name: queue, send_to: device_queue, device: {name: "Mark Two*", material: loaded}}
"""
COUNT, MOST_LIVES = 8, 40
TOLD = {SubmissionState.PRINTED: EventKind.PRINTED, SubmissionState.FAILED: EventKind.PRINT_FAILED}


def start(folder: Path, cloud: Cloud) -> subprocess.Popen[bytes]:
    places = {
        "STLFLOW_SHARE": str(folder / "share"),
        "STLFLOW_STATE": str(folder / "state"),
        "STLFLOW_EIGER_URL": cloud.url,
        "STLFLOW_RULES": str(folder / "rules.yaml"),
        "STLFLOW_FOLLOW_SECONDS": "0.1",
        "STLFLOW_CONSOLE_PORT": "0",
    }
    environment = {**os.environ, **SETTINGS, **places}
    return subprocess.Popen([sys.executable, "-m", "workflow", "run"], cwd=folder, env=environment)


def rounds(cloud: Cloud) -> int:
    """Count how often ended prints were asked for."""
    return sum(entry["operation"] == "listPrintJobs" for entry in cloud.journal())


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2])
def test_killed_again_and_again_while_prints_are_followed(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    (tmp_path / "share" / "inbox").mkdir(parents=True)
    (tmp_path / "rules.yaml").write_text(RULES, "utf-8")
    for number in range(COUNT):
        size = 8 + number
        (tmp_path / "share" / "inbox" / f"{number}.stl").write_bytes(box(size, size, size))
    with simulated(slice_seconds=0, operator_seconds=30) as cloud:
        process = start(tmp_path, cloud)
        assert until(lambda: sum(cloud.dispatches().values()) == COUNT, 300)
        cloud.act("clock", rate=300)
        for _ in range(MOST_LIVES):
            before = rounds(cloud)
            assert until(lambda: rounds(cloud) > before, 300)  # noqa: B023
            until(lambda: process.poll() is not None, chance.uniform(0.0, 1.0))  # noqa: B023
            assert process.poll() is None, "the service ended by itself"
            for device in cloud.world()["devices"]:
                if device["job_id"] and chance.random() < 0.1:
                    cloud.act("prints", print_job_id=device["job_id"], state="Failed")
            process.send_signal(signal.SIGKILL)
            process.wait()
            known = everything(tmp_path)
            process = start(tmp_path, cloud)
            if all(each.state in TOLD for each in known):
                break
        try:
            ledger = Ledger(f"sqlite:///{tmp_path / 'state' / 'stlflow.db'}")
            assert until(lambda: not ledger.prints.any_followed(), 120)
            assert until(lambda: ledger.prints.list_unnoted() == (), 120)
        finally:
            process.terminate()
            process.wait(timeout=60)
        truth = {job["origin"]: job["state"] for job in cloud.world()["print_jobs"]}
        assert set(cloud.dispatches().values()) == {1}
    for each in everything(tmp_path):
        assert each.state.value == {"Completed": "printed", "Failed": "failed"}[truth[each.receipt_id]]
        told = [event.event for event in ledger.events(each.id) if event.event in set(TOLD.values())]
        assert told == [TOLD[each.state]]
        note = (tmp_path / "share" / f"{each.claimed_as}.txt").read_text("utf-8-sig")
        assert ("was PRINTED" if each.state is SubmissionState.PRINTED else "was NOT PRINTED") in note
    ledger.close()
