"""One shot over a folder: nothing is moved, nothing is sent twice, the exit code tells."""

import shutil
from pathlib import Path

import pytest

from tests.cli.command import Desk
from tests.cloud import Cloud
from tests.stl import box, open_box


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
        "2 dispatched. 2 of them by an earlier batch: nothing was sent again."
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
    assert "1 dispatched, 1 held, 1 rejected." in ended.out
    assert "A side is missing" in ended.out
    assert sorted(contents(parts)) == ["gap.stl", "half.stl", "lid.stl"]


@pytest.mark.long
def test_nobody_waits_ten_minutes_for_half_a_file(desk: Desk, parts: Path) -> None:
    (parts / "half.stl").write_bytes(box()[:-20])
    ended = desk.run("batch", "parts", STLFLOW_STALL_SECONDS="600")
    assert "2 dispatched, 1 rejected." in ended.out


def test_an_empty_folder_is_all_well(desk: Desk) -> None:
    (desk.folder / "empty").mkdir()
    ended = desk.run("batch", "empty", "--json")
    assert (ended.code, ended.document()) == (0, {"submissions": [], "not_taken": [], "ok": True})


def test_a_missing_folder_is_usage(desk: Desk) -> None:
    ended = desk.run("batch", "nowhere")
    assert ended.code == 2
    assert "Directory 'nowhere' does not exist." in ended.err
    assert not desk.state.exists()
