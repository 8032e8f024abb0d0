"""How the steps of a stage follow each other, and what each kind of failure does; steps are functions."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from tests.states import put_in_state
from workflow.errors import BadRequest, ServerError
from workflow.ledger import Ledger, Superseded, Work, work_of
from workflow.model import HoldReason, Step, Submission, SubmissionState
from workflow.pipeline import stages
from workflow.pipeline.context import Context, now
from workflow.pipeline.retry import RetrySchedule
from workflow.pipeline.stages import (
    CANARY_STEPS,
    FAULTS_BEFORE_HOLD,
    SHADOW_STEPS,
    STEPS,
    Stages,
    StepFunction,
)
from workflow.pipeline.transitions import hold, schedule_retry

HELD, REJECTED, ROUTED = SubmissionState.HELD, SubmissionState.REJECTED, SubmissionState.ROUTED
DELIVER, INTAKE = Step.DELIVER, Step.INTAKE


@dataclass
class Line:
    """A ledger and the stages over it; `done` is what they did."""

    ledger: Ledger
    monkeypatch: pytest.MonkeyPatch
    shadow: bool = False
    retry_schedule: RetrySchedule = field(default_factory=RetrySchedule)
    done: list[str] = field(default_factory=list)
    finish: Callable[[Submission], Submission] = lambda submission: submission

    @property
    def context(self) -> Context:
        return cast(Context, cast(Any, self))

    def submitted(self, state: SubmissionState = ROUTED, step: Step = DELIVER, **changes: Any) -> Submission:
        """Submit a file whose step is in progress."""
        number = self.ledger.open("a.stl")
        self.ledger.claimed(number, "processing/1~a.stl", left_in_place=True)
        begun = {"step": step, "due_at": None, **changes}
        return put_in_state(self.ledger, self.ledger.get(number), state=state, **begun)

    def noted(self, name: str, does: Callable[[Submission], Submission]) -> StepFunction:
        def step(_: Context, submission: Submission) -> Submission:
            self.done.append(name)
            return does(submission)

        step.__name__ = name
        return step

    def run(self, submission: Submission, *does: Callable[[Submission], Submission]) -> Work | None:
        """Run a stage of these steps."""
        steps = tuple(self.noted(f"step {place}", each) for place, each in enumerate(does, 1))
        for step in (DELIVER, INTAKE):
            self.monkeypatch.setitem(cast(dict[Step, Any], STEPS), step, steps)
        self.monkeypatch.setattr(stages, "finish_submission", self.noted("finish", self.finish))
        return Stages(self.context).run_stage(work_of(submission))


@pytest.fixture
def line(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Line:
    return Line(ledger, monkeypatch)


def same(submission: Submission) -> Submission:
    return submission


def failing(error: Exception) -> Callable[[Submission], Submission]:
    def step(_: Submission) -> Submission:
        raise error

    return step


def test_each_step_follows_the_one_before_and_nothing_follows_the_stage(line: Line) -> None:
    submission = line.submitted()
    assert line.run(submission, same, same) is None
    assert line.done == ["step 1", "step 2", "finish"]
    assert line.ledger.get(submission.id) == submission


def test_nothing_follows_a_hold_but_its_file(line: Line) -> None:
    submission = line.submitted()
    line.run(submission, lambda seen: hold(line.context, seen, HoldReason.SEND, "why"), same)
    assert line.done == ["step 1", "finish"]


def test_nothing_follows_the_end_of_the_turn(line: Line) -> None:
    submission = line.submitted()
    assert line.run(submission, lambda seen: schedule_retry(line.context, seen, 9, "why"), same) is None
    assert line.done == ["step 1"]


@pytest.mark.parametrize("state", [REJECTED, SubmissionState.CANCELED, HELD])
def test_of_what_is_decided_only_the_file_is_left(line: Line, state: SubmissionState) -> None:
    line.run(line.submitted(state, hold=HoldReason.RULE if state is HELD else None), same)
    assert line.done == ["finish"]


def test_a_turn_that_is_over_does_nothing(line: Line) -> None:
    old = line.submitted()
    later = line.ledger.schedule_next_step(old, DELIVER, None)
    assert line.run(old, same) is None
    assert line.done == []
    assert line.ledger.get(old.id) == later


@pytest.mark.parametrize(
    ("step", "waits", "shared", "follows"),
    [
        (DELIVER, False, False, True),
        (DELIVER, True, False, False),
        (None, False, False, False),
        (DELIVER, False, True, False),
    ],
)
def test_the_next_stage_follows_on_the_same_thread_if_it_is_in_progress_here(
    line: Line, step: Step | None, *, waits: bool, shared: bool, follows: bool
) -> None:
    line.monkeypatch.setattr(Ledger, "is_shared", property(lambda _: shared))
    submission = line.submitted(SubmissionState.INSPECTED, INTAKE)

    def go_on(seen: Submission) -> Submission:
        return line.ledger.update_submission(
            seen, turn=seen.turn + 1, step=step, due_at=now() if waits else None
        )

    following = line.run(submission, go_on)
    assert following == (Work(submission.id, submission.turn + 1, DELIVER) if follows else None)
    assert line.done == ["step 1"]


@pytest.mark.parametrize(("step", "kind"), [(INTAKE, HoldReason.UPLOAD), (DELIVER, HoldReason.ROUTE)])
def test_what_the_cloud_refuses_is_held_as_what_it_was(line: Line, step: Step, kind: HoldReason) -> None:
    state = SubmissionState.INSPECTED if step is INTAKE else ROUTED
    submission = line.submitted(state, step)
    line.run(submission, failing(BadRequest("400: no", operation="uploadStl")), same)
    after = line.ledger.get(submission.id)
    assert (after.state, after.hold, after.reason) == (HELD, kind, "400: no")
    assert line.done == ["step 1", "finish"]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ServerError("503: away", operation="uploadStl"), "503: away"),
        (OSError(28, "No space left"), "step 1: No space left. Is the disk full, or the share gone?"),
        (PermissionError(13, "Denied"), "step 1: Denied. Give stlflow the right to it."),
        (ZeroDivisionError("a fault"), "A fault of stlflow itself (step 1: ZeroDivisionError), see the log."),
    ],
)
@pytest.mark.parametrize("tries", [0, FAULTS_BEFORE_HOLD - 1])
def test_what_may_pass_is_tried_again_later(line: Line, error: Exception, reason: str, tries: int) -> None:
    submission, before = line.submitted(tries=tries), now()
    assert line.run(submission, failing(error), same) is None
    after = line.ledger.get(submission.id)
    assert (after.state, after.reason, after.tries) == (ROUTED, reason, tries + 1)
    assert after.step is DELIVER
    assert after.due_at is not None
    assert 2 * 2**tries <= (after.due_at - before).total_seconds() < 2 * 2**tries + 30
    assert line.done == ["step 1"]


def test_a_fault_of_ours_holds_its_file_after_some_tries(line: Line) -> None:
    submission = line.submitted(tries=FAULTS_BEFORE_HOLD)
    line.run(submission, failing(ZeroDivisionError()), same)
    after = line.ledger.get(submission.id)
    assert (after.state, after.hold) == (HELD, HoldReason.FAULT)
    assert (after.reason or "").startswith(f"stlflow failed {FAULTS_BEFORE_HOLD} times in step 1: ZeroDiv")


def test_a_fault_while_a_file_is_put_away_changes_no_outcome(line: Line) -> None:
    submission = line.submitted(REJECTED, reason="bad", tries=FAULTS_BEFORE_HOLD)
    line.finish = failing(ZeroDivisionError())
    line.run(submission)
    after = line.ledger.get(submission.id)
    assert (after.state, after.reason, after.step) == (REJECTED, "bad", DELIVER)
    assert after.due_at is not None


@pytest.mark.parametrize("error", [OSError("gone"), ServerError("503", operation="a"), ZeroDivisionError()])
def test_a_failure_after_the_turn_is_over_writes_nothing(line: Line, error: Exception) -> None:
    submission = line.submitted()

    def canceled_meanwhile(seen: Submission) -> Submission:
        line.ledger.schedule_next_step(seen, Step.FINISH, now())
        raise error

    assert line.run(submission, canceled_meanwhile, same) is None
    after = line.ledger.get(submission.id)
    assert (after.turn, after.tries, after.reason) == (submission.turn + 1, 0, None)
    assert line.done == ["step 1"]


def test_a_write_under_an_old_turn_ends_the_stage(line: Line) -> None:
    assert line.run(line.submitted(), failing(Superseded("over")), same) is None
    assert line.done == ["step 1"]


@pytest.mark.parametrize(
    ("path", "shadow", "steps"),
    [
        ("a.stl", False, STEPS),
        ("a.stl", True, SHADOW_STEPS),
        ("stlflow-canary-0123abcd.stl", True, CANARY_STEPS),
    ],
)
def test_a_canary_and_the_shadow_mode_have_steps_of_their_own(
    line: Line, path: str, *, shadow: bool, steps: object
) -> None:
    line.shadow = shadow
    chosen = Stages(line.context)._steps_of(replace(line.submitted(), path=path))
    assert chosen is steps
