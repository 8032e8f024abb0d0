"""Renames whose answer does not say what was done: lost on the way, or repeated by the server."""

import ctypes
import errno
import os
from collections.abc import Callable

import pytest

from workflow.intake import Share, claim_file, fs, reclaim_file, undo_claim

WRONG_ANSWERS = (errno.ENOENT, errno.EIO, errno.ETIMEDOUT, errno.EEXIST)
Answer = Callable[[int, bool], None]


@pytest.fixture
def answer(way: str, monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Let every rename fail with an error, and really be done or not."""
    rename, exclusive = os.rename, fs._exclusive_rename()

    def order(code: int, done: bool) -> None:
        def call(old: int, name: bytes, new: int, new_name: bytes, flag: int) -> int:
            if done:
                assert exclusive is not None
                exclusive(old, name, new, new_name, flag)
            ctypes.set_errno(code)
            return -1

        def by_name(here: str, there: str, **folders: int | None) -> None:
            if done:
                rename(here, there, **folders)
            raise OSError(code, os.strerror(code))

        if way == "one call":
            monkeypatch.setattr(fs, "_exclusive_rename", lambda: call)
        else:
            monkeypatch.setattr(os, "rename", by_name)

    return order


def files(share: Share) -> dict[str, bytes]:
    found = (path for path in share.root.rglob("*") if path.is_file() and path.suffix == ".stl")
    return {path.relative_to(share.root).as_posix(): path.read_bytes() for path in found}


@pytest.mark.parametrize("code", WRONG_ANSWERS)
@pytest.mark.parametrize("content", [b"the only copy", b""])
def test_a_rename_that_was_done_counts_whatever_the_answer(
    share: Share, answer: Answer, code: int, content: bytes
) -> None:
    (share.inbox / "bracket.stl").write_bytes(content)
    answer(code, True)
    assert claim_file(share, "bracket.stl", 17) == "processing/17~bracket.stl"
    assert files(share) == {"processing/17~bracket.stl": content}
    assert undo_claim(share, "processing/17~bracket.stl", "bracket.stl")
    assert files(share) == {"inbox/bracket.stl": content}


@pytest.mark.parametrize("way", ["reservation", "paths"], indirect=True)
@pytest.mark.usefixtures("way")
def test_a_rename_that_was_done_counts_where_files_have_no_lasting_number(
    share: Share, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some file systems of user space give a file another inode number with its new name."""
    (share.inbox / "bracket.stl").write_bytes(b"the only copy")

    def renumbered(_here: str, _there: str, **_folders: int | None) -> None:
        taken = share.processing / "17~bracket.stl"
        (share.root / "new").write_bytes(b"the only copy")
        (share.root / "new").replace(taken)
        (share.inbox / "bracket.stl").unlink()
        raise OSError(errno.EIO, "lost")

    monkeypatch.setattr(os, "rename", renumbered)
    assert claim_file(share, "bracket.stl", 17) == "processing/17~bracket.stl"
    assert files(share) == {"processing/17~bracket.stl": b"the only copy"}


@pytest.mark.parametrize("code", WRONG_ANSWERS)
def test_a_file_that_came_back_is_there_whatever_the_answer(share: Share, answer: Answer, code: int) -> None:
    (share.held / "bracket.stl").write_bytes(b"the only copy")
    answer(code, True)
    assert reclaim_file(share, "held/bracket.stl", 17, "bracket.stl") == "processing/17~bracket.stl"
    assert files(share) == {"processing/17~bracket.stl": b"the only copy"}


@pytest.mark.parametrize("code", [errno.EIO, errno.ETIMEDOUT, errno.EACCES])
def test_a_rename_that_was_not_done_leaves_only_the_file(share: Share, answer: Answer, code: int) -> None:
    (share.inbox / "bracket.stl").write_bytes(b"the only copy")
    answer(code, False)
    with pytest.raises(OSError, match=os.strerror(code)):
        claim_file(share, "bracket.stl", 17)
    assert files(share) == {"inbox/bracket.stl": b"the only copy"}


@pytest.mark.parametrize("way", ["reservation", "paths"], indirect=True)
@pytest.mark.usefixtures("way")
def test_a_file_that_another_one_takes_meanwhile_is_not_ours(
    share: Share, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gone before the rename, and the reservation still stands: nothing was taken."""
    dropped, elsewhere = share.inbox / "bracket.stl", share.processing / "other~bracket.stl"
    dropped.write_bytes(b"the only copy")
    rename = os.rename

    def too_late(here: str, there: str, **folders: int | None) -> None:
        if dropped.exists():
            rename(dropped, elsewhere)
        rename(here, there, **folders)

    monkeypatch.setattr(os, "rename", too_late)
    assert claim_file(share, "bracket.stl", 17) is None
    assert files(share) == {"processing/other~bracket.stl": b"the only copy"}


@pytest.mark.parametrize("way", ["reservation", "paths"], indirect=True)
@pytest.mark.parametrize("replaced", [True, False])
@pytest.mark.usefixtures("way")
def test_what_someone_put_in_place_of_the_reservation_stays(
    share: Share, replaced: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    dropped, taken = share.inbox / "bracket.stl", share.processing / "17~bracket.stl"
    dropped.write_bytes(b"the only copy")

    def refused(*_names: str, **_folders: int | None) -> None:
        theirs = share.root / "theirs" if replaced else taken
        theirs.write_bytes(b"x")
        theirs.replace(taken)
        raise OSError(errno.EIO, "refused")

    monkeypatch.setattr(os, "rename", refused)
    with pytest.raises(OSError, match="refused"):
        claim_file(share, "bracket.stl", 17)
    assert files(share) == {"inbox/bracket.stl": b"the only copy", "processing/17~bracket.stl": b"x"}


def test_a_link_to_the_file_is_not_the_file(share: Share, monkeypatch: pytest.MonkeyPatch) -> None:
    dropped, elsewhere = share.inbox / "bracket.stl", share.root / "bracket.stl"
    dropped.write_bytes(b"the only copy")

    def swapped(*_: object) -> int:
        dropped.replace(elsewhere)
        (share.processing / "17~bracket.stl").symlink_to(elsewhere)
        ctypes.set_errno(errno.EIO)
        return -1

    monkeypatch.setattr(fs, "_exclusive_rename", lambda: swapped)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        claim_file(share, "bracket.stl", 17)
