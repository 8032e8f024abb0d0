"""The durable run of one submission, from top to bottom.

    take in ─► inspect ─► intake rules ─► upload ─►  (the row waits for slicing)
    find build ─► routing rules ─► dispatch ─► put away

Two short stages with a wait between them. Each step answers whether to go on, writes what it did
into the ledger, and may be run again after a crash: what the ledger shows as done is not done twice.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from loguru import logger

from workflow.errors import CloudError, StateError
from workflow.ledger import Superseded
from workflow.model import ENDED, Hold, State, Step, Submission
from workflow.pipeline.builds import find_build
from workflow.pipeline.custody import put_away, take_in
from workflow.pipeline.dispatch import dispatch
from workflow.pipeline.engine import Do, Stage
from workflow.pipeline.inspection import decide, inspect
from workflow.pipeline.outcome import STOP, hold, wait_in_line
from workflow.pipeline.patience import CallAPerson, after_cloud_error, backoff
from workflow.pipeline.route import route
from workflow.pipeline.slicing import slicing_ended_well, upload
from workflow.pipeline.workshop import Workshop

StepFunction = Callable[[Workshop, Submission], bool]
BEFORE_SLICING: tuple[StepFunction, ...] = (take_in, inspect, decide, upload)
AFTER_SLICING: tuple[StepFunction, ...] = (slicing_ended_well, find_build, route, dispatch)
FAULTS_BEFORE_HOLD = 5


def is_decided(submission: Submission) -> bool:
    """Tell whether the submission's end is written down, and only its file is left to be put away.

    A stage that is begun again after a crash must not go on behind a rejection or a hold. Only a
    missing build is looked for while the submission is held.
    """
    held = submission.state is State.HELD and submission.hold is not Hold.BUILD
    return held or submission.state in ENDED


@dataclass(frozen=True, slots=True)
class Journey:
    """The stages of a submission, bound to the rooms they work with."""

    shop: Workshop

    def stages(self) -> Mapping[Step, Stage]:
        """Give the stages by the step that begins them."""
        return {Step.INTAKE: self.intake, Step.DELIVER: self.deliver, Step.FINISH: self.finish}

    def intake(self, do: Do, number: int, turn: int) -> None:
        """From the claimed file to a slice job in the cloud."""
        if not all(do(self._careful(step), number, turn) for step in BEFORE_SLICING):
            do(self._careful(put_away), number, turn)

    def deliver(self, do: Do, number: int, turn: int) -> None:
        """From the sliced part to its receipt, and the file to its folder."""
        all(do(self._careful(step), number, turn) for step in AFTER_SLICING)
        do(self._careful(put_away), number, turn)

    def finish(self, do: Do, number: int, turn: int) -> None:
        """Put the file where its end says."""
        do(self._careful(put_away), number, turn)

    def _careful(self, step: StepFunction) -> Callable[[int, int], bool]:
        """Wrap a step: it works on its own turn only, and no failure of it stops the line."""

        def careful(number: int, turn: int) -> bool:
            submission = self.shop.ledger.get(number)
            if submission.turn != turn or (is_decided(submission) and step is not put_away):
                return STOP
            try:
                return step(self.shop, submission)
            except (
                Superseded,
                StateError,
            ) as error:  # too late, or nothing can be written: the keeper sees to it
                logger.debug("Submission {}: {}", number, error)
                return STOP
            except CloudError as error:
                return self._after_cloud_error(number, turn, error)
            except OSError as error:
                reason = f"{step.__name__}: {error.strerror or error}. Is the disk full, or the share gone?"
                return self._try_later(number, turn, reason)
            except Exception as fault:  # noqa: BLE001  # the line's edge: a fault of ours holds one file, not all
                logger.opt(exception=True).error("A fault of stlflow in {}", step.__name__)
                return self._after_fault(number, turn, f"{step.__name__}: {type(fault).__name__}")

        careful.__name__ = step.__name__
        return careful

    def _after_cloud_error(self, number: int, turn: int, error: CloudError) -> bool:
        submission = self.shop.ledger.get(number)
        verdict = after_cloud_error(error, submission.tries)
        if submission.turn != turn:
            return STOP
        if isinstance(verdict, CallAPerson):
            kind = Hold.UPLOAD if submission.step is Step.INTAKE else Hold.ROUTE
            return hold(self.shop, submission, kind, verdict.reason)
        return wait_in_line(self.shop, submission, verdict.seconds, verdict.reason)

    def _try_later(self, number: int, turn: int, reason: str) -> bool:
        submission = self.shop.ledger.get(number)
        if submission.turn != turn:
            return STOP
        return wait_in_line(self.shop, submission, backoff(submission.tries), reason)

    def _after_fault(self, number: int, turn: int, where: str) -> bool:
        submission = self.shop.ledger.get(number)
        if submission.tries < FAULTS_BEFORE_HOLD:
            return self._try_later(number, turn, f"A fault of stlflow itself ({where}), see the log.")
        reason = (
            f"stlflow failed {submission.tries} times in {where}; the log says more. Retry, or report it."
        )
        return hold(self.shop, submission, Hold.FAULT, reason)
