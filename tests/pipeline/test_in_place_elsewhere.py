"""Read-only inboxes of several machines on one ledger: the same share is mounted elsewhere on each."""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.intake.conftest import TIMES, Clock, scan_once
from tests.intake.test_inbox import settle
from tests.pipeline.conftest import Shop
from tests.states import put_in_state
from tests.stl import box
from workflow.intake import Inbox, Share
from workflow.ledger import Ledger
from workflow.model import SubmissionState
from workflow.pipeline.heartbeat import Heartbeat
from workflow.pipeline.inbox_events import InboxEvents

Watch = Callable[[Path, Clock], Inbox]
MARKER = ".stlflow-share"


@pytest.fixture
def book(postgres_url: str) -> Iterator[Ledger]:
    with closing(Ledger(postgres_url)) as book:
        yield book


@pytest.fixture
def watch(context: Shop, book: Ledger, tmp_path: Path) -> Iterator[Watch]:
    """Watch a folder as a machine of its own; all share the ledger."""
    with ExitStack() as stack:

        def watch(exports: Path, clock: Clock) -> Inbox:
            share = Share(tmp_path / "share", left_inbox=exports)
            share.prepare()
            ledger = stack.enter_context(closing(Ledger(book.url)))
            machine = replace(context.service.context, ledger=ledger, share=share)
            desk = InboxEvents(
                machine, Heartbeat(ledger, exports.as_posix(), machine.client), lambda: None, 0
            )
            return Inbox(share, desk, times=TIMES, clock=clock)

        yield watch


def mounted_twice(tmp_path: Path) -> tuple[Path, Path]:
    """Return one share as two machines see it, with times of its files as each server of files tells them."""
    here, there = tmp_path / "mnt", tmp_path / "Z"
    (here / "exports").mkdir(parents=True)
    (here / MARKER).write_text("0123456789abcdef" * 2 + "\n", "ascii")
    (here / "exports" / "part.stl").write_bytes(box(71))
    shutil.copytree(here, there)
    return here / "exports", there / "exports"


def read(book: Ledger) -> None:
    """Let what was taken be read, and sent."""
    for submission in book.all():
        sha256 = hashlib.sha256(Path(submission.claimed_as or "").read_bytes()).hexdigest()
        put_in_state(
            book, submission, sha256=sha256, state=SubmissionState.DISPATCHED, step=None, due_at=None
        )


def test_a_file_that_another_machine_took_is_not_taken_again(
    watch: Watch, book: Ledger, tmp_path: Path
) -> None:
    here, there = mounted_twice(tmp_path)
    clock = Clock()
    one, other = watch(here, clock), watch(there, clock)
    assert settle(one, clock) == ("part.stl",)
    assert settle(other, clock) == ()
    (waiting,) = other.waiting()
    assert waiting.why == "what was taken from this place is being read: then it shows whether this is new"
    read(book)
    assert settle(other, clock, 60) == settle(watch(there, clock), clock) == ()
    assert len(book.all()) == 1
    (there / "part.stl").write_bytes(box(72))
    assert settle(other, clock) == ("part.stl",)


def test_of_machines_that_see_it_at_once_one_takes_it(watch: Watch, book: Ledger, tmp_path: Path) -> None:
    here, there = mounted_twice(tmp_path)
    for number in range(15):
        for folder in (here, there):
            (folder / f"{number}.stl").write_bytes(box(10 + number))
    clock = Clock()
    inboxes = [watch(place, clock) for place in (here, there, here, there)]
    with ThreadPoolExecutor(len(inboxes)) as machines:
        list(machines.map(scan_once, inboxes))
        clock.turn(60)
        list(machines.map(scan_once, inboxes))
    assert sorted(submission.path for submission in book.all()) == sorted(
        ["part.stl", *(f"{number}.stl" for number in range(15))]
    )


def test_folders_of_different_machines_are_not_mixed_up(watch: Watch, book: Ledger, tmp_path: Path) -> None:
    clock = Clock()
    for name, side in (("one", 73), ("two", 74)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "part.stl").write_bytes(box(side))
        assert settle(watch(tmp_path / name, clock), clock) == ("part.stl",)
        read(book)
    for name in ("one", "two"):
        assert settle(watch(tmp_path / name, clock), clock, 60) == ()
    assert len(book.all()) == 2


def test_a_marker_that_comes_later_has_nothing_taken_again(
    watch: Watch, book: Ledger, tmp_path: Path
) -> None:
    clock, exports = Clock(), tmp_path / "exports"
    exports.mkdir()
    (exports / "part.stl").write_bytes(box(75))
    assert settle(watch(exports, clock), clock) == ("part.stl",)
    read(book)
    (exports / MARKER).write_text("0123456789abcdef" * 2 + "\n", "ascii")
    assert settle(watch(exports, clock), clock, 60) == ()
    assert settle(watch(exports, clock), clock, 60) == ()
    assert len(book.all()) == 1
