"""`rules explain FOLDER` and `batch --dry-run`: a table of what would happen, and nothing happens."""

import shutil
from pathlib import Path

import pytest

from tests.cli.command import Desk
from tests.cli.conftest import Say
from tests.cloud import Cloud
from tests.stl import box, open_box


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    folder = tmp_path / "parts"
    (folder / "rush").mkdir(parents=True)
    (folder / "lid.stl").write_bytes(box(31))
    (folder / "rush" / "pin.stl").write_bytes(box(9))
    (folder / "open.stl").write_bytes(open_box(12))
    (folder / "page.stl").write_bytes(b"<!DOCTYPE html>")
    return folder


def test_a_folder_is_explained_without_a_cloud(say: Say, parts: Path) -> None:
    document = say("rules", "explain", "parts", "--json").document()
    rows = {row["path"]: row for row in document["files"]}
    assert {path: row["outcome"] for path, row in rows.items()} == {
        "lid.stl": "send",
        "rush/pin.stl": "send",
        "open.stl": "hold",
        "page.stl": "reject",
    }
    assert rows["rush/pin.stl"]["says"] == (
        "unknown before slicing: device_queue if build.print_hours <= 8, backlog if build.print_hours > 8, "
        "else job_request"
    )
    known = say("rules", "explain", "parts", "--build", "print_hours=2")
    lid = next(line for line in known.out.splitlines() if line.startswith("lid.stl"))
    assert lid.split()[:8] == ["lid.stl", "sent", "job", "request", "Onyx", "everything", "else", "31"]
    assert max(map(len, known.out.splitlines())) <= 80
    assert known.out.splitlines()[-1] == "4 files would be: 2 sent, 1 held, 1 rejected. Nothing was sent."


def test_what_can_be_said_of_one_file_only_is_refused(say: Say, parts: Path) -> None:
    refused = say("rules", "explain", "parts", "--as", "rush/x.stl")
    assert (refused.code, "--as is for one file" in refused.err) == (2, True)


def test_a_dry_run_sends_nothing_and_agrees_with_the_batch(desk: Desk, cloud: Cloud, parts: Path) -> None:
    shutil.rmtree(parts / "rush")
    written = [entry for entry in cloud.journal() if entry["method"] != "GET"]
    dry = desk.run("batch", "parts", "--dry-run", "--json")
    assert dry.code == 0, dry.err
    assert [entry for entry in cloud.journal() if entry["method"] != "GET"] == written
    assert not desk.state.exists()
    expected = {row["path"]: row["outcome"] for row in dry.document()["files"]}
    sent = desk.run("batch", "parts", "--json")
    states = {"dispatched": "send", "held": "hold", "rejected": "reject"}
    assert {row["path"]: states[row["state"]] for row in sent.document()["submissions"]} == expected
    again = {
        row["path"]: row for row in desk.run("batch", "parts", "--dry-run", "--json").document()["files"]
    }
    assert again["lid.stl"]["outcome"] == "known"
    assert again["lid.stl"]["says"].endswith(", sent: it is not sent again"), again["lid.stl"]
    table = desk.run("batch", "parts", "--dry-run").out
    assert "skipped" in table.splitlines()[-1]
    assert "(rule" not in "".join(line for line in table.splitlines() if line.startswith("lid.stl"))


def test_a_batch_of_nothing_says_so(say: Say, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert say("rules", "explain", "empty").out == "No STL files there.\n"
