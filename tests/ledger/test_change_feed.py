"""Which submissions have changed: each new event is told once, however many submissions there are."""

import pytest

from workflow.ledger import ChangeFeed, Ledger, change_feed, list_newest
from workflow.ledger.changes import append_event
from workflow.model import EventKind, SubmissionState


def claimed(ledger: Ledger, path: str) -> int:
    number = ledger.open(path)
    ledger.claimed(number, f"processing/{number}~{path}")
    return number


def test_at_first_any_may_have_changed_and_then_each_is_told_once(ledger: Ledger) -> None:
    first = claimed(ledger, "a.stl")
    feed = ChangeFeed(ledger)
    assert feed.read_changed() is None
    assert feed.read_changed() == frozenset({first}), "an event of just before may not have been visible"
    assert feed.read_changed() == frozenset()
    second = claimed(ledger, "b.stl")
    ledger.record_event(ledger.get(first), EventKind.UPLOADING, "a")
    assert feed.read_changed() == frozenset({first, second})
    assert feed.read_changed() == frozenset()


def test_after_a_reset_or_too_many_events_any_may_have_changed(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change_feed, "EVENTS_AT_ONCE", 3)
    feed = ChangeFeed(ledger)
    assert feed.read_changed() is None
    numbers = [claimed(ledger, f"{place}.stl") for place in range(3)]
    assert feed.read_changed() is None
    monkeypatch.setattr(change_feed, "EVENTS_AT_ONCE", 100)
    assert feed.read_changed() == frozenset(numbers)
    feed.reset()
    assert feed.read_changed() is None


def test_an_event_that_becomes_visible_after_a_later_one_is_told(postgres_url: str) -> None:
    ledger = Ledger(postgres_url)
    one, other = claimed(ledger, "a.stl"), claimed(ledger, "b.stl")
    feed = ChangeFeed(ledger)
    feed.read_changed()
    feed.read_changed()
    with ledger.write_transaction() as slow:
        append_event(slow, one, EventKind.UPLOADING, "a")
        ledger.record_event(ledger.get(other), EventKind.UPLOADING, "b")
        assert feed.read_changed() == frozenset({other})
    assert feed.read_changed() == frozenset({one})
    ledger.close()


def test_the_newest_in_some_states_are_listed(ledger: Ledger) -> None:
    numbers = [claimed(ledger, f"{place}.stl") for place in range(3)]
    assert list_newest(ledger, [SubmissionState.CLAIMED], 2) == frozenset(numbers[1:])
    assert list_newest(ledger, [SubmissionState.HELD], 2) == frozenset()
