"""Moving up to Postgres with submissions in every state: each goes on from where it was."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.ledger.queue_worker import QueueWorker, take_over
from tests.states import put_in_state
from workflow.errors import StateFolderError
from workflow.ledger import (
    Ledger,
    SendInProgress,
    list_abandoned_claims,
)
from workflow.ledger.copy import copy_ledger
from workflow.model import HoldReason, Step, SubmissionState

STEPS = {
    SubmissionState.SLICING: Step.POLL,
    SubmissionState.SLICED: Step.DELIVER,
    SubmissionState.ROUTED: Step.DELIVER,
}


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(f"sqlite:///{tmp_path / 'old.db'}")
    yield ledger
    ledger.close()


@pytest.fixture
def new(postgres_url: str) -> Iterator[Ledger]:
    ledger = Ledger(postgres_url)
    ledger.metadata.ensure_name()  # as somebody who looked into it with `list` would have made it
    yield ledger
    ledger.close()


def in_every_state(ledger: Ledger) -> None:
    ledger.metadata.ensure_name()
    for state in SubmissionState:
        number = ledger.open(f"{state}.stl")
        ledger.claimed(number, f"processing/{number}~{state}.stl")
        step = STEPS.get(
            state, Step.INTAKE if state in {SubmissionState.CLAIMED, SubmissionState.INSPECTED} else None
        )
        hold = HoldReason.RULE if state is SubmissionState.HELD else None
        submission = ledger.get(number)
        due_at = submission.due_at if step else None
        put_in_state(ledger, submission, state=state, step=step, hold=hold, due_at=due_at)
    ledger.open("not claimed yet.stl")


def test_everything_is_there_afterwards_as_it_was(old: Ledger, new: Ledger) -> None:
    in_every_state(old)
    assert copy_ledger(old, new) == len(SubmissionState) + 1
    assert new.all() == old.all()
    assert [new.events(each.id) for each in new.all()] == [old.events(each.id) for each in old.all()]
    assert list_abandoned_claims(new) == list_abandoned_claims(old)
    assert new.metadata.ensure_name() == old.metadata.ensure_name()
    assert new.open("next.stl") == old.open("next.stl")


def test_leased_steps_begin_again_and_a_send_keeps_its_fence(old: Ledger, new: Ledger) -> None:
    in_every_state(old)
    taken = QueueWorker(old).take(Step.DELIVER)
    sending = next(each for each in taken if each.state is SubmissionState.ROUTED)
    old.sends.begin(sending, 1, 60)
    copy_ledger(old, new)
    take_over(new)
    anew = {each.id: each.turn for each in QueueWorker(new).take(Step.DELIVER)}
    assert anew[sending.id] == sending.turn + 1
    assert isinstance(new.sends.begin(replace(sending, turn=sending.turn + 1), 1, 60), SendInProgress)


def test_a_database_that_holds_submissions_is_never_moved_into(old: Ledger, new: Ledger) -> None:
    in_every_state(old)
    number = new.open("theirs.stl")
    with pytest.raises(
        StateFolderError, match="The new database holds submissions already: move into an empty one"
    ):
        copy_ledger(old, new)
    assert new.get(number).path == "theirs.stl"
