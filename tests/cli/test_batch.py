"""One shot over a folder: nothing is moved, nothing is sent twice, the exit code tells."""

import shutil
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.command import Desk
from tests.cli.terminal import on_terminal
from tests.cloud import Cloud, simulated
from tests.stl import box, open_box
from tests.waiting import until
from workflow.model import SubmissionState


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    folder = tmp_path / "parts"
    (folder / "rush").mkdir(parents=True)
    (folder / "lid.stl").write_bytes(box(31))
    (folder / "rush" / "pin.stl").write_bytes(box(9))
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(found.relative_to(folder)): found.read_bytes() for found in folder.rglob("*") if found.is_file()
    }


def test_sent_once_moved_never(desk: Desk, cloud: Cloud, parts: Path) -> None:
    before, sent_before = contents(parts), cloud.dispatches()
    first = desk.run("batch", "parts", "--json")
    assert first.code == 0, first.err
    document = first.document()
    assert document["ok"] is True
    rows = {row["path"]: row for row in document["submissions"]}
    assert {path: row["destination"] for path, row in rows.items()} == {
        "lid.stl": "job_request",
        "rush/pin.stl": "device_queue",
    }
    second = desk.run("batch", "parts", "--json")
    assert second.code == 0
    assert {row["path"]: row for row in second.document()["submissions"]} == rows
    third = desk.run("batch", "parts")
    assert third.out.splitlines()[-1] == (
        "2 files: 2 sent. 2 of them by an earlier batch: nothing was sent again."
    )
    assert contents(parts) == before
    new = cloud.dispatches() - sent_before
    assert new == {row["build_id"]: 1 for row in rows.values()}
    assert not (desk.share / "inbox").exists()


def test_a_rejected_file_is_exit_code_1_and_its_reason_is_read(desk: Desk, parts: Path) -> None:
    shutil.rmtree(parts / "rush")
    (parts / "gap.stl").write_bytes(open_box())
    (parts / "half.stl").write_bytes(box()[:-20])
    ended = desk.run("batch", "parts")
    assert ended.code == 1
    assert "3 files: 1 sent, 1 held, 1 rejected." in ended.out
    assert "A side is missing" in ended.out
    assert sorted(contents(parts)) == ["gap.stl", "half.stl", "lid.stl"]


@pytest.mark.long
def test_nobody_waits_ten_minutes_for_half_a_file(desk: Desk, parts: Path) -> None:
    (parts / "half.stl").write_bytes(box()[:-20])
    ended = desk.run("batch", "parts", STLFLOW_STALL_SECONDS="600")
    assert "3 files: 2 sent, 1 rejected." in ended.out


def test_an_empty_folder_is_all_well(desk: Desk) -> None:
    (desk.folder / "empty").mkdir()
    ended = desk.run("batch", "empty", "--json")
    assert (ended.code, ended.document()) == (0, {"submissions": [], "not_taken": [], "ok": True})


def test_a_missing_folder_is_usage(desk: Desk) -> None:
    ended = desk.run("batch", "nowhere")
    assert ended.code == 2
    assert "Directory 'nowhere' does not exist." in ended.err
    assert not desk.state.exists()


FAST = {"STLFLOW_FOLLOW_SECONDS": "0.1"}


def hurry(cloud: Cloud, rate: float) -> None:
    """Let the cloud's clock run so many times as fast."""
    cloud.act("clock", rate=rate)


def test_it_waits_until_all_is_printed(desk: Desk, parts: Path) -> None:
    (parts / "lid.stl").unlink()
    with simulated(operator_seconds=60) as cloud:
        hurry(cloud, 600)
        mine = replace(desk, url=cloud.url)
        printed = mine.run("batch", "parts", "--wait-printed", "--json", **FAST)
        assert printed.code == 0, printed.err
        (row,) = printed.document()["submissions"]
        assert (row["state"], row["print"]["copies"][0]["state"]) == ("printed", "printed")


@pytest.mark.long
def test_a_wait_for_a_print_that_nobody_starts_is_stopped_and_goes_on(desk: Desk, parts: Path) -> None:
    shutil.rmtree(parts / "rush")
    with simulated(operator_seconds=60) as cloud:
        mine = replace(desk, url=cloud.url)
        with mine.serving("batch", "parts", "--wait-printed", **FAST) as batch:
            assert until(lambda: any(each.followed for each in mine.submissions().values()), 60)
            batch.process.send_signal(signal.SIGINT)
            assert batch.process.wait(60) == 130
        (asked,) = mine.submissions().values()
        assert (asked.state, asked.followed) == (SubmissionState.DISPATCHED, True)
        anvil = cloud.device_named("Anvil")["id"]
        cloud.act("start", print_job_id=asked.receipt_id, device_id=anvil)
        hurry(cloud, 5000)
        assert mine.run("batch", "parts", "--wait-printed", **FAST).code == 0
        (parts / "gap.stl").write_bytes(open_box())
        held = mine.run("batch", "parts", "--wait-printed", **FAST)
        assert held.code == 1
        assert "2 files: 1 printed, 1 held." in held.out
        assert sum(cloud.dispatches().values()) == 1


def test_waiting_for_prints_that_are_not_followed_is_refused(desk: Desk, parts: Path) -> None:
    refused = desk.run("batch", "parts", "--wait-printed", STLFLOW_FOLLOW_PRINTS="false")
    assert refused.code == 2
    assert "--wait-printed needs the setting follow_prints. Set it to true." in refused.err


def test_on_a_terminal_lines_stay_above_the_bar_and_each_thing_is_said_once(desk: Desk, parts: Path) -> None:
    (parts / "gap.stl").write_bytes(open_box())
    seen = on_terminal(("batch", "parts"), 100, desk.folder, {**desk.environment, "TERM": "xterm-256color"})
    assert seen.code == 1
    assert seen.raw.count("A side is missing") == 1, "by the table, and not by the log"
    assert "files (" in seen.raw
    table = seen.raw[seen.raw.rindex(" file ") :]
    assert table.rstrip().endswith("3 files: 2 sent, 1 held.")
