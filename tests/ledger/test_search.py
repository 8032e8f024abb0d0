"""Searching, paging and following changes give the same on SQLite and on Postgres."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.states import put_in_state
from workflow.ledger import SORT_COLUMNS, Ledger, SortOrder, SubmissionFilter
from workflow.model import Destination, EventKind, SubmissionState

PATHS = ("b/Clip.stl", "A.stl", "ä%_.stl", "a.stl", "z clip.stl")
WORDS = {
    "KIM": [1], "two": [2], "mark two": [2], "night": [3], "jobs": [], "requests": [3], "job": [3],
    "queue": [], "metal": [4], "5": [5], "clip kim": [1],
}  # fmt: skip
"""What is found by free words: people, printers, rules, places with a name, numbers."""


@pytest.fixture
def filled(ledger: Ledger) -> Ledger:
    """A ledger with a few submissions."""
    for path in PATHS:
        number = ledger.open(path)
        ledger.claimed(number, f"processing/{number}~x.stl")
    put_in_state(ledger, ledger.get(1), state=SubmissionState.HELD, dropped_by="kim")
    put_in_state(
        ledger, ledger.get(2), state=SubmissionState.REJECTED, ended_at=datetime.now(UTC), device="Mark Two"
    )
    ledger.update_submission(ledger.get(3), destination=Destination.JOB_REQUEST, routing_rule="By night")
    ledger.update_submission(ledger.get(4), destination=Destination.DEVICE_QUEUE, intake_rule="metal")
    return ledger


def found(ledger: Ledger, wanted: SubmissionFilter) -> list[int]:
    rows, following, count = ledger.search.first_page(wanted, SortOrder("file"), 50)
    assert (len(rows), following) == (count, None)
    assert ledger.search.count(wanted) == count == len(ledger.search.page(wanted, SortOrder(), 50)[0])
    return sorted(each.id for each in ledger.search.page(wanted, SortOrder(), 50)[0])


def test_conditions(filled: Ledger) -> None:
    day = datetime.now(UTC) - timedelta(hours=1)
    assert found(filled, SubmissionFilter()) == [1, 2, 3, 4, 5]
    assert found(filled, SubmissionFilter(words=("CLIP",))) == [1, 5]
    assert found(filled, SubmissionFilter(words=("clip", "z"))) == [5]
    assert found(filled, SubmissionFilter(words=("%_",))) == [3]
    assert found(filled, SubmissionFilter(without_words=("clip",))) == [2, 3, 4]
    assert found(filled, SubmissionFilter(words=("#4",))) == [4]
    for words, numbers in WORDS.items():
        assert found(filled, SubmissionFilter(words=tuple(words.split()))) == numbers, words
        others = sorted({1, 2, 3, 4, 5} - set(numbers))
        if " " not in words:
            assert found(filled, SubmissionFilter(without_words=(words,))) == others, words
    assert found(filled, SubmissionFilter(fields={"state": frozenset({"held"})})) == [1]
    assert found(filled, SubmissionFilter(without_fields={"device": frozenset({"Mark Two"})})) == [1, 3, 4, 5]
    assert found(filled, SubmissionFilter(only=frozenset({2, 3, 99}))) == [2, 3]
    assert found(filled, SubmissionFilter(since=day)) == [1, 2, 3, 4, 5]
    assert found(filled, SubmissionFilter(until=day)) == []
    assert filled.search.list_droppers() == ["kim"]
    assert filled.search.count_ended_since(day) == {"rejected": 1}


@pytest.mark.parametrize("column", SORT_COLUMNS)
@pytest.mark.parametrize("descending", [True, False])
def test_every_row_is_on_one_page(filled: Ledger, column: str, descending: bool) -> None:
    order, seen, cursor = SortOrder(column, descending), list[int](), None
    while True:
        rows, cursor = filled.search.page(SubmissionFilter(), order, 2, cursor)
        seen += [each.id for each in rows]
        if cursor is None:
            break
    assert sorted(seen) == [1, 2, 3, 4, 5]
    assert seen == [each.id for each in filled.search.page(SubmissionFilter(), order, 50)[0]]


def test_changes_have_versions_that_grow(filled: Ledger) -> None:
    before = filled.search.last_event()
    assert filled.search.changes_since(before) == {}
    filled.record_event(filled.get(3), EventKind.WAITING, "once")
    filled.record_event(filled.get(3), EventKind.WAITING, "twice")
    changed = filled.search.changes_since(before)
    assert set(changed) == {3}
    assert changed[3] == filled.search.last_event() == filled.search.latest_events([3])[3].id


def test_tokens_are_known_by_their_digest(filled: Ledger) -> None:
    token = filled.console_tokens.make("Anna", "view")
    newer = filled.console_tokens.make("Anna", "work")
    known = filled.console_tokens.find(newer)
    assert known is not None
    assert (known.name, known.role, known.digest == newer) == ("Anna", "work", False)
    assert filled.console_tokens.find(token) is None
    assert filled.console_tokens.revoke("Anna")
    assert filled.console_tokens.find(newer) is None
