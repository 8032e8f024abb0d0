"""A read-only inbox: files stay where they are, and none is taken twice."""

import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.intake.conftest import TIMES, Book, Clock, nothing_waits
from tests.intake.parts import binary
from tests.intake.test_inbox import QUICK, eventually, running, settle
from workflow.errors import StateFolderError
from workflow.intake import Inbox, MassArrivalLimit, Share


@pytest.fixture
def exports(tmp_path: Path) -> Path:
    folder = tmp_path / "exports"
    (folder / "rush").mkdir(parents=True)
    return folder


@pytest.fixture
def share(tmp_path: Path, exports: Path) -> Share:
    share = Share(tmp_path / "share", left_inbox=exports)
    share.prepare()
    return share


@pytest.fixture
def inbox(share: Share, book: Book, clock: Clock) -> Inbox:
    book.left_inbox = share.inbox
    return Inbox(share, book, times=TIMES, clock=clock)


def test_files_are_taken_in_their_place_and_once(
    exports: Path, inbox: Inbox, book: Book, clock: Clock
) -> None:
    (exports / "rush" / "part.stl").write_bytes(binary())
    assert settle(inbox, clock) == ("rush/part.stl",)
    assert settle(inbox, clock, 3600) == ()
    assert book.taken == {1: str(exports / "rush" / "part.stl")}
    assert (exports / "rush" / "part.stl").read_bytes() == binary()
    assert nothing_waits(inbox)


def test_nothing_is_taken_again_after_a_restart(
    share: Share, exports: Path, inbox: Inbox, book: Book, clock: Clock
) -> None:
    (exports / "part.stl").write_bytes(binary())
    settle(inbox, clock)
    again = Inbox(share, book, times=TIMES, clock=clock)
    assert settle(again, clock, 3600) == ()
    assert len(book.rows) == 1


def test_a_new_version_is_taken(exports: Path, inbox: Inbox, book: Book, clock: Clock) -> None:
    (exports / "part.stl").write_bytes(binary(20))
    settle(inbox, clock)
    (exports / "part.stl").write_bytes(binary(30))
    assert settle(inbox, clock) == ("part.stl",)
    assert len(book.rows) == 2


def test_a_touched_file_is_not_taken_again(exports: Path, inbox: Inbox, book: Book, clock: Clock) -> None:
    (exports / "part.stl").write_bytes(binary())
    settle(inbox, clock)
    os.utime(exports / "part.stl", ns=(1, 1))
    assert settle(inbox, clock) == ()
    assert len(book.rows) == 1
    assert book.memory["part.stl"][0].mtime_ns == 1
    assert nothing_waits(inbox)


def test_a_mount_that_shows_empty_for_a_while_repeats_nothing(
    exports: Path, inbox: Inbox, book: Book, clock: Clock, tmp_path: Path
) -> None:
    (exports / "part.stl").write_bytes(binary())
    settle(inbox, clock)
    exports.rename(tmp_path / "aside")
    exports.mkdir()
    settle(inbox, clock)
    exports.rmdir()
    (tmp_path / "aside").rename(exports)
    assert settle(inbox, clock) == settle(inbox, clock, 60) == ()
    assert len(book.rows) == 1


def test_a_ledger_in_trouble_is_asked_again(
    exports: Path, inbox: Inbox, book: Book, clock: Clock, said: list[str]
) -> None:
    (exports / "part.stl").write_bytes(binary())
    book.trouble["open"] = StateFolderError("The ledger can't be written: disk full.")
    assert settle(inbox, clock) == ()
    assert said == ["part.stl can't be taken yet: The ledger can't be written: disk full. It is tried again."]
    book.trouble.clear()
    assert settle(inbox, clock, 60) == ("part.stl",)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every name is text")
