"""Where an examination stops: at an end, at a hold, at a turn that is over; and what is written by then."""

from typing import Any, cast

import pytest

from tests.pipeline.test_transitions import LedgerOnly
from tests.states import put_in_state
from workflow.ledger import Draft, Ledger, draft_of
from workflow.model import HoldReason, Step, Submission, SubmissionState
from workflow.pipeline import stages
from workflow.pipeline.context import Context, now
from workflow.pipeline.stages import StepFunction, choose_route, examine_file, is_decided

HELD, REJECTED, ROUTED = SubmissionState.HELD, SubmissionState.REJECTED, SubmissionState.ROUTED


@pytest.mark.parametrize(
    ("state", "hold", "decided"),
    [
        (SubmissionState.CLAIMED, None, False),
        (ROUTED, None, False),
        (HELD, HoldReason.RULE, True),
        (HELD, HoldReason.BUILD, True),
        (HELD, HoldReason.DEVICE, False),
        (REJECTED, None, True),
        (SubmissionState.CANCELED, None, True),
    ],
)
@pytest.mark.parametrize("turn_over", [False, True])
def test_no_step_of_an_examination_follows_an_end(
    state: SubmissionState, hold: HoldReason | None, *, decided: bool, turn_over: bool
) -> None:
    submission = Submission(1, "a.stl", state, now(), hold=hold)
    draft = draft_of(submission)
    draft = draft.end_turn(Step.POLL, now()) if turn_over else draft
    assert is_decided(draft) is (decided or turn_over)


@pytest.mark.parametrize("stage", [examine_file, choose_route])
@pytest.mark.parametrize("ends", [False, True])
def test_what_a_stage_finds_is_written_once_up_to_its_end_or_failure(
    durable_writes: list[bool],
    ledger: Ledger,
    monkeypatch: pytest.MonkeyPatch,
    stage: StepFunction,
    *,
    ends: bool,
) -> None:
    context = cast(Context, cast(Any, LedgerOnly(ledger)))
    number = ledger.open("a.stl")
    ledger.claimed(number, "processing/1~a.stl")
    submission = put_in_state(ledger, ledger.get(number), state=ROUTED)

    def first(_: Context, draft: Draft) -> Draft:
        held = {"state": HELD, "hold": HoldReason.RULE} if ends else {}
        return draft.change(preset="first", **cast(Any, held))

    def second(_: Context, draft: Draft) -> Draft:
        return draft.change(owner_id="second")

    def third(_: Context, draft: Draft) -> Draft:
        raise OSError("gone")

    for name in ("EXAMINATION", "FINDING"):
        monkeypatch.setattr(stages, name, (first, second, third))
    durable_writes.clear()
    if ends:
        written = stage(context, submission)
        assert written == ledger.get(submission.id)
    else:
        with pytest.raises(OSError, match="gone"):
            stage(context, submission)
        written = ledger.get(submission.id)
    assert durable_writes == [False], "after a power cut it is found again"
    assert (written.preset, written.owner_id) == ("first", None if ends else "second")
