"""What waits for a person, or for too long."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Unpack

import pytest

from tests.doctor.conftest import Look
from tests.states import put_in_state
from workflow.doctor import Grade
from workflow.doctor.ledger import LedgerAccess
from workflow.doctor.submissions import waiting_checks
from workflow.ledger import RULES_ERROR_KEY, Ledger
from workflow.model import HoldReason, Step, SubmissionChanges, SubmissionState
from workflow.settings import Settings
from workflow.state_folder import locked_state_folder, prepare_state_folder


@pytest.fixture
def book(context: Settings) -> Iterator[Ledger]:
    prepare_state_folder(context.state, context.share)
    with closing(Ledger(context.database)) as ledger:
        yield ledger


def submit(book: Ledger, step: Step | None = None, /, **changes: Unpack[SubmissionChanges]) -> int:
    number = book.open("lid.stl")
    book.claimed(number, f"processing/{number}~lid.stl")
    due_at = datetime.now(UTC) - timedelta(minutes=20) if step else None
    moved = put_in_state(book, book.get(number), **changes)
    book.schedule_next_step(moved, step, due_at)
    return number


def hold(book: Ledger, why: HoldReason) -> int:
    return submit(book, state=SubmissionState.HELD, hold=why, reason="…")


@pytest.mark.parametrize("started", [False, True], ids=["no ledger", "an empty one"])
def test_where_nothing_waits_all_is_well(look: Look, context: Settings, started: bool) -> None:
    if started:
        prepare_state_folder(context.state, context.share)
        Ledger(context.database).close()
    assert set(look(waiting_checks(LedgerAccess(context))).grades().values()) == {Grade.OK}


def test_what_is_held_is_counted_by_its_reason(look: Look, context: Settings, book: Ledger) -> None:
    for why in (HoldReason.RULE, HoldReason.PRESET, HoldReason.RULE, HoldReason.DEVICE, HoldReason.BUILD):
        hold(book, why)
    held = look(waiting_checks(LedgerAccess(context))).select("waiting.held")
    assert (held.grade, held.says) == (Grade.WARN, "3 submissions are held: 2 for rule, 1 for preset.")
    assert held.fix.startswith("`stlflow list --state held` says why")


def test_sends_in_doubt_are_named(look: Look, context: Settings, book: Ledger) -> None:
    numbers = [hold(book, HoldReason.SEND) for _ in range(7)]
    seen = look(waiting_checks(LedgerAccess(context)))
    shown = ", ".join(map(str, numbers[:-6:-1]))
    assert seen.select("waiting.doubts").says == f"7 sends are not confirmed: submission {shown}, …."
    assert "stlflow settle" in seen.select("waiting.doubts").fix
    assert seen.select("waiting.held").grade is Grade.OK


def test_a_mass_arrival_that_nobody_accepted(look: Look, context: Settings, book: Ledger) -> None:
    book.mass_arrival.add([f"old/{number}.stl" for number in range(700)])
    crowd = look(waiting_checks(LedgerAccess(context))).select("waiting.crowd")
    assert crowd.says == "700 files are held as a bulk arrival, old/0.stl among them."
    assert crowd.fix == "Accept them with `stlflow intake accept`, or take them out of the inbox."


def test_changed_rules_that_do_not_count(look: Look, context: Settings, book: Ledger) -> None:
    book.metadata.write(RULES_ERROR_KEY, "rules.yaml:3:1: `frist` is not allowed\n  3 | frist")
    assert look(waiting_checks(LedgerAccess(context))).select("waiting.rules").says == (
        "The last change of the rules is not loaded: rules.yaml:3:1: `frist` is not allowed"
    )


def test_work_that_nobody_does(look: Look, context: Settings, book: Ledger) -> None:
    submit(book, Step.POLL, state=SubmissionState.SLICING)
    late = look(waiting_checks(LedgerAccess(context))).select("waiting.overdue")
    assert (late.says, late.fix) == (
        "1 submission is waiting, and stlflow does not run.",
        "Start it: `stlflow run`.",
    )
    with locked_state_folder(context.state):
        stuck = look(waiting_checks(LedgerAccess(context))).select("waiting.overdue")
    assert stuck.says == "1 submission is overdue by 20 min."


def test_a_canary_that_never_flies_is_told(look: Look, context: Settings, book: Ledger) -> None:
    flown = context.model_copy(update={"canary_minutes": 5.0})
    assert look(waiting_checks(LedgerAccess(flown))).select("waiting.canary").grade is Grade.OK
    left = flown.model_copy(update={"read_only_inbox": context.share / "inbox"})
    told = look(waiting_checks(LedgerAccess(left))).select("waiting.canary")
    assert (told.grade, told.says) == (
        Grade.WARN,
        "No canary flies: nothing is put into a read-only inbox.",
    )
