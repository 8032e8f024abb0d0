"""What waits for a person, or for too long."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from tests.doctor.conftest import Look
from workflow.doctor import Grade
from workflow.doctor.ledger import Book
from workflow.doctor.waiting import waiting_checks
from workflow.ledger import RULES_TROUBLE, Ledger, add_to_waitlist, replace_mark
from workflow.model import Hold, State, Step
from workflow.settings import Settings
from workflow.state import locked_state, prepare_state


@pytest.fixture
def book(shop: Settings) -> Iterator[Ledger]:
    prepare_state(shop.state, shop.share)
    with closing(Ledger(shop.database)) as ledger:
        yield ledger


def submit(book: Ledger, step: Step | None = None, **changes: object) -> int:
    number = book.open("lid.stl")
    book.claimed(number, f"processing/{number}~lid.stl")
    due_at = datetime.now(UTC) - timedelta(minutes=20) if step else None
    book.next_turn(book.get(number), step, due_at, "", "", **changes)
    return number


def hold(book: Ledger, why: Hold) -> int:
    return submit(book, state=State.HELD, hold=why, reason="…")


@pytest.mark.parametrize("started", [False, True], ids=["no ledger", "an empty one"])
def test_where_nothing_waits_all_is_well(look: Look, shop: Settings, started: bool) -> None:
    if started:
        prepare_state(shop.state, shop.share)
        Ledger(shop.database).close()
    assert set(look(waiting_checks(Book(shop))).grades().values()) == {Grade.OK}


def test_what_is_held_is_counted_by_its_reason(look: Look, shop: Settings, book: Ledger) -> None:
    for why in (Hold.RULE, Hold.PRESET, Hold.RULE, Hold.DEVICE, Hold.BUILD):
        hold(book, why)
    held = look(waiting_checks(Book(shop))).only("waiting.held")
    assert (held.grade, held.says) == (Grade.WARN, "3 submissions are held: 2 for rule, 1 for preset.")
    assert held.fix.startswith("`stlflow list --state held` says why")


def test_sends_in_doubt_are_named(look: Look, shop: Settings, book: Ledger) -> None:
    numbers = [hold(book, Hold.SEND) for _ in range(7)]
    seen = look(waiting_checks(Book(shop)))
    shown = ", ".join(map(str, numbers[:-6:-1]))
    assert seen.only("waiting.doubts").says == f"7 sends are in doubt: submission {shown}, …."
    assert "stlflow settle" in seen.only("waiting.doubts").fix
    assert seen.only("waiting.held").grade is Grade.OK


def test_a_crowd_that_nobody_accepted(look: Look, shop: Settings, book: Ledger) -> None:
    add_to_waitlist(book, [f"old/{number}.stl" for number in range(700)])
    crowd = look(waiting_checks(Book(shop))).only("waiting.crowd")
    assert crowd.says == "700 files are of a crowd in the inbox, old/0.stl among them."
    assert crowd.fix == "`stlflow intake accept` if they are meant; else take them out."


def test_changed_rules_that_do_not_count(look: Look, shop: Settings, book: Ledger) -> None:
    replace_mark(book, RULES_TROUBLE, "rules.yaml:3:1: `frist` is not allowed\n  3 | frist")
    assert look(waiting_checks(Book(shop))).only("waiting.rules").says == (
        "The last change of the rules does not count: rules.yaml:3:1: `frist` is not allowed"
    )


def test_work_that_nobody_does(look: Look, shop: Settings, book: Ledger) -> None:
    submit(book, Step.POLL, state=State.SLICING)
    late = look(waiting_checks(Book(shop))).only("waiting.overdue")
    assert (late.says, late.fix) == (
        "1 submission is waiting, and no stlflow runs.",
        "Start it: `stlflow run`.",
    )
    with locked_state(shop.state):
        stuck = look(waiting_checks(Book(shop))).only("waiting.overdue")
    assert stuck.says == "1 submission is due for 20 min: nothing moves."