def test_a_name_that_is_no_text_waits_and_says_so(
    exports: Path, inbox: Inbox, book: Book, clock: Clock
) -> None:
    (exports / os.fsdecode(b"caf\xe9.stl")).write_bytes(binary())
    (exports / "part.stl").write_bytes(binary(30))
    assert settle(inbox, clock) == ("part.stl",)
    (waiting,) = inbox.waiting()
    assert waiting.why == "its name, or that of its folder, holds bytes that are no UTF-8: rename it"
    assert book.paths() == ["part.stl"]


def test_a_renamed_file_is_the_same_part(exports: Path, inbox: Inbox, book: Book, clock: Clock) -> None:
    (exports / "part.stl").write_bytes(binary())
    settle(inbox, clock)
    (exports / "part.stl").rename(exports / "rush" / "part-rev-A.stl")
    assert settle(inbox, clock) == settle(inbox, clock, 3600) == ()
    assert len(book.rows) == 1
    assert list(book.memory) == ["rush/part-rev-A.stl"]
    assert nothing_waits(inbox)


def test_a_file_whose_rename_comes_as_an_event_is_the_same_part(
    share: Share, exports: Path, book: Book
) -> None:
    """A rename of one file wakes no scan: its new name settles and is about to be taken."""
    book.left_inbox = share.inbox
    slow = Inbox(share, book, times=replace(QUICK, sweep_seconds=3600))
    with running(slow):
        assert eventually(lambda: slow._watcher.is_started)
        (exports / "part.stl").write_bytes(binary())
        assert eventually(lambda: book.paths() == ["part.stl"])
        (exports / "part.stl").rename(exports / "rush" / "part.stl")
        assert eventually(lambda: list(book.memory) == ["rush/part.stl"])
        (exports / "rush" / "part.stl").rename(exports / "rush" / "renamed.stl")
        assert eventually(lambda: list(book.memory) == ["rush/renamed.stl"])
        assert nothing_waits(slow)
    assert len(book.rows) == 1


def test_a_renamed_folder_is_neither_taken_again_nor_a_mass_arrival(
    share: Share, exports: Path, book: Book, clock: Clock
) -> None:
    book.left_inbox = share.inbox
    limit = MassArrivalLimit(files=5, window_seconds=60)
    inbox = Inbox(share, book, times=TIMES, limit=limit, clock=clock)
    for number in range(5):
        (exports / "rush" / f"{number}.stl").write_bytes(binary(20 + number))
    assert len(settle(inbox, clock)) == 5
    clock.turn(61)
    (exports / "rush").rename(exports / "rush rev A")
    (exports / "new.stl").write_bytes(binary(40))
    assert settle(inbox, clock) == ("new.stl",)
    assert len(book.rows) == 6
    assert book.waitlist == {}


def test_a_renamed_file_stays_known_after_a_restart(
    share: Share, exports: Path, inbox: Inbox, book: Book, clock: Clock
) -> None:
    (exports / "part.stl").write_bytes(binary())
    settle(inbox, clock)
    (exports / "part.stl").rename(exports / "renamed.stl")
    again = Inbox(share, book, times=TIMES, clock=clock)
    assert settle(again, clock) == ()
    assert len(book.rows) == 1


def test_a_copy_is_a_new_part(exports: Path, inbox: Inbox, book: Book, clock: Clock) -> None:
    (exports / "part.stl").write_bytes(binary())
    settle(inbox, clock)
    shutil.copy2(exports / "part.stl", exports / "copy.stl")
    assert settle(inbox, clock) == ("copy.stl",)


def test_other_content_of_the_same_size_and_age_is_a_new_part(
    exports: Path, inbox: Inbox, book: Book, clock: Clock
) -> None:
    (exports / "old.stl").write_bytes(binary())
    os.utime(exports / "old.stl", ns=(1, 1))
    settle(inbox, clock)
    (exports / "old.stl").unlink()
    (exports / "new.stl").write_bytes(binary(header=b"another".ljust(80)))
    os.utime(exports / "new.stl", ns=(1, 1))
    assert settle(inbox, clock) == ("new.stl",)
