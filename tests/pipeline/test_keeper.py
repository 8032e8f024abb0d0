"""The keeper outlives whatever fails around it, and what was dropped is taken up again."""

from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any, cast

import pytest

from tests.pipeline.rates import Rate
from tests.waiting import until
from workflow.ledger import Ledger, join, signs, strike_off, take_due, take_over
from workflow.model import Hold, State, Step, Submission
from workflow.pipeline import keeper as keeper_room
from workflow.pipeline.crew import Crew
from workflow.pipeline.engine import Engine
from workflow.pipeline.keeper import Keeper
from workflow.pipeline.outcome import DEATHS_BEFORE_HOLD, hold_if_deadly, wait_in_line
from workflow.pipeline.patience import Patience
from workflow.pipeline.workshop import Workshop


@dataclass
class RefusingEngine:
    """An engine whose database refuses the first so many times."""

    refusals: int
    begun: list[tuple[int, int]] = field(default_factory=list)

    def begin(self, submission: Submission) -> None:
        if self.refusals:
            self.refusals -= 1
            raise OSError("disk full")
        self.begun.append((submission.id, submission.turn))

    def knows(self, submission: Submission) -> bool:
        return (submission.id, submission.turn) in self.begun

    def room(self, _step: Step) -> int:
        return 1


@dataclass
class LedgerOnly:
    """The one room that the keeper itself works with, and its patience."""

    ledger: Ledger
    patience: Patience = field(default_factory=Patience)


def test_an_engine_that_fails_for_a_while_strands_nothing(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper_room, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(keeper_room, "AUDIT_SECONDS", 0.02)
    number = ledger.open("a.stl")
    ledger.claimed(number, "processing/1~a.stl")
    engine = RefusingEngine(refusals=3)
    crew = Crew(ledger, "home", Rate())
    keeper = Keeper(cast(Workshop, cast(Any, LedgerOnly(ledger))), cast(Engine, cast(Any, engine)), crew)
    stop = Event()
    thread = Thread(target=keeper.run, args=(stop,))
    thread.start()
    try:
        assert until(lambda: engine.begun, 10)
        assert engine.begun[0][0] == number
    finally:
        stop.set()
        thread.join(timeout=10)


def die_at_it(ledger: Ledger, times: int) -> Submission:
    """Let so many workers in a row take the submission and be gone; gives it as it was at last."""
    for _ in range(times):
        worker = join(ledger, "home", "host", 1, "1.0")
        taken = take_due(ledger, worker, [Step.INTAKE], 1)
        strike_off(ledger, worker.name, signs(ledger)[worker.name])
        assert take_over(ledger) == taken
    return taken[0]


def test_a_part_that_kills_stlflow_again_and_again_is_set_aside(ledger: Ledger) -> None:
    shop = cast(Workshop, cast(Any, LedgerOnly(ledger)))
    number = ledger.open("bomb.stl")
    ledger.claimed(number, "processing/1~bomb.stl")
    hold_if_deadly(shop, die_at_it(ledger, DEATHS_BEFORE_HOLD - 1))
    assert ledger.get(number).state is State.CLAIMED
    hold_if_deadly(shop, die_at_it(ledger, 1))
    held = ledger.get(number)
    assert (held.state, held.hold, held.step) == (State.HELD, Hold.FAULT, Step.FINISH)
    assert held.reason == (
        "stlflow was stopped or killed 20 times while it worked on this part (intake). Is memory or disk "
        "short? `stlflow retry 1` tries again."
    )


def test_one_that_went_on_elsewhere_meanwhile_is_left_alone(ledger: Ledger) -> None:
    shop = cast(Workshop, cast(Any, LedgerOnly(ledger)))
    number = ledger.open("bomb.stl")
    ledger.claimed(number, "processing/1~bomb.stl")
    before = die_at_it(ledger, DEATHS_BEFORE_HOLD)
    ledger.next_turn(ledger.get(number), Step.POLL, before.opened_at)
    hold_if_deadly(shop, before)
    assert ledger.get(number).state is State.CLAIMED


def test_one_that_gets_on_between_the_deaths_goes_on(ledger: Ledger) -> None:
    shop = cast(Workshop, cast(Any, LedgerOnly(ledger)))
    number = ledger.open("slow.stl")
    ledger.claimed(number, "processing/1~slow.stl")
    die_at_it(ledger, DEATHS_BEFORE_HOLD - 1)
    ledger.record(ledger.get(number), "inspected")
    hold_if_deadly(shop, die_at_it(ledger, 2))
    assert ledger.get(number).state is State.CLAIMED


def test_each_new_reason_to_wait_is_news_and_the_same_with_another_reference_is_not(ledger: Ledger) -> None:
    shop = cast(Workshop, cast(Any, LedgerOnly(ledger)))
    number = ledger.open("a.stl")
    ledger.claimed(number, "processing/1~a.stl")
    reasons = (
        "503: Eiger has a fault of its own in uploadStl. stlflow tries again later. (Eiger's reference a1)",
        "503: Eiger has a fault of its own in uploadStl. stlflow tries again later. (Eiger's reference b2)",
        "401: Eiger refuses the access keys. Check STLFLOW_ACCESS_KEY and STLFLOW_SECRET_KEY.",
    )
    for reason in reasons:
        assert wait_in_line(shop, ledger.get(number), 1, reason).reason == reason
    waits = [event.detail for event in ledger.events(number) if event.event == "waiting"]
    assert waits == [reasons[0], reasons[2]]
