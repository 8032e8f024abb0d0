"""Folders that stlflow makes are open for the share's group, as the share is."""

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from workflow.intake import Share
from workflow.intake.fs import open_folder, share_rights
from workflow.intake.moves import move_file

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs groups")


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def group_rights(place: Path) -> int:
    return stat.S_IMODE(place.stat().st_mode) & stat.S_IRWXG


@pytest.fixture
def group_share(tmp_path: Path) -> Share:
    root = tmp_path / "share"
    root.mkdir()
    if os.getuid() == 0:
        os.chown(root, -1, 64100)
    root.chmod(0o2775)
    share = Share(root)
    share.prepare()
    return share


def test_the_shares_folders_take_over_its_group(group_share: Share) -> None:
    for folder in group_share.root.iterdir():
        if folder.is_dir():
            assert group_rights(folder) == stat.S_IRWXG, folder
            assert folder.stat().st_gid == group_share.root.stat().st_gid, folder


def test_folders_below_take_over_theirs(group_share: Share, way: str) -> None:
    (group_share.inbox / "x.stl").write_bytes(b"part")
    move_file(group_share, "inbox/x.stl", "held/rush/today/x.stl")
    for folder in ("held/rush", "held/rush/today"):
        assert group_rights(group_share.root / folder) == stat.S_IRWXG, folder


def test_the_group_is_taken_over_where_the_share_does_not_pass_it_on(tmp_path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("only root may give a folder to any group")
    os.chown(tmp_path, -1, 64100)
    tmp_path.chmod(0o775)
    with open_folder(tmp_path, ("a", "b"), make=True) as made:
        assert [folder.stat().st_gid for folder in (made.path.parent, made.path)] == [64100, 64100]


def test_a_private_share_stays_private(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with open_folder(tmp_path, ("a", "b"), make=True) as made:
        assert stat.S_IMODE(made.path.stat().st_mode) == 0o755


def test_a_folder_that_was_swapped_for_a_link_gives_its_target_no_rights(tmp_path: Path) -> None:
    private, link = tmp_path / "private", tmp_path / "link"
    private.mkdir(mode=0o700)
    link.symlink_to(private)
    tmp_path.chmod(0o775)
    before = private.stat()
    if os.getuid() == 0:
        os.chown(tmp_path, -1, 64100)
    share_rights(link, tmp_path.stat())
    assert (private.stat().st_mode, private.stat().st_gid) == (before.st_mode, before.st_gid)
