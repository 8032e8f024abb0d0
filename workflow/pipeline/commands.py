"""Commands of an operator: retry, release, cancel, attach. Each is one guarded change in the ledger."""

from dataclasses import replace
from uuid import UUID

from workflow.errors import WrongSubmissionState
from workflow.frozen import frozen
from workflow.intake import Share, exists_in_share
from workflow.ledger import CommandEffect, Ledger, SendState
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
from workflow.pipeline.decider import PERSON, Decider, one_line
from workflow.pipeline.missing_file import missing_file_text

RELEASABLE_HOLDS = frozenset({HoldReason.MESH, HoldReason.RULE, HoldReason.ROUTE, HoldReason.UNITS})
RESUMABLE = frozenset({SubmissionState.HELD, SubmissionState.REJECTED, SubmissionState.CANCELED})
HOLDS_AFTER_SLICING = frozenset({HoldReason.BUILD, HoldReason.ROUTE, HoldReason.DEVICE, HoldReason.SEND})
BUILD_MAY_CHANGE = frozenset(
    {HoldReason.BUILD, HoldReason.UNITS, HoldReason.ROUTE, HoldReason.DEVICE, HoldReason.SLICE}
)
MESH_RELEASED = "(mesh)"
"""Is among the names of passed rules after a person has released the mesh. No shop names a rule like this."""
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


@frozen
class MovedFile:
    """A file that a person moved within the share to decide: where it is now, and its content."""

    place: str
    sha256: str


BY_MOVING = "by moving the file"


def retry_submission(
    ledger: Ledger, number: int, share: Share | None = None, decider: Decider = PERSON
) -> Submission:
    """Retry a held, rejected or canceled submission from the step where a retry makes sense.

    Raises WrongSubmissionState, also if it needs its file again and the `share` no longer has it.
    """
    gone = _missing_file_reason(ledger, number, share)

    def decide(submission: Submission, begun: SendState) -> CommandEffect:
        return replace(_with_file(_resume(submission, begun), gone), detail=decider.by)

    return ledger.commands.execute(number, decide)


def release_submission(
    ledger: Ledger,
    number: int,
    share: Share | None = None,
    moved: MovedFile | None = None,
    decider: Decider = PERSON,
) -> Submission:
    """Let a submission that was held for its mesh, by a rule or for its units go on as it is.

    Raises WrongSubmissionState when the submission is not held, or for another reason. The release is for
    the bytes that were held, and for no others.
    """
    gone = _missing_file_reason(ledger, number, share) if moved is None else ""

    def decide(submission: Submission, begun: SendState) -> CommandEffect:
        if submission.state is not SubmissionState.HELD:
            raise WrongSubmissionState(
                f"Submission {number} is {submission.state}, not held: there is nothing to release."
            )
        if moved is not None and was_released(submission):
            order = _resume(submission, begun)
            kept: SubmissionChanges = {"passed": submission.passed, "sha256": submission.sha256}
            released = replace(order, event=EventKind.RELEASED, changes={**order.changes, **kept})
            return _by_moving(submission, released, moved)
        if submission.hold not in RELEASABLE_HOLDS:
            raise WrongSubmissionState(
                f"Submission {number} is not held for its mesh, by a rule or for its units. "
                f"`stlflow retry {number}` tries again."
            )
        lifted = replace(_with_file(_lift_rule_hold(submission, begun), gone), detail=decider.by)
        return _by_moving(submission, lifted, moved)

    return ledger.commands.execute(number, decide)


def was_released(submission: Submission) -> bool:
    """True if it was released, and its file was moved before it was read again: it was not found then."""
    return submission.hold is HoldReason.FILE and bool(submission.passed) and submission.build_id is None


def confirm_send(ledger: Ledger, number: int, receipt: str | None, decider: Decider = PERSON) -> Submission:
    """Record whether an unconfirmed send was made, as a person saw it in Eiger.

    With a receipt it was sent; with None it was not, and is sent now. Raises WrongSubmissionState.
    """
    receipt = None if receipt is None else one_line(receipt)

    def decide(submission: Submission, begun: SendState) -> CommandEffect:
        if (
            submission.state is not SubmissionState.HELD
            or submission.hold is not HoldReason.SEND
            or not begun.open
        ):
            raise WrongSubmissionState(
                f"Submission {number} is {submission.state}: no send of it is in doubt."
            )
        what = "not sent" if receipt is None else f"sent as {receipt}"
        ahead = _resume(submission, begun)
        detail = f"{what}, says a person" if decider is PERSON else f"{what}, {decider.by}"
        undone = receipt is None
        return CommandEffect(
            ahead.step, EventKind.SETTLED, detail, ahead.changes, looked=True, receipt=receipt, undone=undone
        )

    return ledger.commands.execute(number, decide)


def cancel_submission(
    ledger: Ledger, number: int, moved: MovedFile | None = None, decider: Decider = PERSON
) -> Submission:
    """End a submission that was not sent yet. Raises WrongSubmissionState if it is sent, or may be."""

    def decide(submission: Submission, begun: SendState) -> CommandEffect:
        if submission.state in ENDED_STATES:
            raise WrongSubmissionState(
                f"Submission {number} is {submission.state}: it has ended already.{_in_eiger(submission)}"
            )
        if begun.under_way:
            raise WrongSubmissionState(f"Submission {number} is being sent right now. Try again in a minute.")
        if begun.sent >= (submission.copies or 1) and submission.state is not SubmissionState.HELD:
            raise WrongSubmissionState(
                f"Submission {number} is sent already, and ends as dispatched. "
                "Take the build out of its queue in Eiger."
            )
        reason = f"Canceled {decider.by.rstrip('.')}."
        if moved is not None:
            reason = "Canceled by moving the file to rejected/."
        if begun.sent:
            reason += f" {begun.sent} of {submission.copies or 1} copies were sent before: look in Eiger."
        if begun.open:
            reason += " Whether it was sent before is not known: look in Eiger."
        ended: SubmissionChanges = {
            "state": SubmissionState.CANCELED,
            "reason": reason,
            "ended_at": now(),
            "hold": None,
        }
        effect = CommandEffect(Step.FINISH, EventKind.CANCELED, decider.by, ended)
        return _by_moving(submission, effect, moved)

    return ledger.commands.execute(number, decide)


