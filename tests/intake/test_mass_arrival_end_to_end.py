"""Many files at once wait in the inbox, untouched, until a person accepts them."""

import os
import sys

import pytest

from tests.intake.conftest import TIMES, Book, Clock, scan_once
from tests.intake.test_inbox import QUICK, drop, eventually, running, settle
from workflow.errors import StateFolderError
from workflow.intake import MASS_ARRIVAL_REASON, Inbox, MassArrivalLimit, Share

LIMIT = MassArrivalLimit(files=5)
CROWD = [f"old/part {number}.stl" for number in range(7)]


@pytest.fixture
def inbox(share: Share, book: Book, clock: Clock) -> Inbox:
    return Inbox(share, book, times=TIMES, limit=LIMIT, clock=clock)


def test_an_old_folder_at_the_first_start_stays_as_it_is(
    share: Share, inbox: Inbox, book: Book, clock: Clock
) -> None:
    for path in CROWD:
        drop(share, path)
    assert settle(inbox, clock) == settle(inbox, clock, 3600) == ()
    assert all((share.inbox / path).is_file() for path in CROWD)
    assert book.rows == {}
    assert book.waitlist == dict.fromkeys(CROWD, False)
    assert {waiting.path: waiting.why for waiting in inbox.waiting()} == dict.fromkeys(
        CROWD, MASS_ARRIVAL_REASON
    )


def test_accepted_files_are_taken(share: Share, inbox: Inbox, book: Book, clock: Clock) -> None:
    for path in CROWD:
        drop(share, path)
    settle(inbox, clock)
    book.waitlist.update(dict.fromkeys(CROWD, True))
    assert set(settle(inbox, clock)) == set(CROWD)
    scan_once(inbox)
    assert book.waitlist == {}, "what is taken waits no more"


def test_a_single_file_passes_while_a_mass_arrival_waits(share: Share, inbox: Inbox, clock: Clock) -> None:
    for path in CROWD:
        drop(share, path)
    settle(inbox, clock, 61)
    drop(share, "urgent.stl")
    assert settle(inbox, clock) == ("urgent.stl",)


def test_the_rest_of_a_mass_arrival_waits_after_a_restart_too(
    share: Share, inbox: Inbox, book: Book, clock: Clock
) -> None:
    for path in CROWD:
        drop(share, path)
    settle(inbox, clock)
    for path in CROWD[2:]:
        (share.inbox / path).unlink()
    again = Inbox(share, book, times=TIMES, limit=LIMIT, clock=clock)
    assert settle(again, clock) == ()
    assert book.waitlist == dict.fromkeys(CROWD[:2], False)


def test_a_ledger_that_can_not_write_it_down_takes_nothing(
    share: Share, inbox: Inbox, book: Book, clock: Clock, said: list[str]
) -> None:
    for path in CROWD:
        drop(share, path)
    book.trouble["crowd"] = StateFolderError("The ledger can't be written: disk full.")
    assert settle(inbox, clock) == ()
    assert said == ["The inbox waits: The ledger can't be written: disk full."]
    book.trouble.clear()
    assert settle(inbox, clock) == settle(inbox, clock, 120) == ()
    assert book.waitlist == dict.fromkeys(CROWD, False)


def test_a_mass_arrival_by_events_waits_as_well(share: Share, book: Book) -> None:
    inbox = Inbox(share, book, times=QUICK, limit=LIMIT)
    with running(inbox):
        assert eventually(lambda: inbox._watcher.is_started)
        for path in CROWD:
            drop(share, path)
        assert eventually(lambda: len(book.waitlist) + len(book.taken) == len(CROWD))
        assert len(book.taken) <= LIMIT.files
        book.waitlist.update(dict.fromkeys(book.waitlist, True))
        assert eventually(lambda: len(book.taken) == len(CROWD))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every name is text")
def test_names_that_are_no_text_wait_and_are_accepted_like_others(
    share: Share, inbox: Inbox, book: Book, clock: Clock
) -> None:
    odd = [os.fsdecode(b"caf\xe9 %d.stl" % number) for number in range(2)]
    for path in (*CROWD, *odd):
        drop(share, path)
    assert settle(inbox, clock) == settle(inbox, clock, 3600) == ()
    assert len(book.waitlist) == 9
    again = Inbox(share, book, times=TIMES, limit=LIMIT, clock=clock)
    assert settle(again, clock, 3600) == ()
    book.waitlist.update(dict.fromkeys(book.waitlist, True))
    assert len(settle(again, clock)) == 9
    scan_once(again)
    assert book.waitlist == {}
