import os
import sys
from pathlib import Path

import pytest

from workflow.errors import ShareError
from workflow.intake import Outcome, Share


def test_missing_folders_are_made_and_nothing_else_is_left(tmp_path: Path) -> None:
    share = Share(tmp_path / "share")
    share.prepare()
    share.prepare()
    found = sorted(path.relative_to(share.root).as_posix() for path in share.root.rglob("*"))
    assert found == ["done", "held", "inbox", "processing", "rejected"]


def test_outcome_folders_are_those_of_the_share(tmp_path: Path) -> None:
    share = Share(tmp_path)
    assert [share.root / outcome for outcome in Outcome] == [share.done, share.rejected, share.held]


def test_a_share_that_is_not_mounted_is_not_made_up(tmp_path: Path) -> None:
    share = Share(tmp_path / "mount" / "share")
    with pytest.raises(ShareError, match=r"mount is missing\. Is the share mounted\?$"):
        share.prepare()
    assert not (tmp_path / "mount").exists()


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "done").write_text("no folder")
    with pytest.raises(ShareError, match=r"done is a file, and has to be a folder\. Rename that file\.$"):
        Share(tmp_path).prepare()


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/shm is Linux's")
def test_folders_on_two_file_systems_are_refused(tmp_path: Path) -> None:
    if Path("/dev/shm").stat().st_dev == tmp_path.stat().st_dev or not os.access("/dev/shm", os.W_OK):
        pytest.skip("no second file system here")
    other = Path(f"/dev/shm/stlflow-test-{os.getpid()}")
    other.mkdir()
    try:
        (tmp_path / "done").symlink_to(other)
        with pytest.raises(ShareError, match=r"lie on different file systems.*Put all folders of the share"):
            Share(tmp_path).prepare()
        assert list(other.iterdir()) == []
    finally:
        other.rmdir()


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() == 0, reason="root may write anywhere")
def test_a_folder_without_rights_is_named(tmp_path: Path) -> None:
    share = Share(tmp_path)
    share.prepare()
    share.held.chmod(0o500)
    with pytest.raises(ShareError, match=rf"No right to move files .* Give user {os.getuid()} the right"):
        share.prepare()