def return_moved_file(ledger: Ledger, number: int, moved: MovedFile, why: str) -> Submission:
    """Put a file that can't be approved back where it belongs, with a note that says why.

    Raises WrongSubmissionState when the submission goes on meanwhile.
    """

    def decide(submission: Submission, _begun: SendState) -> CommandEffect:
        if submission.state not in RESUMABLE:
            raise WrongSubmissionState(f"Submission {number} is {submission.state}.")
        effect = CommandEffect(Step.FINISH, EventKind.NOT_APPROVED, why)
        known = MovedFile(moved.place, submission.sha256 or moved.sha256)
        return replace(_by_moving(submission, effect, known), detail=why)

    return ledger.commands.execute(number, decide)


def _by_moving(submission: Submission, effect: CommandEffect, moved: MovedFile | None) -> CommandEffect:
    """The file is where the person moved it; it has to be the very one that was held."""
    if moved is None:
        return effect
    if submission.sha256 not in {None, moved.sha256}:
        raise WrongSubmissionState(f"{moved.place} is not the file of submission {submission.id}.")
    placed: SubmissionChanges = {"claimed_as": moved.place, "placed_as": None}
    return replace(effect, detail=BY_MOVING, changes={**effect.changes, **placed})


def attach_build(ledger: Ledger, number: int, build_id: str, decider: Decider = PERSON) -> Submission:
    """Name the build by hand, on the word of the person. Raises WrongSubmissionState."""
    build = parse_build_id(build_id)

    def decide(submission: Submission, begun: SendState) -> CommandEffect:
        looking = submission.state is SubmissionState.SLICED or submission.hold in BUILD_MAY_CHANGE
        if not looking or submission.state in ENDED_STATES:
            raise WrongSubmissionState(
                f"Submission {number} is {submission.state}: a build is attached only when one is missing."
            )
        if begun.sent:
            raise WrongSubmissionState(
                f"Submission {number} was sent in part: its build can't be changed any more."
            )
        if begun.open:
            raise WrongSubmissionState(
                f"A send of submission {number} was begun, and its outcome is not known. "
                f"`stlflow retry {number}` looks where it stands; attach a build after that."
            )
        named: SubmissionChanges = {
            "state": SubmissionState.SLICED,
            "build_id": build,
            "hold": None,
            "reason": None,
            "tries": 0,
        }
        named |= {"passed": (), "taken_as": None, "units_released": False}  # of the build before
        if (
            submission.reused is not None
        ):  # traces of the new build count from its own upload, not the old one's
            named |= {"reused": None, "uploaded_at": None}
        return CommandEffect(
            Step.DELIVER, EventKind.BUILD_ATTACHED, f"{build}, {decider.by}", {**named, **CLEARED_ROUTE}
        )

    return ledger.commands.execute(number, decide)


def _missing_file_reason(ledger: Ledger, number: int, share: Share | None) -> str:
    """Return that the file was taken away, and what to do; "" if it is there or nobody can tell."""
    submission = ledger.get(number)
    if share is None or submission.left_in_place or not share.is_reachable():
        return ""
    place = submission.claimed_as or ""
    if any(exists_in_share(share, each) for each in (place, share.claimed_path(submission.path, number))):
        return ""
    return missing_file_text(ledger, share, submission)


def _with_file(order: CommandEffect, gone: str) -> CommandEffect:
    if gone and order.step is Step.INTAKE:
        raise WrongSubmissionState(gone)
    return order


def _lift_rule_hold(submission: Submission, begun: SendState) -> CommandEffect:
    """Lift the hold of the rule that holds, and of no other; or accept mesh or units of this one part."""
    if submission.hold is HoldReason.UNITS:  # with the build that it has: nothing is uploaded again
        order = _resume(evolve(submission, hold=None), begun)
        accepted: SubmissionChanges = {"units_released": True, "passed": submission.passed}
        return replace(order, event=EventKind.RELEASED, changes={**order.changes, **accepted})
    lifted = {HoldReason.MESH: MESH_RELEASED, HoldReason.RULE: submission.intake_rule}
    rule = lifted.get(submission.hold or HoldReason.ROUTE, submission.routing_rule)
    order = _resume(submission, begun)
    passed = submission.passed if rule is None else (*submission.passed, rule)
    event, of_these_bytes = EventKind.RELEASED, submission.sha256
    return replace(order, event=event, changes={**order.changes, "passed": passed, "sha256": of_these_bytes})


def _resume(submission: Submission, begun: SendState) -> CommandEffect:
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
    }
    return CommandEffect(
        step, EventKind.RETRIED, PERSON.by, {**fresh, **changes, "passed": ()}, looked=begun.open
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


def parse_build_id(text: str) -> str:
    """Return a build's id as the cloud writes it. Raises WrongSubmissionState."""
    try:
        return str(UUID(text))
    except ValueError:
        raise WrongSubmissionState(
            f"'{text}' is no build id: it looks like 2f1c9d0e-1a2b-4c3d-8e4f-0123456789ab."
        ) from None


def _in_eiger(submission: Submission) -> str:
    is_there = submission.state in {SubmissionState.DISPATCHED, SubmissionState.PRINTING}
    return " Take the build out of its queue in Eiger." if is_there else ""
