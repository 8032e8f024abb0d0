"""The keeper outlives whatever fails around it, and what was dropped is taken up again."""

from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any, cast

import pytest

from tests.waiting import until
from workflow.ledger import Ledger
from workflow.model import Step, Submission
from workflow.pipeline import keeper as keeper_room
from workflow.pipeline.crew import Crew
from workflow.pipeline.engine import Engine
from workflow.pipeline.keeper import Keeper
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
    """The one room that the keeper itself works with."""

    ledger: Ledger


def test_an_engine_that_fails_for_a_while_strands_nothing(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper_room, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(keeper_room, "AUDIT_SECONDS", 0.02)
    number = ledger.open("a.stl")
    ledger.claimed(number, "processing/1~a.stl")
    engine = RefusingEngine(refusals=3)
    crew = Crew(ledger, "home", lambda _among: None)
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
