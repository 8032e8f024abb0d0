import errno
import hashlib
import os
import sys
import time
from io import FileIO
from pathlib import Path
from typing import BinaryIO

import pytest

from tests.intake.test_open_writers import held_by
from workflow.errors import NotAPlainFile, StillChanging
from workflow.intake import FileRoots, Share, SpooledFile, copy_to_spool, spool

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of writers")


@pytest.fixture
def spool_file(tmp_path: Path) -> Path:
    (tmp_path / "spool").mkdir()
    return tmp_path / "spool" / "17.stl"


@pytest.fixture
def source(share: Share) -> Path:
    (share.processing / "rush").mkdir()
    source = share.processing / "rush" / "17~bracket.stl"
    source.write_bytes(b"bracket" * 300_000)
    return source


def left_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_the_copy_is_the_file_and_its_hash_is_known(share: Share, source: Path, spool_file: Path) -> None:
    content = source.read_bytes()
    taken = copy_to_spool(source, spool_file, FileRoots(share=share.root))
    assert taken == SpooledFile(len(content), hashlib.sha256(content).hexdigest(), source.owner())
    assert spool_file.read_bytes() == content
    assert source.exists()
    assert left_in(spool_file.parent) == ["17.stl"]


@pytest.mark.skipif(sys.platform == "win32", reason="rights are kept otherwise there")
def test_the_copy_is_private(source: Path, spool_file: Path) -> None:
    copy_to_spool(source, spool_file)
    assert spool_file.stat().st_mode & 0o777 == 0o600


def test_an_older_copy_is_replaced(source: Path, spool_file: Path) -> None:
    spool_file.write_bytes(b"of an earlier try")
    copy_to_spool(source, spool_file)
    assert spool_file.read_bytes() == source.read_bytes()


@linux_only
def test_a_file_that_is_open_for_writing_waits(source: Path, spool_file: Path) -> None:
    with (
        source.open("ab"),
        pytest.raises(StillChanging, match=r"17~bracket.stl is still open in another program\.$"),
    ):
        copy_to_spool(source, spool_file)
    assert left_in(spool_file.parent) == []
    copy_to_spool(source, spool_file)


@linux_only
@pytest.mark.parametrize("still_for", [29, 31])
def test_what_an_nfs_server_keeps_open_long_after_the_last_write_is_taken(
    source: Path, spool_file: Path, still_for: float
) -> None:
    written = time.time() - still_for
    os.utime(source, (written, written))
    with held_by("ganesha.nfsd", source):
        if still_for < 30:
            with pytest.raises(StillChanging):
                copy_to_spool(source, spool_file)
        else:
            copy_to_spool(source, spool_file)
            assert spool_file.read_bytes() == source.read_bytes()


def test_on_a_network_mount_only_changes_count(
    source: Path, spool_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There the kernel's answer may be that somebody writes, whether or not anybody does."""
    monkeypatch.setattr(spool, "sees_all_writers", lambda _folder: False)
    with source.open("ab"):
        copy_to_spool(source, spool_file)
    assert spool_file.read_bytes() == source.read_bytes()


@pytest.mark.parametrize("change", ["overwritten", "grown", "replaced", "removed"])
def test_a_file_that_changes_while_it_is_copied_waits(
    source: Path, spool_file: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    copy = spool._copy

    def copy_while_it_changes(file: FileIO, target: BinaryIO) -> str:
        sha256 = copy(file, target)
        if change == "replaced":
            new = source.with_name("new")
            new.write_bytes(b"x")
            new.replace(source)
        elif change == "removed":
            source.unlink()
        else:
            with source.open("r+b") as writer:
                writer.seek(0, os.SEEK_END if change == "grown" else os.SEEK_SET)
                writer.write(b"changed")
        return sha256

    monkeypatch.setattr(spool, "_copy", copy_while_it_changes)
    with pytest.raises(StillChanging, match=r"^17~bracket.stl changed while it was read\.$"):
        copy_to_spool(source, spool_file)
    assert left_in(spool_file.parent) == []


def test_a_full_disk_leaves_no_partial_copy(
    source: Path, spool_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(fd: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_room)
    with pytest.raises(OSError, match="No space left on device"):
        copy_to_spool(source, spool_file)
    assert left_in(spool_file.parent) == []


@pytest.mark.skipif(sys.platform == "win32", reason="needs links")
def test_a_link_in_place_of_the_file_is_not_followed(share: Share, source: Path, spool_file: Path) -> None:
    secret = share.root / "secret"
    source.rename(secret)
    source.symlink_to(secret)
    with pytest.raises(NotAPlainFile, match="is a link"):
        copy_to_spool(source, spool_file, FileRoots(share=share.root))
    source.unlink()
    source.parent.rmdir()
    source.parent.symlink_to(share.root)
    with pytest.raises(NotADirectoryError, match="rush is a link"):
        copy_to_spool(share.processing / "rush" / "secret", spool_file, FileRoots(share=share.root))


def test_a_missing_file_is_gone_only_while_the_share_is_there(
    share: Share, source: Path, spool_file: Path, tmp_path: Path
) -> None:
    source.unlink()
    with pytest.raises(FileNotFoundError):
        copy_to_spool(source, spool_file, FileRoots(share=share.root))
    share.root.rename(tmp_path / "unmounted")
    share.root.mkdir()  # an empty mount point
    with pytest.raises(OSError, match="share can't be reached") as raised:
        copy_to_spool(source, spool_file, FileRoots(share=share.root))
    assert not isinstance(raised.value, FileNotFoundError)
