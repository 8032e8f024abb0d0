"""Commands of an operator: retry, release, cancel, attach. Each is one guarded change in the ledger."""

from dataclasses import replace
from uuid import UUID

from workflow.errors import WrongSubmissionState
from workflow.frozen import frozen
from workflow.intake import Share
from workflow.ledger import CommandEffect, Ledger, SendState
from workflow.model import (
    ENDED_STATES,
    EventKind,
    HoldReason,
    Step,
    Submission,
    SubmissionChanges,
    SubmissionState,
)
from workflow.pipeline.context import now
from workflow.pipeline.decider import PERSON, Decider, one_line
from workflow.pipeline.holds import (
    BUILD_MAY_CHANGE,
    CLEARED_ROUTE,
    RELEASABLE_HOLDS,
    has_retried_hold,
    lift_hold,
    lift_resumed,
    lift_retried_hold,
    name_of_hold,
    resume,
    was_resumed,
)
from workflow.pipeline.missing_file import MissingFile, find_missing_file


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
    missing = find_missing_file(ledger, number, share)

    def decide(submission: Submission, begun: SendState) -> CommandEffect:
        return replace(_with_file(resume(submission, begun), missing), detail=decider.by)

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
    missing = find_missing_file(ledger, number, share) if moved is None else None

    def decide(submission: Submission, begun: SendState) -> CommandEffect:
        if moved is not None and has_retried_hold(submission):
            return _by_moving(submission, lift_retried_hold(submission, begun), moved)
        if submission.state is not SubmissionState.HELD:
            raise WrongSubmissionState(
                f"Submission {number} is {submission.state}, not held: there is nothing to release."
            )
        if moved is not None and was_resumed(submission):
            return _by_moving(submission, lift_resumed(submission, begun), moved)
        if submission.hold not in RELEASABLE_HOLDS:
            raise WrongSubmissionState(
                f"Submission {number} is not held for its mesh, by a rule or for its units. "
                f"`stlflow retry {number}` tries again."
            )
        lifted = replace(_with_file(lift_hold(submission, begun), missing), detail=decider.by)
        return _by_moving(submission, lifted, moved)

    return ledger.commands.execute(number, decide)


def confirm_send(
    ledger: Ledger, number: int, receipt: str | None, decider: Decider = PERSON, share: Share | None = None
) -> Submission:
    """Record whether an unconfirmed send was made, as a person saw it in Eiger.

    With a receipt it was sent; with None it was not, and is sent now. Raises WrongSubmissionState.
    """
    receipt = None if receipt is None else one_line(receipt)
    missing = find_missing_file(ledger, number, share) if receipt is None else None

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
        ahead = _with_file(resume(submission, begun), missing)
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


def return_moved_file(ledger: Ledger, seen: Submission, moved: MovedFile, why: str) -> Submission:
    """Put a file that can't be approved back where it belongs, with a note that says why.

    Raises WrongSubmissionState when the submission is not as it was seen: another service may have done this.
    """

    def decide(submission: Submission, _begun: SendState) -> CommandEffect:
        if submission.state not in {*ENDED_STATES, SubmissionState.HELD} or submission.turn != seen.turn:
            raise WrongSubmissionState(f"Submission {seen.id} has gone on: it is {submission.state}.")
        effect = CommandEffect(Step.FINISH, EventKind.NOT_APPROVED, why)
        known = MovedFile(moved.place, submission.sha256 or moved.sha256)
        return replace(_by_moving(submission, effect, known), detail=why)

    return ledger.commands.execute(seen.id, decide)


def _by_moving(submission: Submission, effect: CommandEffect, moved: MovedFile | None) -> CommandEffect:
    """The file is where the person moved it; it has to be the very one that was held."""
    if moved is None:
        return effect
    if submission.sha256 not in {None, moved.sha256}:
        raise WrongSubmissionState(f"{moved.place} is not the file of submission {submission.id}.")
    placed: SubmissionChanges = {"claimed_as": moved.place, "placed_as": None}
    return replace(effect, detail=BY_MOVING, changes={**effect.changes, **placed})


def attach_build(
    ledger: Ledger, number: int, build_id: str, decider: Decider = PERSON, share: Share | None = None
) -> Submission:
    """Name the build by hand, on the word of the person. Raises WrongSubmissionState."""
    build = parse_build_id(build_id)
    missing = find_missing_file(ledger, number, share)

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
        if submission.hold is not None or submission.build_id != build:  # else a release of it is obeyed
            named |= {"passed": (), "taken_as": None, "units_released": False}  # of the build before
            named["retried_hold"] = name_of_hold(submission) if submission.hold is HoldReason.ROUTE else ""
        if (
            submission.reused is not None
        ):  # traces of the new build count from its own upload, not the old one's
            named |= {"reused": None, "uploaded_at": None}
        detail = f"{build}, {decider.by}"
        order = CommandEffect(Step.DELIVER, EventKind.BUILD_ATTACHED, detail, {**named, **CLEARED_ROUTE})
        return _with_file(order, missing)

    return ledger.commands.execute(number, decide)


def _with_file(order: CommandEffect, missing: MissingFile | None) -> CommandEffect:
    """Return the order. Raises WrongSubmissionState if it needs its file, or that was moved to decide."""
    if missing is not None and (order.step is Step.INTAKE or missing.decides):
        raise WrongSubmissionState(missing.text)
    return order


def parse_build_id(text: str) -> str:
    """Return a build's id as the cloud writes it. Raises WrongSubmissionState."""
    try:
        return str(UUID(text))
    except ValueError:
        why = f"'{text}' is no build id: it looks like 2f1c9d0e-1a2b-4c3d-8e4f-0123456789ab."
        raise WrongSubmissionState(why, field="build") from None


def _in_eiger(submission: Submission) -> str:
    is_there = submission.state in {SubmissionState.DISPATCHED, SubmissionState.PRINTING}
    return " Take the build out of its queue in Eiger." if is_there else ""
