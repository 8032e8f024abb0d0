"""Whoever drops a file is told, whatever keeps it in the inbox; and no longer once it is put right."""

import os
import sys
import tempfile
from pathlib import Path

import pytest

from tests.intake.conftest import TIMES, Book, Clock, scan_once
from tests.intake.parts import binary
from tests.intake.test_inbox import drop
from workflow.intake import Inbox, Share
from workflow.intake.explain import KNOWN_KIND_SECONDS, MAX_NOTES
from workflow.intake.open_writers import sees_all_writers

PATIENCE = TIMES.stranger_seconds
HARD_LINK = "it has 2 names (hard links). Copy it into the inbox instead."


@pytest.fixture
def noting(share: Share, book: Book, clock: Clock) -> Inbox:
    return Inbox(share, book, times=TIMES, clock=clock)


def test_other_kinds_are_told_in_seconds_and_once(
    share: Share, noting: Inbox, book: Book, clock: Clock
) -> None:
    for path in ("rush/part.step", "order.zip", "photo.JPG", "Thumbs.db", "part.stl.crdownload", "notes.txt"):
        drop(share, path, b"other")
    scan_once(noting)
    clock.turn(KNOWN_KIND_SECONDS)
    for _ in range(3):
        scan_once(noting)
    assert book.strangers == {
        "rush/part.step": "stlflow takes STL files: export it as STL.",
        "order.zip": "It is not unpacked here: unpack it, and put the STL files inside into the inbox.",
        "photo.JPG": "A picture is no part: export the part as STL.",
    }
    assert (share.inbox / "order.zip").read_bytes() == b"other"


def test_kinds_that_nobody_knows_are_told_after_a_while(
    share: Share, noting: Inbox, book: Book, clock: Clock
) -> None:
    drop(share, "part.xyz", b"other")
    scan_once(noting)
    clock.turn(PATIENCE - 1)
    scan_once(noting)
    assert book.strangers == {}, "it may belong to a folder that is being copied"
    clock.turn(1)
    scan_once(noting)
    assert book.strangers == {"part.xyz": "stlflow takes STL files only."}


def test_one_that_was_taken_away_and_comes_again_is_reported_again(
    share: Share, noting: Inbox, book: Book, clock: Clock
) -> None:
    for _ in range(2):
        place = drop(share, "part.step")
        scan_once(noting)
        clock.turn(PATIENCE)
        scan_once(noting)
        assert list(book.strangers) == ["part.step"]
        place.unlink()
        scan_once(noting)
        assert book.strangers == {}


def test_a_whole_folder_of_other_files_gets_no_notes(
    share: Share, noting: Inbox, book: Book, clock: Clock
) -> None:
    for number in range(MAX_NOTES + 1):
        drop(share, f"{number}.step")
    scan_once(noting)
    clock.turn(PATIENCE)
    scan_once(noting)
    assert book.strangers == {}


# -- parts that something keeps -----------------------------------------------------------------------


def after_patience(inbox: Inbox, clock: Clock) -> None:
    scan_once(inbox)
    for _ in range(int(PATIENCE / 30) + 2):
        clock.turn(30)
        scan_once(inbox)


@pytest.mark.skipif(sys.platform == "win32", reason="needs links")
def test_a_hard_link_is_reported_and_taken_once_it_is_a_copy(
    share: Share, noting: Inbox, book: Book, clock: Clock
) -> None:
    place = drop(share, "part.stl")
    os.link(place, share.root / "other name")
    after_patience(noting, clock)
    assert book.strangers == {"part.stl": HARD_LINK}
    (share.root / "other name").unlink()
    clock.turn(60)
    scan_once(noting)
    clock.turn(60)
    scan_once(noting)
    assert book.paths() == ["part.stl"]
    assert book.strangers == {}


@pytest.mark.skipif(sys.platform == "win32", reason="needs links")
def test_a_link_to_a_folder_is_reported(share: Share, noting: Inbox, book: Book, clock: Clock) -> None:
    (share.root / "cad").mkdir()
    (share.inbox / "cad").symlink_to(share.root / "cad")
    after_patience(noting, clock)
    why = "it is a link, and links are not followed. Copy the folder itself into the inbox."
    assert book.strangers == {"cad": why}
    (share.inbox / "cad").unlink()
    scan_once(noting)
    assert book.strangers == {}


def test_a_file_that_a_program_keeps_open_is_reported(
    share: Share, noting: Inbox, book: Book, clock: Clock
) -> None:
    if not sees_all_writers(share.inbox):
        pytest.skip("the system does not tell of writers here")
    with drop(share, "part.stl").open("ab"):
        after_patience(noting, clock)
        assert book.strangers == {"part.stl": "it is still open in another program."}
    clock.turn(60)
    scan_once(noting)
    clock.turn(5)
    scan_once(noting)
    assert book.paths() == ["part.stl"]
    assert book.strangers == {}


def test_a_file_that_settles_is_not_told(share: Share, noting: Inbox, book: Book, clock: Clock) -> None:
    drop(share, "part.stl", binary()[:-1])
    after_patience(noting, clock)
    assert book.strangers == {}


def test_a_folder_that_may_not_be_written_to_is_reported_and_uses_up_one_number(
    book: Book, clock: Clock
) -> None:
    if os.name == "nt" or os.geteuid() != 0:
        pytest.skip("needs root, to be another user for a while")
    with tempfile.TemporaryDirectory() as top:
        Path(top).chmod(0o755)
        share = Share(Path(top) / "share")
        share.prepare()
        check_a_folder_that_may_not_be_written_to(share, book, clock)


def check_a_folder_that_may_not_be_written_to(share: Share, book: Book, clock: Clock) -> None:
    refusing = Inbox(share, book, times=TIMES, clock=clock)
    drop(share, "rush/part.stl")
    for folder in (share.root, share.inbox, share.processing):
        folder.chmod(0o777)
    (share.inbox / "rush").chmod(0o755)
    os.seteuid(65534)
    try:
        after_patience(refusing, clock)
        assert book.strangers == {
            "rush/part.stl": (
                "stlflow may not move it out of inbox/rush. Give user 65534 the right to write there."
            )
        }
        drop_as_root(share, "other.stl")
        clock.turn(60)
        scan_once(refusing)
        clock.turn(60)
        scan_once(refusing)
    finally:
        os.seteuid(0)
    assert book.rows == {1: "rush/part.stl", 2: "other.stl"}
    (share.inbox / "rush").chmod(0o777)
    clock.turn(60)
    scan_once(refusing)
    assert book.taken[1] == "processing/rush/1~part.stl"
    scan_once(refusing)
    assert book.strangers == {}
    assert book.forgotten == []


def drop_as_root(share: Share, path: str) -> None:
    os.seteuid(0)
    drop(share, path)
    os.seteuid(65534)
