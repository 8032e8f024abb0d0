import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from workflow.errors import ShareError
from workflow.intake import Outcome, Share
from workflow.intake.share import MARKER, make_marker, prove_move, read_marker


def test_missing_folders_are_made_and_nothing_else_is_left(tmp_path: Path) -> None:
    share = Share(tmp_path / "share")
    share.prepare()
    share.prepare()
    found = sorted(path.relative_to(share.root).as_posix() for path in share.root.rglob("*"))
    assert found == [MARKER, "done", "held", "inbox", "processing", "rejected"]


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
    here = tmp_path.stat().st_dev
    disks = [each for each in map(Path, ("/dev/shm", "/var/tmp")) if os.access(each, os.W_OK)]
    second = next((each for each in disks if each.stat().st_dev != here), None)
    if second is None:
        pytest.skip("no second file system here")
    other = second / f"stlflow-test-{os.getpid()}"
    other.mkdir()
    try:
        inbox = tmp_path / "inbox"
        inbox.mkdir()
        with pytest.raises(ShareError, match=r"lie on different file systems.*Put all folders of the share"):
            prove_move(inbox, other)
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


# -- the marker ----------------------------------------------------------------------------------


def known(root: Path) -> Share:
    """A share that was prepared before, as the ledger knows it."""
    return Share(root, marker=Share(root).prepare())


def test_a_share_keeps_its_marker(tmp_path: Path) -> None:
    share = known(tmp_path / "share")
    assert share.is_reachable()
    assert share.prepare() == share.marker == read_marker(share.root)


def test_an_empty_mount_point_is_no_share(tmp_path: Path) -> None:
    share = known(tmp_path / "share")
    share.root.rename(tmp_path / "unmounted")
    assert share.absence_reason() == f"{share.root}: No such file or directory"
    (share.root / "inbox").mkdir(parents=True)
    assert share.absence_reason() == (
        f"{share.root}: the marker .stlflow-share is missing. Is the right share mounted? "
        f"If this is the right folder: `stlflow intake mark`"
    )


def test_another_share_in_its_place_is_reported_apart(tmp_path: Path) -> None:
    share, other = known(tmp_path / "share"), known(tmp_path / "other")
    share.root.rename(tmp_path / "unmounted")
    other.root.rename(share.root)
    assert "the marker .stlflow-share is that of another share." in str(share.absence_reason())


def test_an_inbox_that_was_tidied_away_is_made_again(tmp_path: Path) -> None:
    share = known(tmp_path / "share")
    share.inbox.rmdir()
    assert share.is_reachable()
    share.prepare()
    assert share.inbox.is_dir()


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"somebody's own file\n"])
def test_a_marker_that_says_nothing_is_written_again(tmp_path: Path, content: bytes) -> None:
    (tmp_path / MARKER).write_bytes(content)
    share_id = Share(tmp_path).prepare()
    assert read_marker(tmp_path) == share_id


def test_a_read_only_inbox_needs_no_folders_beside_it(tmp_path: Path) -> None:
    exports = tmp_path / "exports"
    exports.mkdir()
    share = Share(tmp_path / "share", left_inbox=exports)
    share.prepare()
    assert share.inbox == exports
    assert sorted(path.name for path in share.root.iterdir()) == [MARKER, "done", "held", "rejected"]
    assert list(exports.iterdir()) == []
    exports.rmdir()
    assert share.absence_reason() == f"{exports}: No such file or directory"


def test_services_that_mark_a_share_at_the_same_time_agree(tmp_path: Path) -> None:
    """Else one of them would take the other's share for a wrong one from then on."""
    for number in range(100):
        root = tmp_path / str(number)
        root.mkdir()
        with ThreadPoolExecutor(8) as pool:
            ids = set(pool.map(lambda _: make_marker(root), range(8)))  # noqa: B023
        assert ids == {read_marker(root)}
        assert [path.name for path in root.iterdir()] == [MARKER]
