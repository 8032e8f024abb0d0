"""Notes that have news come first; thousands that may be out of date are checked a few at a time."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.eiger.turned import TurnedClock
from workflow.ledger import Ledger
from workflow.pipeline.note_queue import CHECKED_AT_ONCE, NOTES_AT_ONCE, PRINTERS_KNOWN_SECONDS, NoteQueue


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield ledger
    ledger.close()


def test_what_was_told_comes_first_the_newest_before_all(ledger: Ledger) -> None:
    queue = NoteQueue(ledger)
    queue.add(range(1, NOTES_AT_ONCE + 3))
    assert queue.take() == list(range(NOTES_AT_ONCE + 2, 2, -1))
    assert queue
    assert queue.take() == [2, 1]
    assert not queue


def test_doubtful_notes_are_checked_a_few_at_a_time(ledger: Ledger) -> None:
    queue = NoteQueue(ledger)
    many = range(1, 3 * CHECKED_AT_ONCE + 1)
    queue.sweep(many, knows_printers=True)
    assert queue.take() == list(reversed(many))[:CHECKED_AT_ONCE]
    queue.sweep(many, knows_printers=True)
    assert queue.take() == list(reversed(many))[CHECKED_AT_ONCE : 2 * CHECKED_AT_ONCE]


def test_doubtful_notes_wait_for_the_names_of_the_printers_but_not_for_long(ledger: Ledger) -> None:
    clock = TurnedClock()
    queue = NoteQueue(ledger, lambda: clock.now)
    queue.sweep([7], knows_printers=False)
    assert queue.take() == []
    clock.now += PRINTERS_KNOWN_SECONDS
    queue.sweep([7], knows_printers=False)
    assert queue.take() == [7]


def test_what_the_ledger_shows_is_news(ledger: Ledger) -> None:
    queue = NoteQueue(ledger)
    queue.sweep((), knows_printers=True)
    number = ledger.open("clip.stl")
    ledger.claimed(number, "processing/1~clip.stl")
    queue.sweep((), knows_printers=True)
    assert queue.take() == [number]
    queue.clear()
    queue.sweep((), knows_printers=True)
    assert queue.take() == [number], "all that are worked on"
