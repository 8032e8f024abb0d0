"""How a step ends when it does not go on: set aside after many crashes, waiting with a reason."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import pytest

from tests.ledger.queue_worker import QueueWorker, take_over
from tests.states import put_in_state
from workflow.ledger import Ledger
from workflow.model import EventKind, HoldReason, Step, Submission, SubmissionState
from workflow.pipeline.context import Context, now
from workflow.pipeline.retry import RetrySchedule
from workflow.pipeline.transitions import CRASHES_BEFORE_HOLD, hold_after_repeated_crashes, schedule_retry


@dataclass
class LedgerOnly:
    """The one room that transitions work with, and its patience."""

    ledger: Ledger
    retry_schedule: RetrySchedule = field(default_factory=RetrySchedule)


def die_at_it(ledger: Ledger, times: int) -> Submission:
    """Let workers in a row take the submission and die; return it as it was at last."""
    for _ in range(times):
        worker = QueueWorker(ledger)
        taken = worker.take(Step.INTAKE)
        worker.die()
        assert take_over(ledger) == taken
    return taken[0]


def test_a_part_that_kills_stlflow_again_and_again_is_set_aside(ledger: Ledger) -> None:
    context = cast(Context, cast(Any, LedgerOnly(ledger)))
    number = ledger.open("bomb.stl")
    ledger.claimed(number, "processing/1~bomb.stl")
    hold_after_repeated_crashes(context, die_at_it(ledger, CRASHES_BEFORE_HOLD - 1))
    assert ledger.get(number).state is SubmissionState.CLAIMED
    hold_after_repeated_crashes(context, die_at_it(ledger, 1))
    held = ledger.get(number)
    assert (held.state, held.hold, held.step) == (SubmissionState.HELD, HoldReason.FAULT, Step.FINISH)
    assert held.reason == (
        "stlflow was stopped or killed 20 times while it worked on this part (intake). Is memory or disk "
        "short? `stlflow retry 1` tries again."
    )


def test_one_that_went_on_elsewhere_meanwhile_is_left_alone(ledger: Ledger) -> None:
    context = cast(Context, cast(Any, LedgerOnly(ledger)))
    number = ledger.open("bomb.stl")
    ledger.claimed(number, "processing/1~bomb.stl")
    before = die_at_it(ledger, CRASHES_BEFORE_HOLD)
    ledger.schedule_next_step(ledger.get(number), Step.POLL, before.opened_at)
    hold_after_repeated_crashes(context, before)
    assert ledger.get(number).state is SubmissionState.CLAIMED


def test_one_that_gets_on_between_the_deaths_goes_on(ledger: Ledger) -> None:
    context = cast(Context, cast(Any, LedgerOnly(ledger)))
    number = ledger.open("slow.stl")
    ledger.claimed(number, "processing/1~slow.stl")
    die_at_it(ledger, CRASHES_BEFORE_HOLD - 1)
    ledger.record_event(ledger.get(number), EventKind.INSPECTED)
    hold_after_repeated_crashes(context, die_at_it(ledger, 2))
    assert ledger.get(number).state is SubmissionState.CLAIMED


@pytest.mark.parametrize(
    ("state", "hold"), [(SubmissionState.HELD, HoldReason.RULE), (SubmissionState.CANCELED, None)]
)
def test_what_is_decided_stays_as_it_is_however_often_stlflow_dies_at_it(
    ledger: Ledger, state: SubmissionState, hold: HoldReason | None
) -> None:
    context = cast(Context, cast(Any, LedgerOnly(ledger)))
    number = ledger.open("bomb.stl")
    ledger.claimed(number, "processing/1~bomb.stl")
    before = put_in_state(ledger, ledger.get(number), state=state, hold=hold)
    for _ in range(CRASHES_BEFORE_HOLD):
        ledger.record_event(before, EventKind.TAKEN_OVER)
    after = ledger.schedule_next_step(before, Step.FINISH, None)
    hold_after_repeated_crashes(context, before)
    assert ledger.get(number) == after


@pytest.mark.parametrize(("tries", "reason"), [(0, "away. a1"), (2, None), (2, "back. a1")])
def test_the_first_wait_and_another_reason_are_news(ledger: Ledger, tries: int, reason: str | None) -> None:
    context = cast(Context, cast(Any, LedgerOnly(ledger)))
    number = ledger.open("a.stl")
    ledger.claimed(number, "processing/1~a.stl")
    waiting = ledger.update_submission(ledger.get(number), tries=tries, reason=reason)
    assert schedule_retry(context, waiting, 1, "away. b2").reason == "away. b2"
    assert [event.detail for event in ledger.events(number) if event.event == "waiting"] == ["away. b2"]


def test_what_is_held_keeps_its_reason_while_a_search_is_tried_again(ledger: Ledger) -> None:
    context = cast(Context, cast(Any, LedgerOnly(ledger)))
    number = ledger.open("a.stl")
    ledger.claimed(number, "processing/1~a.stl")
    held = put_in_state(ledger, ledger.get(number), state=SubmissionState.HELD, reason="no build")
    assert schedule_retry(context, held, 1, "away").reason == "no build"


def test_each_new_reason_to_wait_is_news_and_the_same_with_another_reference_is_not(ledger: Ledger) -> None:
    context = cast(Context, cast(Any, LedgerOnly(ledger)))
    number = ledger.open("a.stl")
    ledger.claimed(number, "processing/1~a.stl")
    reasons = (
        "503: Eiger has a fault of its own in uploadStl. stlflow tries again later. (Eiger's reference a1)",
        "503: Eiger has a fault of its own in uploadStl. stlflow tries again later. (Eiger's reference b2)",
        "401: Eiger refuses the access keys. Check STLFLOW_ACCESS_KEY and STLFLOW_SECRET_KEY.",
    )
    for reason in reasons:
        assert schedule_retry(context, ledger.get(number), 1, reason).reason == reason
    waits = [event.detail for event in ledger.events(number) if event.event == "waiting"]
    assert waits == [reasons[0], reasons[2]]


@pytest.mark.parametrize("state", [SubmissionState.DISPATCHED, SubmissionState.HELD])
def test_an_end_that_waits_for_the_share_says_so_once(ledger: Ledger, state: SubmissionState) -> None:
    """What it says of itself stays: the reason of the end, not that of the wait."""
    context = cast(Context, cast(Any, LedgerOnly(ledger)))
    number = ledger.open("lid.stl")
    ledger.claimed(number, "processing/1~lid.stl")
    put_in_state(ledger, ledger.get(number), state=state, step=Step.FINISH, reason="as it ended")
    reasons = ("The share is away.", "The share is away.", "The disk is full.", "The disk is full.")
    for reason in reasons:
        schedule_retry(context, ledger.get(number), 0.0, reason)
    waits = [event.detail for event in ledger.events(number) if event.event == "waiting"]
    assert (waits, ledger.get(number).reason) == ([reasons[0], reasons[2]], "as it ended")


def test_a_step_that_waits_is_due_later_and_knows_since_when(ledger: Ledger) -> None:
    context = cast(Context, cast(Any, LedgerOnly(ledger)))
    number = ledger.open("a.stl")
    ledger.claimed(number, "processing/1~a.stl")
    before = now()
    first = schedule_retry(context, ledger.get(number), 100, "The cloud is away.")
    assert first.due_at is not None
    assert first.waiting_since is not None
    assert timedelta(seconds=100) <= first.due_at - before < timedelta(seconds=130)
    assert first.waiting_since >= before
    again = schedule_retry(context, first, 300, "The cloud is away.")
    assert (again.tries, again.waiting_since) == (2, first.waiting_since)
    assert again.due_at is not None
    assert again.due_at > first.due_at
