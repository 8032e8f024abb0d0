"""The durable run of one submission, from top to bottom.

    take in ─► inspect ─► intake rules ─► upload ─►  (the row waits for slicing)
    find build ─► check units ─► routing rules ─► approve ─► dispatch ─► put away

Two short stages with a wait between them. Each step writes what it did into the ledger and gives the
submission as it is then. It may be run again after a crash: what the ledger shows as done is not done
twice, so the ledger is the checkpoint of every step.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from loguru import logger

from workflow.errors import CloudError, StateError
from workflow.ledger import Superseded
from workflow.model import ENDED, GOES_BY_ITSELF, Hold, State, Step, Submission
from workflow.pipeline.approval import approve
from workflow.pipeline.builds import find_build
from workflow.pipeline.check_units import check_units
from workflow.pipeline.custody import take_in
from workflow.pipeline.dispatch import dispatch
from workflow.pipeline.engine import Stage
from workflow.pipeline.inspection import decide, inspect
from workflow.pipeline.outcome import hold, wait_in_line
from workflow.pipeline.patience import CallAPerson, after_cloud_error, backoff
from workflow.pipeline.putting_away import put_away
from workflow.pipeline.reuse import reuse
from workflow.pipeline.route import route
from workflow.pipeline.slicing import upload
from workflow.pipeline.workshop import Workshop

StepFunction = Callable[[Workshop, Submission], Submission]
BEFORE_SLICING: tuple[StepFunction, ...] = (take_in, inspect, decide, reuse, upload)
AFTER_SLICING: tuple[StepFunction, ...] = (find_build, check_units, route, approve, dispatch)
FAULTS_BEFORE_HOLD = 5


@dataclass(frozen=True, slots=True)
class Journey:
    """The stages of a submission, bound to the rooms they work with."""

    shop: Workshop

    def stages(self) -> Mapping[Step, Stage]:
        """Give the stages by the step that begins them."""
        return {Step.INTAKE: self.intake, Step.DELIVER: self.deliver, Step.FINISH: self.finish}

    def intake(self, number: int, turn: int) -> None:
        """From the claimed file to a slice job in the cloud."""
        self._run(BEFORE_SLICING, number, turn)

    def deliver(self, number: int, turn: int) -> None:
        """From the sliced part to its receipt, and the file to its folder."""
        self._run(AFTER_SLICING, number, turn)

    def finish(self, number: int, turn: int) -> None:
        """Put the file where its end says."""
        self._run((), number, turn)

    def _run(self, steps: Sequence[StepFunction], number: int, turn: int) -> None:
        """Do the steps in order while the turn is ours, and put the file away once its end is known."""
        try:
            submission = self.shop.ledger.get(number)
            if submission.turn == turn and not is_decided(submission):
                submission = self._go(steps, submission)
            if submission.turn == turn:
                self._careful(put_away, submission)
        except (
            Superseded,
            StateError,
        ) as error:  # too late, or no room: the keeper acts
            logger.debug("Submission {}: {}", number, error)

    def _go(self, steps: Sequence[StepFunction], submission: Submission) -> Submission:
        turn = submission.turn
        for step in steps:
            submission = self._careful(step, submission)
            if submission.turn != turn or submission.state in ENDED or _stands_still(step, submission):
                break
        return submission

    def _careful(self, step: StepFunction, submission: Submission) -> Submission:
        """Do one step; no failure of it stops the line. Raises Superseded, StateError."""
        name = getattr(step, "__name__", "step")
        try:
            return step(self.shop, submission)
        except (Superseded, StateError):
            raise
        except CloudError as error:
            return self._after_cloud_error(self._fresh(submission), error)
        except OSError as error:
            reason = f"{name}: {error.strerror or error}. Is the disk full, or the share gone?"
            return self._try_later(self._fresh(submission), reason)
        except Exception as fault:  # noqa: BLE001  # the line's edge: a fault of ours holds one file, not all
            logger.opt(exception=True).error("A fault of stlflow in {}", name)
            return self._after_fault(self._fresh(submission), f"{name}: {type(fault).__name__}")

    def _fresh(self, submission: Submission) -> Submission:
        """Read again what the failed step may have changed. Raises Superseded when the turn is over."""
        now = self.shop.ledger.get(submission.id)
        if now.turn != submission.turn:
            raise Superseded(f"turn {submission.turn} is over")
        return now

    def _after_cloud_error(self, submission: Submission, error: CloudError) -> Submission:
        verdict = after_cloud_error(error, submission.tries)
        if isinstance(verdict, CallAPerson):
            kind = Hold.UPLOAD if submission.step is Step.INTAKE else Hold.ROUTE
            return hold(self.shop, submission, kind, verdict.reason)
        return wait_in_line(self.shop, submission, verdict.seconds, verdict.reason)

    def _try_later(self, submission: Submission, reason: str) -> Submission:
        return wait_in_line(self.shop, submission, backoff(submission.tries), reason)

    def _after_fault(self, submission: Submission, where: str) -> Submission:
        if submission.tries < FAULTS_BEFORE_HOLD or is_decided(submission):
            return self._try_later(submission, f"A fault of stlflow itself ({where}), see the log.")
        reason = (
            f"stlflow failed {submission.tries} times in {where}; the log says more. Retry, or report it."
        )
        return hold(self.shop, submission, Hold.FAULT, reason)


def is_decided(submission: Submission) -> bool:
    """Tell whether the submission's end is written down, and only its file is left to be put away.

    A stage that is begun again after a crash must not go on behind a rejection or a hold. Only what
    may come by itself, a build or a device, is looked for while the submission is held.
    """
    held = submission.state is State.HELD and submission.hold not in GOES_BY_ITSELF
    return held or submission.state in ENDED


def _stands_still(step: StepFunction, submission: Submission) -> bool:
    """Tell whether a held submission ends its stage here: one that waits for a device is routed anew."""
    on_to_route = step in {find_build, check_units} and submission.hold is Hold.DEVICE
    return submission.state is State.HELD and not on_to_route
