"""The demo as a newcomer runs it: another folder, no account, one document."""

import json
import re
import socket
from pathlib import Path

import pytest

from tests.cli.command import Desk, Ended
from tests.cli.conftest import Say
from tests.stl import box
from tests.waiting import until
from workflow.cli.demo import clean_up_demo, remove_demo_files
from workflow.resources import resource_folder

ROW = (
    "id", "path", "state", "hold", "reason", "preset", "intake_rule", "routing_rule", "destination", "device",
    "build_id", "receipt_id", "sha256", "seconds", "due", "late_on", "answer", "print",
)  # fmt: skip


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """One demo, from a folder that has nothing to do with it; temporary folders are made in `attic`."""
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "attic").mkdir()
    (folder / "stlflow.toml").write_text("this is none of the demo's business")
    with socket.create_server(("127.0.0.1", 0)) as taken:  # the console takes the next port
        port = str(taken.getsockname()[1])
        ended = Desk(folder, "http://127.0.0.1:9/api/v3").run(
            "demo", "--once", "--json", "--console-port", port, TMPDIR=str(folder / "attic")
        )
    assert f"127.0.0.1:{port}\n" not in ended.err
    assert sorted(found.name for found in folder.rglob("*")) == ["attic", "stlflow.toml"]
    return ended


def test_every_sample_ends_as_its_manifest_says(shown: Ended) -> None:
    assert shown.code == 0, shown.err
    document = shown.document()
    manifest = json.loads((resource_folder("samples") / "manifest.json").read_text("utf-8"))["samples"]
    ended = {
        row["path"]: (row["state"], row["preset"], row["destination"]) for row in document["submissions"]
    }
    assert ended == {each["path"]: (each["state"], each["preset"], each["destination"]) for each in manifest}
    assert document["ok"] is True


def test_the_document_has_the_shape_that_scripts_rely_on(shown: Ended) -> None:
    document = shown.document()
    assert set(document) == {"submissions", "ok"}
    assert {tuple(row) for row in document["submissions"]} == {ROW}
    sent = [row for row in document["submissions"] if row["state"] == "dispatched"]
    assert all(row["receipt_id"] and row["build_id"] and len(row["sha256"]) == 64 for row in sent)
    rejected = [row for row in document["submissions"] if row["state"] == "rejected"]
    assert all(row["reason"] and row["receipt_id"] is None for row in rejected)


def test_it_says_on_stderr_where_to_drop_and_leaves_nothing_behind(shown: Ended) -> None:
    lines = [line for line in shown.err.splitlines() if " INFO " not in line and " WARNING " not in line]
    assert re.fullmatch(r"What happens is shown at http://127\.0\.0\.1:\d+", lines[0])
    assert re.search(r"^Drop STL files into .*attic.stlflow-demo-\w+.share.inbox$", shown.err, re.M)
    assert shown.err.endswith("The folders of the demo are removed; --folder DIR would keep them.\n")
    assert "Traceback" not in shown.err


@pytest.mark.parametrize(
    ("asked_for", "went_wrong", "said"),
    [
        (True, False, "The folders stay at {}\n"),
        (True, True, "The folders stay at {}\n"),
        (False, True, "Something did not end as it should: the folders stay at {}\n"),
    ],
)
def test_folders_with_files_of_the_user_stay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], asked_for: bool, went_wrong: bool, said: str
) -> None:
    (tmp_path / "share" / "inbox").mkdir(parents=True)
    clean_up_demo(tmp_path, resource_folder("samples"), asked_for=asked_for, went_wrong=went_wrong)
    assert capsys.readouterr().err == said.format(tmp_path)
    assert (tmp_path / "share" / "inbox").is_dir()


@pytest.fixture
def attic(tmp_path: Path) -> Path:
    """Where temporary folders are made."""
    attic = tmp_path / "attic"
    attic.mkdir()
    return attic


def test_a_demo_that_was_broken_off_keeps_the_files_of_people(tmp_path: Path, attic: Path) -> None:
    with Desk(tmp_path, "http://127.0.0.1:9/api/v3").serving("demo", TMPDIR=str(attic)) as demo:
        assert until(lambda: "Drop STL files into" in demo.said())
        inbox = Path(demo.said().split("Drop STL files into ")[1].splitlines()[0])
        (inbox / "mine.txt").write_text("a list of mine")
        assert demo.stop() == 130
    place = inbox.parent.parent
    assert demo.said().endswith(f"Files of yours are in the folders: they stay at {place}\n")
    left = [found.relative_to(place).as_posix() for found in place.rglob("*")]
    assert sorted(left) == ["share", "share/inbox", "share/inbox/mine.txt"]


def test_a_demo_never_mixes_with_what_is_there(say: Say, tmp_path: Path) -> None:
    (tmp_path / "shop" / "share").mkdir(parents=True)
    refused = say("demo", "--once", "--folder", "shop")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.endswith("--folder names a new or an empty folder, and there is something in shop.\n")
    assert [found.name for found in tmp_path.rglob("*")] == ["shop", "share"]


def test_a_demo_that_did_not_begin_leaves_nothing_behind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for asked_for in (True, False):
        clean_up_demo(
            tmp_path / "asked for", resource_folder("samples"), asked_for=True, went_wrong=asked_for
        )
    (tmp_path / "temporary").mkdir()
    clean_up_demo(tmp_path / "temporary", resource_folder("samples"), asked_for=False, went_wrong=True)
    assert (list(tmp_path.iterdir()), capsys.readouterr().err) == ([], "")


def test_only_what_the_demo_made_is_removed(tmp_path: Path) -> None:
    samples = sorted(resource_folder("samples").rglob("*.stl"))
    share = tmp_path / "place" / "share"
    for folder in ("inbox/mine", "done", "rejected/sub"):
        (share / folder).mkdir(parents=True)
    (share / "done" / "bracket~2.stl").write_bytes(samples[0].read_bytes())
    (share / "done" / "bracket~2.stl.txt").write_text("stlflow: sent", "utf-8")
    (share / "rejected" / "sub" / "part.stl").write_bytes(box(7, 7, 7))
    (share / "inbox" / "link.stl").symlink_to(samples[0])
    assert not remove_demo_files(tmp_path / "place", samples)
    left = {found.relative_to(share).as_posix() for found in share.rglob("*") if not found.is_dir()}
    assert left == {"rejected/sub/part.stl", "inbox/link.stl", "done/bracket~2.stl.txt"}
    for name in left:
        (share / name).unlink()
    assert remove_demo_files(tmp_path / "place", samples)
    assert samples[0].exists()
