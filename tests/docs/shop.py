"""A shop in which the documented commands run: a simulated cloud, samples, and a submission 17."""

import os
import shutil
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests import nursery
from tests.docs.blocks import ROOT
from tests.nursery import Nursery, Process
from tests.waiting import until
from workflow.ledger import Ledger
from workflow.mesh import MeshPolicy
from workflow.mesh.inspection import inspect_mesh
from workflow.model import EventKind, HoldReason, SubmissionState

NUMBER = 17
"""The submission that the documents speak of."""
LIMIT_SECONDS = 60


def furnish(folder: Path, cloud_url: str, installed: Path) -> Mapping[str, str]:
    """Put samples and rules into a folder; gives the environment for commands that run in it."""
    for name in ("samples", "rules"):
        shutil.copytree(ROOT / name, folder / name)
    return {
        **os.environ,
        "PYTHONPATH": str(installed),
        "PYTHONUTF8": "1",
        "STLFLOW_EIGER_URL": cloud_url,
        "STLFLOW_ACCESS_KEY": "demo",
        "STLFLOW_SECRET_KEY": "demo",
        "STLFLOW_SETTLE_SECONDS": "0.2",
        "STLFLOW_SETTLE_ASCII_SECONDS": "0.3",
        "STLFLOW_SLICE_FIRST_POLL_SECONDS": "0.2",
        "STLFLOW_REQUESTS_PER_SECOND": "100",
    }


def hold_submission_17(folder: Path) -> None:
    """Write the ledger as it is when submission 17 is held by a routing rule."""
    (folder / "state").mkdir()
    ledger = Ledger(f"sqlite:///{(folder / 'state' / 'stlflow.db').as_posix()}")
    for _ in range(NUMBER - 1):
        ledger.open("taken away.stl")
    number = ledger.open("bracket.stl")
    ledger.claimed(number, f"processing/{number}~bracket.stl")
    mesh = inspect_mesh(folder / "samples" / "bracket.stl", "bracket.stl", MeshPolicy())
    submission = ledger.record_event(ledger.get(number), EventKind.INSPECTED, mesh=mesh, sha256=mesh.sha256)
    reason = "The lab has to agree first."
    ledger.schedule_next_step(
        submission,
        None,
        None,
        EventKind.HELD,
        reason,
        state=SubmissionState.HELD,
        hold=HoldReason.ROUTE,
        reason=reason,
    )
    ledger.close()


@dataclass
class Running:
    """A documented command as a process of its own; what it prints goes to files."""

    process: Process
    folder: Path

    def said(self) -> str:
        """Return what it printed so far, results first."""
        return self.results() + (self.folder / "stderr").read_text("utf-8")

    def results(self) -> str:
        """Return what it printed on stdout."""
        return (self.folder / "stdout").read_text("utf-8")

    def end(self, wait_for: str | None) -> int:
        """Return the exit code; a command that goes on until it is stopped is stopped once it says so."""
        if wait_for is not None:
            assert until(lambda: wait_for in self.said() or self.process.poll() is not None, LIMIT_SECONDS)
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(LIMIT_SECONDS)


def start(words: tuple[str, ...], folder: Path, environment: Mapping[str, str], floor: Nursery) -> Running:
    """Start a documented command."""
    out, err = folder / "stdout", folder / "stderr"
    out.touch()
    err.touch()
    process = nursery.start(words[1:], folder, environment, out, err, nursery=floor)
    return Running(process, folder)
