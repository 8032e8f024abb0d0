import os
import sys
from pathlib import Path

import pytest

from tests.intake.parts import binary
from workflow.errors import NotAPlainFile
from workflow.intake.completeness import FileEnds, FileShape, FileSnapshot, open_snapshot


def look(inbox: Path, path: str) -> FileSnapshot:
    with open_snapshot(inbox, path) as seen:
        return seen.snapshot


def test_a_look_sees_the_shape_and_the_names(tmp_path: Path) -> None:
    (tmp_path / "rush").mkdir()
    (tmp_path / "rush" / "part.stl").write_bytes(binary(3))
    (tmp_path / "other").hardlink_to(tmp_path / "rush" / "part.stl")
    seen = look(tmp_path, "rush/part.stl")
    assert seen.ends == FileEnds(FileShape.BINARY, 234, 234)
    assert seen.links == 2
    assert seen.signature.inode == (tmp_path / "other").stat().st_ino


def test_two_snapshots_of_an_unchanged_file_are_equal(tmp_path: Path) -> None:
    part = tmp_path / "part.stl"
    part.write_bytes(binary())
    before = look(tmp_path, "part.stl")
    assert look(tmp_path, "part.stl") == before
    os.utime(part, ns=(1, 1))
    assert look(tmp_path, "part.stl") != before


def test_a_change_during_the_look_is_seen(tmp_path: Path) -> None:
    part = tmp_path / "part.stl"
    part.write_bytes(binary())
    with open_snapshot(tmp_path, "part.stl") as seen:
        assert seen.is_unchanged()
        os.utime(part, ns=(1, 1))
        assert not seen.is_unchanged()


@pytest.mark.parametrize("ending", [".part", ".crdownload", ".filepart"])
def test_an_unfinished_download_beside_the_file_is_named(tmp_path: Path, ending: str) -> None:
    (tmp_path / "part.stl").touch()
    (tmp_path / f"part.stl{ending}").touch()
    with open_snapshot(tmp_path, "part.stl") as seen:
        assert seen.download == f"part.stl{ending}"


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        look(tmp_path, "rush/part.stl")


@pytest.mark.skipif(sys.platform == "win32", reason="needs links")
def test_a_look_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "part.stl").symlink_to("/dev/zero")
    with pytest.raises(
        NotAPlainFile, match=r"^part\.stl is a link, not a file of its own: it is left alone\.$"
    ):
        look(tmp_path, "part.stl")
