"""The durable run of one submission, from top to bottom.

    ingest ─► inspect ─► intake rules ─► upload ─►  (the row waits for slicing)
    find build ─► check units ─► routing rules ─► approve ─► send ─► move the file

**What is written when.** The ledger is the only truth: one row per submission with its step, due time and
turn. Steps that only find something out return a draft, and the stage writes all of it in one transaction:
`examine_file` and `choose_route` below. Before an effect outside (claim, upload, send, move) the intent is
written; after it, the outcome. A send is announced with the connection open; its outcome, the end of the
submission and the place of its file are one transaction. A step that fails keeps what was found before it.

**What is on the disk.** The last commit before an effect outside is synced, and the first one after an
upload or a send; each sync covers all commits before it. After a power cut the other steps run again.

**What a crash leaves.** Whatever was written is done; a step that wrote nothing runs again. `run_stage`
starts at the top each time, and each step returns at once when the row shows its outcome. An intent
without an outcome is settled by looking: a claimed file by its number, an upload by a build of its name,
a send by asking Eiger after the deadline of its lease, a move by where the file is. Only a send must not
happen twice, so a send that can't be settled is held for a person.

**Who goes on.** The work queue runs due steps. On SQLite one process owns the file: at its start
everything in progress gets a new turn (`local_queue.py`). On Postgres the jobs of a worker without
heartbeats do (`postgres_queue.py`). The turn is the fencing token: every write names its turn, and under an
old one it raises `Superseded` and changes nothing. Cancel and retry begin a new turn as well. Between
upload and build nothing runs: the row waits, and the poller asks for the slice job when it is due
(`poller.py`).

`docs/architecture.md` has it point by point, as the crash tests kill it.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial

from loguru import logger

from workflow.errors import CloudError, StateFolderError, catch_faults, error_reason
from workflow.frozen import frozen
from workflow.ledger import Draft, Superseded, Work, draft_of, work_of
from workflow.model import ENDED_STATES, SELF_RESOLVING_HOLDS, HoldReason, Step, Submission, SubmissionState
from workflow.pipeline.canary import examine_canary, is_canary
from workflow.pipeline.check_units import check_units
from workflow.pipeline.context import Context
from workflow.pipeline.dispatch import approve_build, dispatch_build
from workflow.pipeline.duplicates import write_examined
from workflow.pipeline.find_build import find_build
from workflow.pipeline.finish import finish_submission
from workflow.pipeline.ingest import ingest_file
from workflow.pipeline.inspect import apply_intake_rules, inspect_mesh
from workflow.pipeline.retry import NeedsOperator, backoff_seconds, classify_cloud_error
from workflow.pipeline.route import device_choice_lock, route_build
from workflow.pipeline.shadow import forecast_route
from workflow.pipeline.transitions import hold, schedule_retry
from workflow.pipeline.upload import reuse_sliced_build, upload_part

StepFunction = Callable[[Context, Submission], Submission]
DraftFunction = Callable[[Context, Draft], Draft]
EXAMINATION: tuple[DraftFunction, ...] = (ingest_file, inspect_mesh, apply_intake_rules)
FINDING: tuple[DraftFunction, ...] = (find_build, check_units)


def examine_file(context: Context, submission: Submission) -> Submission:
    """Copy the file, measure its mesh and apply the intake rules; write what was found at once."""
    draft = draft_of(submission)
    try:
        for step in EXAMINATION:
            draft = step(context, draft)
            if is_decided(draft):
                break
    finally:  # what was found before a failure stays
        written = write_examined(context, draft)
    return written


def choose_route(context: Context, submission: Submission) -> Submission:
    """Find the build of a sliced part, check its units and apply the routing rules; write it all at once."""
    draft = draft_of(submission)
    with ExitStack() as locks:
        try:
            for step in FINDING:
                draft = step(context, draft)
                if is_decided(draft):
                    break
            else:
                locks.enter_context(device_choice_lock(context))
                draft = route_build(context, draft)
        finally:  # what was found before a failure stays
            written = context.ledger.write(draft, durable=False)
    return written


BEFORE_SLICING: tuple[StepFunction, ...] = (examine_file, reuse_sliced_build, upload_part)
AFTER_SLICING: tuple[StepFunction, ...] = (choose_route, approve_build, dispatch_build)
STEPS: Mapping[Step, Sequence[StepFunction]] = {
    Step.INTAKE: BEFORE_SLICING,
    Step.DELIVER: AFTER_SLICING,
    Step.FINISH: (),
}
"""The steps of each stage; at the end of each, a file whose end is decided is put into its folder."""
SHADOW_STEPS: Mapping[Step, Sequence[StepFunction]] = {
    **dict.fromkeys(Step, ()),
    Step.INTAKE: (examine_file, forecast_route),
}
"""The steps in shadow mode: after the intake rules comes a forecast, and nothing else."""
CANARY_STEPS: Mapping[Step, Sequence[StepFunction]] = {
    **dict.fromkeys(Step, ()),
    Step.INTAKE: (examine_canary,),
}
"""The steps of the part that tests the path: it ends after the inspection."""
FAULTS_BEFORE_HOLD = 5
_ERROR_ADVICE = {
    NotADirectoryError: "Remove it, or put a folder in its place.",
    PermissionError: "Give stlflow the right to it.",
}


@frozen
class Stages:
    """The stages of a submission, bound to the rooms they work with."""

    context: Context

    def run_stage(self, work: Work) -> Work | None:
        """Run the steps of a submission until it waits or ends, under the turn of this work.

        Return what follows at once on the same thread: the next stage, if it is in progress already.
        """
        try:
            submission = self.context.ledger.get(work.number)
            if submission.turn != work.turn:  # another thread runs the new turn
                return None
            if not is_outcome_decided(submission):
                steps = self._steps_of(submission)
                submission = self._run_steps(steps[work.step], submission)
            if submission.turn == work.turn:
                submission = self._run_step_safely(finish_submission, submission)
        except (Superseded, StateFolderError) as error:  # the queue starts the step again if it is still due
            logger.debug("Submission {}: {}", work.number, error)
            return None
        follows = submission.turn != work.turn and submission.step is not None and submission.due_at is None
        return work_of(submission) if follows and not self.context.ledger.is_shared else None

    def _steps_of(self, submission: Submission) -> Mapping[Step, Sequence[StepFunction]]:
        if is_canary(submission.path):
            return CANARY_STEPS
        return SHADOW_STEPS if self.context.shadow else STEPS

    def _run_steps(self, steps: Sequence[StepFunction], submission: Submission) -> Submission:
        turn = submission.turn
        for step in steps:
            submission = self._run_step_safely(step, submission)
            if submission.turn != turn or submission.state in {*ENDED_STATES, SubmissionState.HELD}:
                break
        return submission

    def _run_step_safely(self, step: StepFunction, submission: Submission) -> Submission:
        """Do one step; no failure of it stops the line. Raises Superseded, StateFolderError."""
        name = getattr(step, "__name__", "step")
        try:
            return catch_faults(
                partial(step, self.context, submission),
                partial(self._hold_after_fault, submission, name),  # a fault of ours holds one file, not all
                but=(Superseded, StateFolderError, CloudError, OSError),
            )
        except CloudError as error:
            return self._retry_or_hold(self._reread(submission), error)
        except OSError as error:
            advice = _ERROR_ADVICE.get(type(error), "Is the disk full, or the share gone?")
            reason = f"{name}: {error_reason(error)}. {advice}"
            return self._retry_later(self._reread(submission), reason)

    def _hold_after_fault(self, submission: Submission, name: str, fault: Exception) -> Submission:
        logger.opt(exception=fault).error("A fault of stlflow in {}", name)
        return self._after_fault(self._reread(submission), f"{name}: {type(fault).__name__}")

    def _reread(self, submission: Submission) -> Submission:
        """Read again what the failed step may have changed. Raises Superseded when the turn is over."""
        now = self.context.ledger.get(submission.id)
        if now.turn != submission.turn:
            raise Superseded(f"turn {submission.turn} is over")
        return now

    def _retry_or_hold(self, submission: Submission, error: CloudError) -> Submission:
        verdict = classify_cloud_error(error, submission.tries)
        if isinstance(verdict, NeedsOperator):
            kind = HoldReason.UPLOAD if submission.step is Step.INTAKE else HoldReason.ROUTE
            return hold(self.context, submission, kind, verdict.reason)
        return schedule_retry(self.context, submission, verdict.seconds, verdict.reason)

    def _retry_later(self, submission: Submission, reason: str) -> Submission:
        return schedule_retry(self.context, submission, backoff_seconds(submission.tries), reason)

    def _after_fault(self, submission: Submission, where: str) -> Submission:
        if submission.tries < FAULTS_BEFORE_HOLD or is_outcome_decided(submission):
            return self._retry_later(submission, f"A fault of stlflow itself ({where}), see the log.")
        reason = (
            f"stlflow failed {submission.tries} times in {where}; the log says more. Retry, or report it."
        )
        return hold(self.context, submission, HoldReason.FAULT, reason)


def is_outcome_decided(submission: Submission) -> bool:
    """True if the submission's end is recorded, and only its file is left to be moved.

    A stage that runs again after a crash must not pass a rejection or a hold. Only a missing build or
    device is searched while the submission is held.
    """
    held = submission.state is SubmissionState.HELD and submission.hold not in SELF_RESOLVING_HOLDS
    return held or submission.state in ENDED_STATES


def is_decided(draft: Draft) -> bool:
    """True if no further step of the stage follows; a submission that waits for a device is routed again."""
    submission = draft.submission
    held = submission.state is SubmissionState.HELD and submission.hold is not HoldReason.DEVICE
    return held or submission.turn != draft.stored.turn or submission.state in ENDED_STATES
