"""A batch always ends, and says what it did not take, and why."""

import os
import sys
from pathlib import Path

import pytest

from tests.intake.conftest import TIMES, Clock
from tests.intake.parts import binary
from workflow.intake import FolderFiles
from workflow.intake.open_writers import sees_all_writers

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs links")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "parts"
    folder.mkdir()
    return folder


def visit(folder: Path, clock: Clock) -> tuple[list[str], dict[str, str]]:
    files = FolderFiles(folder, TIMES, clock=clock, wait=lambda seconds: clock.turn(max(seconds, 0.1)))
    taken = sorted(files)
    return taken, {each.path: each.why for each in files.untaken}


def test_hard_links_and_unpacked_folders_are_simply_taken(folder: Path, clock: Clock) -> None:
    (folder / "a.stl").write_bytes(binary())
    os.link(folder / "a.stl", folder.parent / "other name")
    (folder / "b.stl").mkdir()
    (folder / "b.stl" / "b.stl").write_bytes(binary())
    assert visit(folder, clock) == (["a.stl", "b.stl/b.stl"], {})


def test_what_is_not_taken_is_said(folder: Path, clock: Clock) -> None:
    (folder / "a.stl").write_bytes(binary())
    (folder / "link.stl").symlink_to("a.stl")
    (folder / "cad").symlink_to(folder.parent)
    for name in ("b.sync-conflict-20260101-101010-ABC.stl", ".hidden.stl", "part.step", "read me.md"):
        (folder / name).write_bytes(binary())
    taken, untaken = visit(folder, clock)
    assert taken == ["a.stl"]
    assert untaken == {
        "link.stl": "link.stl is a link, not a file of its own: it is left alone.",
        "cad": "it is a link, and links are not followed. Copy the folder itself into the inbox",
        "b.sync-conflict-20260101-101010-ABC.stl": (
            "Syncthing kept two versions of this file. Delete one, and give the other a plain name."
        ),
        ".hidden.stl": "a hidden file: programs write under such names and rename at the end",
    }


def test_other_kinds_are_said_where_nothing_was_taken(folder: Path, clock: Clock) -> None:
    (folder / "part.step").write_bytes(b"ISO-10303-21;")
    assert visit(folder, clock) == ([], {"part.step": "stlflow takes STL files: export it as STL."})


def test_an_empty_folder_has_nothing_to_say(folder: Path, clock: Clock) -> None:
    (folder / "Thumbs.db").touch()
    assert visit(folder, clock) == ([], {})


def test_a_file_that_stays_open_is_given_up(folder: Path, clock: Clock) -> None:
    if not sees_all_writers(folder):
        pytest.skip("the system does not tell of writers here")
    (folder / "a.stl").write_bytes(binary())
    began = clock.now
    with (folder / "b.stl").open("wb") as writer:
        writer.write(binary())
        writer.flush()
        assert visit(folder, clock) == (["a.stl"], {"b.stl": "it is still open in another program"})
    assert clock.now - began <= TIMES.stall_seconds + 20


def test_a_file_that_is_written_for_ever_is_given_up(folder: Path, clock: Clock) -> None:
    place = folder / "a.stl"

    def write_on(seconds: float) -> None:
        clock.turn(max(seconds, 1))
        with place.open("ab") as file:
            file.write(b"more")

    place.write_bytes(binary())
    files = FolderFiles(folder, TIMES, clock=clock, wait=write_on)
    assert list(files) == []
    assert [each.path for each in files.untaken] == ["a.stl"]


def test_a_file_that_may_not_be_read_is_given_up(folder: Path, clock: Clock) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read anything")
    (folder / "a.stl").write_bytes(binary())
    (folder / "a.stl").chmod(0)
    assert visit(folder, clock) == ([], {"a.stl": "Permission denied"})
