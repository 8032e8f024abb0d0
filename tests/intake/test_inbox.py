"""The inbox as a whole: what it takes, and what it lives through."""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.intake.conftest import TIMES, Book, Clock, nothing_waits, scan_once
from tests.intake.parts import ascii_solid, binary
from workflow.errors import StateFolderError
from workflow.intake import Inbox, Share, StabilityTimes, copy_to_spool, events
from workflow.intake.open_writers import sees_all_writers

STL = binary()
QUICK = replace(
    TIMES, binary_seconds=0.05, ascii_seconds=0.2, wrong_seconds=0.1, unsure_seconds=0.2, sweep_seconds=0.2
)
PATIENCE_SECONDS = 8.0


def drop(share: Share, path: str, content: bytes = STL) -> Path:
    place = share.inbox / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    return place


def settle(inbox: Inbox, clock: Clock, seconds: float = 5) -> tuple[str, ...]:
    """Look, wait, and look again: what was whole all the while is taken."""
    scan_once(inbox)
    clock.turn(seconds)
    return scan_once(inbox)


@contextmanager
def running(inbox: Inbox) -> Iterator[None]:
    """Run the inbox in its thread, as the service does."""
    stop = threading.Event()
    thread = threading.Thread(target=inbox.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        inbox.wake()
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()


def eventually(happened: Callable[[], bool]) -> bool:
    """Wait until something has happened, and tell whether it has."""
    pause, give_up_at = threading.Event(), time.monotonic() + PATIENCE_SECONDS
    while not happened() and time.monotonic() < give_up_at:
        pause.wait(0.01)
    return happened()


# -- one sweep ----------------------------------------------------------------------------------


def test_complete_files_are_taken_and_written_down(
    share: Share, inbox: Inbox, book: Book, clock: Clock
) -> None:
    drop(share, "a.stl")
    drop(share, "rush/B.STL", ascii_solid())
    assert sorted(settle(inbox, clock)) == ["a.stl", "rush/B.STL"]
    assert set(book.taken.values()) <= {f"processing/{n}~a.stl" for n in (1, 2)} | {
        f"processing/rush/{n}~B.STL" for n in (1, 2)
    }
    assert all((share.root / claimed_as).is_file() for claimed_as in book.taken.values())
    assert nothing_waits(inbox)


def test_what_waits_is_reported(share: Share, inbox: Inbox, clock: Clock) -> None:
    drop(share, "part.stl", STL[:-1])
    assert scan_once(inbox) == ()
    assert [(waiting.path, waiting.why) for waiting in inbox.waiting()] == [
        ("part.stl", "it is incomplete: 1,083 of 1,084 bytes")
    ]
    assert clock.now < inbox.waiting()[0].until <= clock.now + TIMES.stall_seconds


def test_files_of_the_same_name_in_two_cases_and_two_folders_are_all_taken(
    share: Share, inbox: Inbox, book: Book, clock: Clock
) -> None:
    paths = {"part.stl", "Part.STL", "one/part.stl", "two/part.stl", "g\u0308.stl", "\u00fc.stl"}
    for path in paths:
        drop(share, path)
    assert set(settle(inbox, clock)) == paths
    assert len(set(book.taken.values())) == len(paths)


@pytest.mark.skipif(sys.platform == "win32", reason="needs links")
def test_links_do_not_keep_the_inbox_busy(share: Share, inbox: Inbox, clock: Clock) -> None:
    (share.inbox / "link.stl").symlink_to("nowhere")
    assert settle(inbox, clock) == ()
    assert all(each.left_alone for each in inbox.waiting())


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_names_that_are_no_text_are_written_down_readable(
    share: Share, inbox: Inbox, book: Book, clock: Clock
) -> None:
    path = b"caf\xe9/n\xe4he\n.stl".decode("utf-8", "surrogateescape")
    drop(share, path)
    assert settle(inbox, clock) == ("caf\ufffd/n\ufffdhe\ufffd.stl",)
    assert book.rows == {1: "caf\ufffd/n\ufffdhe\ufffd.stl"}
    (claimed_as,) = book.taken.values()
    assert (share.root / claimed_as.encode().decode()).read_bytes() == STL


@pytest.mark.parametrize("length", [240, 244, 245, 255])
def test_names_are_taken_up_to_the_longest(
    share: Share, inbox: Inbox, book: Book, clock: Clock, length: int
) -> None:
    """A program that downloads would add an ending to the name: there is no room for one, so it does not."""
    name = "x" * (length - 4) + ".stl"
    drop(share, name)
    assert settle(inbox, clock) == (name,)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
def test_a_colon_is_part_of_a_name(share: Share, inbox: Inbox, clock: Clock) -> None:
    drop(share, "bracket 10:30.stl")
    drop(share, "bracket.stl:Zone.Identifier", b"[ZoneTransfer]")
    assert settle(inbox, clock) == ("bracket 10:30.stl",)


def test_an_unpacked_folder_named_like_its_part_is_looked_into(
    share: Share, inbox: Inbox, book: Book, clock: Clock
) -> None:
    drop(share, "bracket.stl/bracket.stl")
    assert settle(inbox, clock) == ("bracket.stl/bracket.stl",)
    assert book.taken == {1: "processing/bracket.stl/1~bracket.stl"}


# -- the register ------------------------------------------------------------------------------


def test_the_row_is_opened_before_the_file_is_touched(
    share: Share, inbox: Inbox, book: Book, clock: Clock
) -> None:
    dropped, there = drop(share, "part.stl"), []
    book.before_claim = lambda _path: there.append(dropped.exists())
    settle(inbox, clock)
    assert there == [True]


def test_files_that_came_together_are_opened_together(
    share: Share, inbox: Inbox, book: Book, clock: Clock
) -> None:
    there = []
    files = [drop(share, f"part{place}.stl") for place in range(3)]
    book.before_claim = lambda _path: there.append(sum(file.exists() for file in files))
    assert len(settle(inbox, clock)) == 3
    assert there == [3, 3, 3], "all submissions are open before the first file is moved"
    assert len(book.taken) == 3


def test_a_ledger_in_trouble_leaves_the_file_in_the_inbox(
    share: Share, inbox: Inbox, book: Book, clock: Clock, said: list[str]
) -> None:
    dropped = drop(share, "part.stl")
    book.trouble["open"] = StateFolderError("The ledger can't be written: disk full.")
    for _ in range(4):
        assert settle(inbox, clock, 60) == ()
    assert dropped.read_bytes() == STL
    assert said == ["part.stl can't be taken yet: The ledger can't be written: disk full. It is tried again."]
    book.trouble.clear()
    assert settle(inbox, clock, 60) == ("part.stl",)


def test_a_claim_that_could_not_be_written_down_is_written_down_later(
    share: Share, inbox: Inbox, book: Book, clock: Clock, said: list[str]
) -> None:
    drop(share, "part.stl")
    book.trouble["claimed"] = StateFolderError("The ledger can't be written: disk full.")
    settle(inbox, clock)
    settle(inbox, clock)
    assert said == [
        "Submission 1 is taken, but can't be written down yet: The ledger can't be written: disk full."
    ]
    book.trouble.clear()
    scan_once(inbox)
    assert book.taken == {1: "processing/1~part.stl"}
    assert nothing_waits(inbox)


def test_a_file_that_can_not_be_moved_stays_and_keeps_its_number(
    share: Share, inbox: Inbox, book: Book, clock: Clock, said: list[str]
) -> None:
    dropped = drop(share, "rush/part.stl")
    (share.processing / "rush").write_text("in the way")
    assert settle(inbox, clock) == settle(inbox, clock) == ()
    assert dropped.read_bytes() == STL
    assert (book.rows, book.forgotten) == ({1: "rush/part.stl"}, [])
    assert said == [
        "rush/part.stl can't be taken yet: "
        "processing/rush is a link or a file where a folder has to be. It is tried again."
    ]
    (share.processing / "rush").unlink()
    assert settle(inbox, clock, 60) == ("rush/part.stl",)
    assert list(book.taken) == [1], "a number is used up by a file, not by an attempt"


def test_a_file_that_vanishes_at_the_last_moment_is_forgotten(
    share: Share, inbox: Inbox, book: Book, clock: Clock
) -> None:
    dropped = drop(share, "part.stl")
    book.before_claim = lambda _path: dropped.unlink()
    assert settle(inbox, clock) == ()
    assert (book.taken, book.forgotten) == ({}, [1])


def test_a_file_swapped_at_the_last_moment_settles_in_the_inbox(
    share: Share, inbox: Inbox, book: Book, clock: Clock
) -> None:
    """Between the look and the rename another, unfinished file takes the name."""
    drop(share, "part.stl")

    def swap(path: str) -> None:
        drop(share, "new").replace(share.inbox / path)
        os.truncate(share.inbox / path, 500)

    book.before_claim = swap
    assert settle(inbox, clock) == ()
    assert (book.taken, book.forgotten) == ({}, [])
    assert (share.inbox / "part.stl").read_bytes() == STL[:500]
    assert list(share.processing.iterdir()) == []


def test_on_a_network_mount_files_are_taken_too(
    share: Share, inbox: Inbox, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflow.intake.inbox.sees_all_writers", lambda _folder: False)
    drop(share, "part.stl")
    assert settle(inbox, clock, 3.9) == ()
    assert settle(inbox, clock, 0.2) == ("part.stl",)


# -- the share ---------------------------------------------------------------------------------


def test_a_lost_share_is_said_once_and_nothing_is_made_in_its_place(
    share: Share, inbox: Inbox, clock: Clock, tmp_path: Path, said: list[str]
) -> None:
    drop(share, "part.stl")
    scan_once(inbox)
    share.root.rename(tmp_path / "unmounted")
    share.root.mkdir()  # the empty mount point
    for _ in range(3):
        assert settle(inbox, clock) == ()
    assert list(share.root.iterdir()) == []
    assert said == [f"Share lost: {share.inbox}: No such file or directory. Everything waits."]

    share.root.rmdir()
    (tmp_path / "unmounted").rename(share.root)
    assert scan_once(inbox) == (), "whatever came back settles anew"
    assert said[1:] == [f"Share back: {share.inbox}."]
    assert settle(inbox, clock) == ("part.stl",)


def test_another_folder_in_place_of_the_inbox_settles_again(share: Share, inbox: Inbox, clock: Clock) -> None:
    dropped = drop(share, "part.stl")
    scan_once(inbox)
    clock.turn(60)
    share.inbox.rename(share.root / "old")
    share.inbox.mkdir()
    (share.root / "old" / "part.stl").rename(dropped)
    assert scan_once(inbox) == ()
    assert settle(inbox, clock) == ("part.stl",)


# -- running -----------------------------------------------------------------------------------


@pytest.fixture
def quick(share: Share, book: Book) -> Inbox:
    return Inbox(share, book, times=QUICK)


def test_files_that_were_there_before_the_start_are_taken(share: Share, book: Book, quick: Inbox) -> None:
    drop(share, "rush/part.stl")
    with running(quick):
        assert eventually(lambda: book.paths() == ["rush/part.stl"])
    assert [thread for thread in threading.enumerate() if "otify" in type(thread).__name__] == []


def test_events_wake_it_long_before_the_next_sweep(share: Share, book: Book) -> None:
    slow = Inbox(share, book, times=replace(QUICK, sweep_seconds=3600))
    with running(slow):
        assert eventually(lambda: slow._watcher.is_started)
        drop(share, "part.stl")
        assert eventually(lambda: book.paths() == ["part.stl"])


def test_a_thousand_files_and_moved_trees_are_each_taken_once(share: Share, book: Book, quick: Inbox) -> None:
    tree = share.root / "tree"
    for number in range(200):
        place = tree / f"folder {number % 20}" / f"part {number}.stl"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(STL)
    with running(quick):
        shutil.move(tree, share.inbox / "moved in")
        for number in range(800):
            drop(share, f"copied/{number % 7}/part {number}.stl")
        assert eventually(lambda: len(book.taken) >= 1000)
        assert eventually(lambda: nothing_waits(quick))
    assert len(set(book.paths())) == len(book.taken) == 1000


def test_without_events_sweeps_do_it_alone(
    share: Share, book: Book, quick: Inbox, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    def exhausted() -> None:
        raise OSError(28, "inotify watch limit reached")

    monkeypatch.setattr(events, "_make_observer", exhausted)
    with running(quick):
        drop(share, "part.stl")
        assert eventually(lambda: book.paths() == ["part.stl"])
        drop(share, "again/part.stl")
        assert eventually(lambda: len(book.taken) == 2)
    assert said == [
        "No events from the system (inotify watch limit reached): the inbox is scanned every 0.2 s."
    ]


def test_a_share_that_goes_and_comes_back_goes_on_by_itself(
    share: Share, book: Book, quick: Inbox, tmp_path: Path, said: list[str]
) -> None:
    with running(quick):
        drop(share, "first.stl")
        assert eventually(lambda: book.paths() == ["first.stl"])
        share.root.rename(tmp_path / "unmounted")
        assert eventually(lambda: len(said) == 1)
        (tmp_path / "unmounted").rename(share.root)
        assert eventually(lambda: len(said) == 2)
        drop(share, "second.stl")
        assert eventually(lambda: book.paths() == ["first.stl", "second.stl"])
    assert [line.split(":")[0] for line in said] == ["Share lost", "Share back"]


def test_a_fault_of_ours_stops_neither_the_loop_nor_other_files(
    share: Share, book: Book, quick: Inbox, said: list[str]
) -> None:
    def fault(path: str) -> None:
        if path == "a.stl":
            raise ZeroDivisionError("a fault")

    book.before_claim = fault
    drop(share, "a.stl")
    with running(quick):
        assert eventually(lambda: len(said) == 1)
        drop(share, "b.stl")
        assert eventually(lambda: book.paths() == ["b.stl"])
    assert said[0].startswith("The inbox could not be scanned; it is tried again.")


def test_a_file_that_met_a_fault_is_tried_again(share: Share, inbox: Inbox, book: Book, clock: Clock) -> None:
    drop(share, "part.stl")
    book.trouble["open"] = ZeroDivisionError("a fault")
    with pytest.raises(ZeroDivisionError):
        settle(inbox, clock)
    book.trouble.clear()
    assert settle(inbox, clock, 60) == ("part.stl",)


WRITER = """
import sys, threading
path, content, pause = sys.argv[1], bytes.fromhex(sys.stdin.read()), float(sys.argv[2])
with open(path, "wb", buffering=0) as file:
    for start in range(0, len(content), 500):
        file.write(content[start : start + 500])
        threading.Event().wait(pause)
"""


def test_processes_that_write_slowly_are_waited_for(share: Share, book: Book, tmp_path: Path) -> None:
    """Real writers with pauses beyond the quiet time: what is taken is whole, every time."""
    if not sees_all_writers(share.inbox):
        pytest.skip("the file system does not tell of writers")
    with running(Inbox(share, book, times=replace(QUICK, binary_seconds=0.02, ascii_seconds=0.02))):
        writers = []
        for number in range(6):
            content = binary(30 + number) if number % 2 else ascii_solid(20 + number)
            command = [sys.executable, "-c", WRITER, str(share.inbox / f"{number}.stl"), str(0.02 * number)]
            writers.append((content, subprocess.Popen(command, stdin=subprocess.PIPE, text=True)))
        for content, writer in writers:
            writer.communicate(content.hex())
        assert eventually(lambda: len(book.taken) == len(writers))
    for number, claimed_as in book.taken.items():
        spooled = copy_to_spool(share.root / claimed_as, tmp_path / "spool")
        content = writers[int(book.rows[number].removesuffix(".stl"))][0]
        assert (spooled.size, (tmp_path / "spool").read_bytes()) == (len(content), content)


SERVICE = """
import sys, threading
from pathlib import Path
from tests.intake.conftest import Book
from workflow.intake import Inbox, Share, StabilityTimes

class Speaking(Book):
    def claimed(self, number, claimed_as):
        print(self.rows[number], flush=True)

stop = threading.Event()
book = Speaking(rows={-n: "" for n in range(int(sys.argv[2]))})
times = StabilityTimes(binary_seconds=0.05, ascii_seconds=0.1, unsure_seconds=0.2)
inbox = Inbox(Share(Path(sys.argv[1])), book, times=times)
thread = threading.Thread(target=inbox.run, args=(stop,))
thread.start()
sys.stdin.read()
stop.set()
inbox.wake()
thread.join()
"""


def test_two_services_on_one_folder_take_each_file_once(share: Share) -> None:
    count = 300
    services = [
        subprocess.Popen(
            [sys.executable, "-c", SERVICE, str(share.root), str(first)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        for first in (0, 100_000)
    ]
    for number in range(count):
        drop(share, f"part {number}.stl")
    assert eventually(lambda: not any(share.inbox.iterdir()))
    taken = [line for service in services for line in service.communicate()[0].splitlines()]
    assert sorted(taken) == sorted(f"part {number}.stl" for number in range(count))
    assert len(list(share.processing.iterdir())) == count


def test_the_usual_times_are_short_for_whole_files_and_long_for_others() -> None:
    times = StabilityTimes()
    assert times.binary_seconds < 1 < times.ascii_seconds < times.stall_seconds
