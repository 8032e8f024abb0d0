import os
import sys
from pathlib import Path

import pytest

from workflow.intake import scan_inbox


def make(inbox: Path, *paths: str) -> None:
    for path in paths:
        (inbox / path).parent.mkdir(parents=True, exist_ok=True)
        (inbox / path).touch()


def test_part_files_are_found_in_all_folders(tmp_path: Path) -> None:
    make(tmp_path, "a.stl", "rush/B.STL", "x/y/z/ü🚀.Stl", "notes.txt", "x/part.step")
    found = scan_inbox(tmp_path)
    assert found.paths == {"a.stl", "rush/B.STL", "x/y/z/ü🚀.Stl"}
    assert found.strangers == {"x/part.step"}


def test_litter_is_passed_over(tmp_path: Path) -> None:
    make(tmp_path, "._a.stl", ".git/a.stl", "@eaDir/a.stl", "#recycle/a.stl", "~$a.stl", "a.stl.part")
    make(tmp_path, "lost+found/a.stl", "__MACOSX/a.stl", ".Trash-1000/files/a.stl")
    assert scan_inbox(tmp_path).paths == frozenset()


@pytest.mark.skipif(sys.platform == "win32", reason="needs links")
def test_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    make(tmp_path, "real/a.stl")
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "real" / "loop").symlink_to("..")
    assert scan_inbox(tmp_path).paths == {"real/a.stl"}


def test_a_folder_named_like_a_part_is_a_folder(tmp_path: Path) -> None:
    """As unpacking bracket.stl.zip makes it."""
    make(tmp_path, "bracket.stl/bracket.stl")
    assert scan_inbox(tmp_path).paths == {"bracket.stl/bracket.stl"}


def test_a_missing_inbox_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        scan_inbox(tmp_path / "absent")


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() == 0, reason="root may read anything")
def test_a_folder_that_can_not_be_read_is_named(tmp_path: Path) -> None:
    make(tmp_path, "a.stl", "secret/b.stl")
    (tmp_path / "secret").chmod(0)
    found = scan_inbox(tmp_path)
    (tmp_path / "secret").chmod(0o700)
    assert found.paths == {"a.stl"}
    assert found.unreadable == {"secret": "Permission denied"}
