"""The edges of a stage: faults of stlflow itself, stages that are begun again, and turns that are over."""

from datetime import UTC, datetime

import pytest

from tests.pipeline.conftest import Open, dispatched, held
from tests.states import put_in_state
from tests.stl import box
from workflow.eiger import Build, BuildDetail
from workflow.ledger import Work
from workflow.model import HoldReason, Step, Submission, SubmissionState
from workflow.pipeline.stages import FAULTS_BEFORE_HOLD, Stages, is_outcome_decided


def test_a_fault_of_ours_holds_its_file_after_some_tries_and_stops_nothing_else(
    open_shop: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = open_shop()
    check = context.service.context.catalog.build

    def faulty(build_id: str) -> BuildDetail | Build:
        found = check(build_id)
        if found.title.startswith("broken~"):
            raise ZeroDivisionError("a fault of ours")
        return found

    monkeypatch.setattr(context.service.context.catalog, "build", faulty)
    monkeypatch.setattr("workflow.pipeline.stages.backoff_seconds", lambda _tries: 0.0)
    context.drop("broken.stl", box(71))
    context.drop("good.stl", box(72))
    assert context.sent(context.wait("good.stl", dispatched)) == 1
    waiting = context.wait("broken.stl", held)
    assert (waiting.hold, waiting.tries) == (HoldReason.FAULT, FAULTS_BEFORE_HOLD)
    assert f"stlflow failed {FAULTS_BEFORE_HOLD} times in choose_route" in (waiting.reason or "")


@pytest.mark.parametrize(
    ("state", "hold", "decided"),
    [
        (SubmissionState.HELD, HoldReason.RULE, True),
        (SubmissionState.HELD, HoldReason.SEND, True),
        (SubmissionState.HELD, HoldReason.BUILD, False),
        (SubmissionState.HELD, HoldReason.DEVICE, False),
        (SubmissionState.REJECTED, None, True),
        (SubmissionState.CANCELED, None, True),
        (SubmissionState.DISPATCHED, None, True),
        (SubmissionState.CLAIMED, None, False),
        (SubmissionState.ROUTED, None, False),
    ],
)
def test_a_stage_that_is_begun_again_stops_at_an_end(
    state: SubmissionState, hold: HoldReason | None, decided: bool
) -> None:
    submission = Submission(1, "a.stl", state, datetime(2026, 11, 28, tzinfo=UTC), hold=hold)
    assert is_outcome_decided(submission) is decided


@pytest.mark.parametrize("state", [SubmissionState.HELD, SubmissionState.REJECTED])
def test_a_stage_of_an_old_turn_does_nothing(open_shop: Open, state: SubmissionState) -> None:
    context = open_shop()
    ledger = context.service.ledger
    number = ledger.open("a.stl")
    ledger.claimed(number, f"processing/{number}~a.stl", left_in_place=True)
    ended = put_in_state(
        ledger, ledger.get(number), state=state, hold=HoldReason.RULE, step=None, due_at=None
    )
    later = ledger.schedule_next_step(ended, None, None)
    Stages(context.service.context).run_stage(Work(number, ended.turn, Step.INTAKE))
    assert ledger.get(number) == later
