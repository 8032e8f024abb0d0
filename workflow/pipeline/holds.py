"""What lifts a hold, and where a submission goes on then; what it forgets of the run before."""

from dataclasses import replace

from workflow.errors import WrongSubmissionState
from workflow.ledger import CommandEffect, SendState
from workflow.model import (
    ENDED_STATES,
    EventKind,
    HoldReason,
    Step,
    Submission,
    SubmissionChanges,
    SubmissionState,
    evolve,
)
from workflow.pipeline.context import now
from workflow.pipeline.decider import PERSON

RELEASABLE_HOLDS = frozenset({HoldReason.MESH, HoldReason.RULE, HoldReason.ROUTE, HoldReason.UNITS})
RESUMABLE = frozenset({SubmissionState.HELD, SubmissionState.REJECTED, SubmissionState.CANCELED})
HOLDS_AFTER_SLICING = frozenset({HoldReason.BUILD, HoldReason.ROUTE, HoldReason.DEVICE, HoldReason.SEND})
BUILD_MAY_CHANGE = frozenset(
    {HoldReason.BUILD, HoldReason.UNITS, HoldReason.ROUTE, HoldReason.DEVICE, HoldReason.SLICE}
)
MESH_RELEASED = "(mesh)"
"""Is among the names of passed rules after a person has released the mesh. No shop names a rule like this."""
UNITS_RELEASED = "(units)"
CLEARED_ROUTE: SubmissionChanges = {
    "destination": None,
    "device": None,
    "device_id": None,
    "due_date": None,
    "copies": None,
    "spread_ids": (),
    "approve_first": None,
    "followed": None,
    "late_on": None,
}
RESTART_FROM_FILE: SubmissionChanges = {
    "state": SubmissionState.CLAIMED,
    "sha256": None,
    "mesh": None,
    "preset": None,
    "preset_id": None,
    "intake_rule": None,
    "part_version_id": None,
    "slice_job_id": None,
    "slice_status": None,
    "uploaded_at": None,
    "build_id": None,
    "reused": None,
    "taken_as": None,
    "units_released": False,
}


def was_resumed(submission: Submission) -> bool:
    """True if it was released or retried, and is held because its file had been moved by then."""
    resumed = bool(submission.passed) or submission.retried_hold is not None
    return submission.hold is HoldReason.FILE and resumed and submission.build_id is None


def has_retried_hold(submission: Submission) -> bool:
    """True if it goes on after a retry, and a release can still lift what had held it."""
    goes_on = submission.state not in {*ENDED_STATES, SubmissionState.HELD}
    return goes_on and bool(submission.retried_hold)


def lift_hold(submission: Submission, begun: SendState) -> CommandEffect:
    """Lift the hold of the rule that holds, and of no other; or accept mesh or units of this one part."""
    with_its_build = submission.hold is HoldReason.UNITS  # nothing is uploaded again
    order = resume(evolve(submission, hold=None) if with_its_build else submission, begun)
    return _released(order, submission, name_of_hold(submission))


def lift_resumed(submission: Submission, begun: SendState) -> CommandEffect:
    """Begin again with a file that was found, past what had held the submission before."""
    return _released(resume(submission, begun), submission, submission.retried_hold or "")


def lift_retried_hold(submission: Submission, begun: SendState) -> CommandEffect:
    """Begin the step of a retry again, past what had held the submission before.

    Raises WrongSubmissionState if it is sent meanwhile, or may be.
    """
    if begun.open or begun.sent:
        raise WrongSubmissionState(f"Submission {submission.id} is being sent.")
    order = CommandEffect(submission.step, EventKind.RELEASED, PERSON.by)
    return _released(order, submission, submission.retried_hold or "")


def _released(order: CommandEffect, submission: Submission, hold: str) -> CommandEffect:
    """Return the order with the hold lifted, for exactly the bytes that were held."""
    lifted: SubmissionChanges = {"passed": submission.passed, "retried_hold": None}
    if hold == UNITS_RELEASED:
        lifted["units_released"] = True
    elif hold:
        lifted["passed"] = (*submission.passed, hold)
    if order.step is Step.INTAKE:
        lifted["sha256"] = submission.sha256
    return replace(order, event=EventKind.RELEASED, changes={**order.changes, **lifted})


def name_of_hold(submission: Submission) -> str:
    """Return what a release adds to the passed rules; "" for a hold that can't be released."""
    names = {
        HoldReason.MESH: MESH_RELEASED,
        HoldReason.RULE: submission.intake_rule,
        HoldReason.UNITS: UNITS_RELEASED,
        HoldReason.ROUTE: submission.routing_rule,
        HoldReason.FILE: submission.retried_hold,  # it was not found after a retry
    }
    return names.get(submission.hold or HoldReason.FAULT) or ""


def resume(submission: Submission, begun: SendState) -> CommandEffect:
    """Retry from the step where a retry makes sense. Raises WrongSubmissionState."""
    if submission.state not in RESUMABLE:
        raise WrongSubmissionState(
            f"Submission {submission.id} is {submission.state}: only held, rejected or canceled ones go on."
        )
    step, changes = _resume_step(submission, begun)
    fresh: SubmissionChanges = {
        "hold": None,
        "reason": None,
        "ended_at": None,
        "tries": 0,
        "waiting_since": now(),
        "retried_hold": name_of_hold(submission),
    }
    if step is Step.INTAKE and not submission.left_in_place:
        fresh["sha256"] = (
            submission.sha256
        )  # by its content a file is known again that is moved before it is read
    return CommandEffect(
        step, EventKind.RETRIED, PERSON.by, {**changes, **fresh, "passed": ()}, looked=begun.open
    )


def _resume_step(submission: Submission, begun: SendState) -> tuple[Step, SubmissionChanges]:
    """Return the step to resume: a sliced part is not uploaded again, a send is searched in Eiger first."""
    if submission.receipt_id is not None:
        return Step.FINISH, {"state": SubmissionState.DISPATCHED}
    if begun.open or begun.sent:
        if begun.rival is not None:
            raise WrongSubmissionState(
                f"Submission {begun.rival} sends the same build just now: what either sends could not be "
                f"told apart. Retry submission {submission.id} once that one has ended."
            )
        return Step.DELIVER, {"state": SubmissionState.ROUTED}
    if (
        submission.reused is not None and submission.state in ENDED_STATES
    ):  # its build was free for others meanwhile
        return Step.INTAKE, {**RESTART_FROM_FILE, **CLEARED_ROUTE}
    if submission.hold is HoldReason.UNITS:  # what is put right in Eiger applies to a new upload
        kept: SubmissionChanges = {"taken_as": submission.taken_as}  # so that no earlier build is reused
        return Step.INTAKE, {**RESTART_FROM_FILE, **CLEARED_ROUTE, **kept}
    if submission.build_id is not None or submission.hold in HOLDS_AFTER_SLICING:
        return Step.DELIVER, {"state": SubmissionState.SLICED, **CLEARED_ROUTE}
    return Step.INTAKE, {**RESTART_FROM_FILE, **CLEARED_ROUTE}
