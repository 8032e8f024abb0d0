"""A power cut at every commit: the database falls back to what was synced, and nothing is sent twice."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cloud import Cloud, simulated
from tests.crash.world import SETTINGS
from tests.nursery import Forked, nursery_of_this_process
from tests.stl import box
from tests.waiting import until

LIMIT_SECONDS = 60.0
COPIES = 2
"""A second copy leaves no trace that could be told from the first: only the ledger knows that it was sent."""
RULES = f"""\
version: 1
intake:
  - {{name: all, preset: Onyx}}
routing:
  - {{name: all, send_to: job_request, copies: {COPIES}}}
"""


@contextmanager
def service(folder: Path, cloud: Cloud, first_poll: str, cut_power_at: int = 0) -> Iterator[Forked]:
    """Run the service until the end of the block, or until its power is cut."""
    environment = {
        **os.environ,
        **SETTINGS,
        "STLFLOW_SHARE": str(folder / "share"),
        "STLFLOW_STATE": str(folder / "state"),
        "STLFLOW_EIGER_URL": cloud.url,
        "STLFLOW_RULES": str(folder / "rules.yaml"),
        "STLFLOW_SLICE_FIRST_POLL_SECONDS": first_poll,
    }
    places = {"folder": str(folder), "out": str(folder / "log.txt"), "err": str(folder / "log.txt")}
    nursery = nursery_of_this_process()
    pid = nursery.send_request(
        words=["run"], environment=environment, quickened=True, cut_power_at=cut_power_at, **places
    )
    process = Forked(nursery, pid)
    yield process
    process.send_signal(signal.SIGTERM)
    process.wait(LIMIT_SECONDS)


@pytest.mark.long
@pytest.mark.parametrize("first_poll", ["0", "0.1"])
def test_after_a_power_cut_at_any_commit_each_copy_is_sent_once(tmp_path: Path, first_poll: str) -> None:
    cuts, is_cut = 0, True
    while is_cut:
        cuts += 1
        folder = tmp_path / str(cuts)
        done = folder / "share" / "done" / "part.stl"
        (folder / "share" / "inbox").mkdir(parents=True)
        (folder / "share" / "inbox" / "part.stl").write_bytes(box(20))
        (folder / "rules.yaml").write_text(RULES, "utf-8")
        with simulated(slice_seconds=0) as cloud:
            with service(folder, cloud, first_poll, cut_power_at=cuts) as process:
                assert until(lambda: process.poll() is not None or done.exists(), LIMIT_SECONDS)  # noqa: B023
                is_cut = process.poll() is not None
            with service(folder, cloud, first_poll):
                assert until(done.exists, LIMIT_SECONDS), (cuts, (folder / "log.txt").read_text("utf-8"))
            assert list(cloud.dispatches().values()) == [COPIES], cuts
        assert sorted(path.name for path in folder.rglob("part.stl")) == ["part.stl"], cuts
    assert cuts > 8
