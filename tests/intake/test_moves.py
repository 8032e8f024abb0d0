import ctypes
import errno
import os
from pathlib import Path
from threading import Barrier, Thread

import pytest

from workflow.intake import fs
from workflow.intake.moves import exists_in_share, make_outcome_folders, move_file, plan_outcome_path
from workflow.intake.share import Share


@pytest.mark.usefixtures("way")
def test_a_file_moves_and_its_empty_folders_go(share: Share) -> None:
    (share.processing / "a" / "b").mkdir(parents=True)
    (share.processing / "a" / "b" / "1~x.stl").write_bytes(b"x")
    move_file(share, "processing/a/b/1~x.stl", "done/a/b/x.stl")
    assert (share.done / "a" / "b" / "x.stl").read_bytes() == b"x"
    assert list(share.processing.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "O_DIRECTORY"), reason="folders can't be synced here")
def test_a_moved_file_is_on_the_disk_when_the_move_returns(
    share: Share, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both folders are synced after the rename: only then the database may say where the file is."""
    if way == "paths":
        pytest.skip("no calls by descriptor")
    (share.processing / "1~x.stl").write_bytes(b"x")
    (share.done / "rush").mkdir()
    synced, sync = list[int](), os.fsync

    def note_and_sync(fd: int) -> None:
        assert (share.done / "rush" / "x.stl").exists(), "synced before the rename"
        synced.append(os.fstat(fd).st_ino)
        sync(fd)

    monkeypatch.setattr(os, "fsync", note_and_sync)
    move_file(share, "processing/1~x.stl", "done/rush/x.stl")
    assert set(synced) == {(share.done / "rush").stat().st_ino, share.processing.stat().st_ino}


def test_a_place_that_can_not_be_looked_up_is_not_taken_for_free(share: Share) -> None:
    assert not exists_in_share(share, f"done/{'x' * 300}.stl"), "nothing can have that name"
    with pytest.raises(OSError, match="File name too long"):
        exists_in_share(share, f"done/{'x' * 300}/a.stl")


@pytest.mark.usefixtures("way")
def test_a_move_never_replaces_a_file(share: Share) -> None:
    (share.inbox / "x.stl").write_bytes(b"new")
    (share.done / "x.stl").write_bytes(b"old")
    with pytest.raises(FileExistsError):
        move_file(share, "inbox/x.stl", "done/x.stl")
    assert (share.inbox / "x.stl").read_bytes() == b"new"
    assert (share.done / "x.stl").read_bytes() == b"old"


@pytest.mark.usefixtures("way")
def test_a_missing_file_leaves_nothing_behind(share: Share) -> None:
    with pytest.raises(FileNotFoundError):
        move_file(share, "inbox/x.stl", "done/x.stl")
    assert list(share.done.iterdir()) == []


@pytest.mark.usefixtures("way")
def test_links_are_never_followed_below_the_share(share: Share, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (share.done / "rush").symlink_to(outside)
    (share.inbox / "x.stl").write_bytes(b"x")
    for place in ("done/rush/x.stl", "done/rush/today/x.stl"):
        with pytest.raises(NotADirectoryError, match="rush is a link or a file where a folder has to be"):
            move_file(share, "inbox/x.stl", place)
    assert list(outside.iterdir()) == []


def test_a_call_that_the_file_system_lacks_is_replaced(share: Share, monkeypatch: pytest.MonkeyPatch) -> None:
    def not_supported(*_: object) -> int:
        ctypes.set_errno(errno.EINVAL)
        return -1

    monkeypatch.setattr(fs, "_exclusive_rename", lambda: not_supported)
    (share.inbox / "x.stl").write_bytes(b"x")
    move_file(share, "inbox/x.stl", "done/x.stl")
    assert (share.done / "x.stl").read_bytes() == b"x"


def test_a_lost_share_is_no_missing_file(share: Share, tmp_path: Path) -> None:
    share.root.rename(tmp_path / "elsewhere")
    share.root.mkdir()  # an empty mount point
    with pytest.raises(OSError, match="can't be reached") as raised:
        move_file(share, "processing/1~x.stl", "done/x.stl")
    assert not isinstance(raised.value, FileNotFoundError)
    assert list(share.root.iterdir()) == []


def test_nobody_can_tell_what_a_lost_share_holds(share: Share, tmp_path: Path) -> None:
    assert not exists_in_share(share, "processing/1~x.stl")
    share.root.rename(tmp_path / "elsewhere")
    share.root.mkdir()
    with pytest.raises(OSError, match="can't be reached") as raised:
        exists_in_share(share, "processing/1~x.stl")
    assert not isinstance(raised.value, FileNotFoundError)


def test_folders_of_an_outcome_are_made_only_in_a_share_that_is_there(share: Share, tmp_path: Path) -> None:
    share.done.rmdir()
    make_outcome_folders(share, "done/rush/x.stl")
    assert (share.done / "rush").is_dir()
    share.root.rename(tmp_path / "elsewhere")
    share.root.mkdir()
    with pytest.raises(OSError, match="can't be reached"):
        make_outcome_folders(share, "done/rush/x.stl")
    assert list(share.root.iterdir()) == []


def test_a_taken_name_gets_a_number_but_not_for_the_file_itself(share: Share) -> None:
    (share.held / "x.stl").write_bytes(b"x")
    assert plan_outcome_path(share, "held/x.stl", "x.stl", "held") == "held/x.stl"
    assert plan_outcome_path(share, "processing/1~x.stl", "x.stl", "held") == "held/x (2).stl"


def test_an_outcome_folder_that_was_tidied_away_is_made_again(share: Share) -> None:
    share.done.rmdir()
    (share.inbox / "x.stl").write_bytes(b"x")
    move_file(share, "inbox/x.stl", "done/x.stl")
    assert exists_in_share(share, "done/x.stl")


def test_folders_that_others_remove_meanwhile_are_made_again(share: Share) -> None:
    """Two threads share a folder of processing/: one empties and removes it while the other fills it."""
    rounds, start = 60, Barrier(2)
    failed: list[OSError] = []

    def shuttle(name: str) -> None:
        (share.inbox / name).write_bytes(b"x")
        start.wait()
        try:
            for _ in range(rounds):
                move_file(share, f"inbox/{name}", f"processing/sub/{name}", durable=False)
                move_file(share, f"processing/sub/{name}", f"inbox/{name}", durable=False)
        except OSError as error:
            failed.append(error)

    threads = [Thread(target=shuttle, args=(name,)) for name in ("a.stl", "b.stl")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert {path.name for path in share.inbox.iterdir()} == {"a.stl", "b.stl"}
