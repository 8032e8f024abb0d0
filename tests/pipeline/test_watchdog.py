"""A call that hangs is named in the log, in `status` and in `doctor`, and no longer once it goes on."""

import sqlite3
import threading
from contextlib import closing

import pytest
from loguru import logger

from tests.cloud import simulated
from tests.pipeline.conftest import Open, dispatched, held
from tests.stl import box, open_box
from tests.waiting import until
from workflow.doctor.ledger import LedgerAccess
from workflow.doctor.submissions import check_hanging_calls
from workflow.ledger import list_hanging
from workflow.model import SubmissionState
from workflow.pipeline import heartbeat, watchdog
from workflow.pipeline.pictures import Pictures


def test_a_call_that_hangs_is_named_with_its_duration(
    open_shop: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "WATCH_SECONDS", 0.05)
    monkeypatch.setattr(heartbeat, "SOLE_HEARTBEAT_SECONDS", 0.05)
    said: list[str] = []
    sink = logger.add(lambda line: said.append(str(line)), format="{message}", level="INFO")
    try:
        with simulated() as cloud:
            shop = open_shop(cloud, upload_timeout_seconds=60.0)
            cloud.fault("uploadStl", "delay", delay_seconds=3.0)
            shop.drop("part.stl", box(31))
            shop.wait("part.stl", lambda seen: seen.state is SubmissionState.INSPECTED)
            monkeypatch.setattr(watchdog, "HANG_SECONDS", 0.2)
            assert until(lambda: "uploadStl" in list_hanging(shop.service.ledger))
            (finding,) = check_hanging_calls(LedgerAccess(shop.settings))
            monkeypatch.setattr(watchdog, "HANG_SECONDS", 1800.0)
            shop.wait("part.stl", dispatched)
            assert until(lambda: list_hanging(shop.service.ledger) == "")
    finally:
        logger.remove(sink)
    assert finding.says.startswith("Submission 1 (intake) hangs: ")
    assert finding.says.endswith(" s so far, in Eiger's uploadStl.")
    assert len([line for line in said if "hangs: " in line]) == 1
    assert len([line for line in said if "Submission 1 (intake) goes on after " in line]) == 1


def test_a_thread_that_ends_by_a_fault_begins_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "RESTART_SECONDS", 0.0)
    begun, stop = [0], threading.Event()

    def run(until_then: threading.Event) -> None:
        begun[0] += 1
        if begun[0] < 3:
            raise ValueError("a fault of ours")
        until_then.set()

    watchdog.keep_running("rules", run, stop)
    assert begun == [3]


def test_a_row_that_cant_be_read_ends_no_thread_for_good(
    open_shop: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a later release, or a damaged disk, may leave one."""
    monkeypatch.setattr(watchdog, "RESTART_SECONDS", 0.05)
    shop = open_shop()
    shop.drop("damaged.stl", open_box(23))
    damaged = shop.wait("damaged.stl", held)
    picture = shop.share / "held" / "damaged.stl.png"
    assert until(picture.is_file, 60)
    with closing(sqlite3.connect(shop.settings.state / "stlflow.db", timeout=30)) as database:
        whole = database.execute("select mesh from submissions where id = ?", (damaged.id,)).fetchone()[0]
        _write_mesh(database, damaged.id, "{")
        for behind in shop.service._behind:
            behind.add(damaged.id)
        assert until(
            lambda: not any(isinstance(each, Pictures) and each._for_picture for each in shop.service._behind)
        )
        _write_mesh(database, damaged.id, whole)
    picture.unlink()
    for behind in shop.service._behind:
        behind.add(damaged.id)
    assert until(picture.is_file, 60)


def _write_mesh(database: sqlite3.Connection, number: int, mesh: str) -> None:
    database.execute("update submissions set mesh = ? where id = ?", (mesh, number))
    database.commit()
