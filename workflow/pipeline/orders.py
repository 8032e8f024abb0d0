"""What a person may order: retry, release, cancel, attach. Each is one guarded change in the ledger.

A running service sees the change at its next look; without one it takes effect at the next start.
"""

from dataclasses import replace
from uuid import UUID

from workflow.errors import NotNow
from workflow.intake import Share, exists
from workflow.ledger import Begun, Ledger, Order, give_order
from workflow.model import ENDED, Hold, State, Step, Submission
from workflow.pipeline.clock import now

RESUMABLE = frozenset({State.HELD, State.REJECTED, State.CANCELED})
HELD_BY_RULES = frozenset({Hold.RULE, Hold.ROUTE})
WITH_A_BUILD_AHEAD = frozenset({Hold.BUILD, Hold.ROUTE, Hold.DEVICE, Hold.SEND})
BUILD_MAY_CHANGE = frozenset({Hold.BUILD, Hold.UNITS, Hold.ROUTE, Hold.DEVICE, Hold.SLICE})
NO_ROUTE: dict[str, object] = {
    "destination": None,
    "device": None,
    "device_id": None,
    "due_date": None,
    "copies": None,
    "approve_first": None,
}
FROM_THE_FILE: dict[str, object] = {
    "state": State.CLAIMED,
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


def retry(ledger: Ledger, number: int, share: Share | None = None) -> Submission:
    """Take a held, rejected or canceled submission up again where trying again makes sense.

    One that begins with its file again is refused when that stands no longer in the `share`. Raises NotNow.
    """
    gone = _why_gone(ledger, number, share)

    def decide(submission: Submission, begun: Begun) -> Order:
        return _with_file(_take_up(submission, begun), gone)

    return give_order(ledger, number, decide)


def release(ledger: Ledger, number: int, share: Share | None = None) -> Submission:
    """Let a submission that was held by a rule, or for its units, go on as it is. Raises NotNow."""
    gone = _why_gone(ledger, number, share)

    def decide(submission: Submission, begun: Begun) -> Order:
        if submission.state is not State.HELD:
            raise NotNow(f"Submission {number} is {submission.state}, not held: there is nothing to release.")
        if submission.hold not in {*HELD_BY_RULES, Hold.UNITS}:
            raise NotNow(
                f"Submission {number} is not held by a rule or for its units. "
                f"`stlflow retry {number}` tries again."
            )
        return _with_file(_release(submission, begun), gone)

    return give_order(ledger, number, decide)


def settle(ledger: Ledger, number: int, receipt: str | None) -> Submission:
    """End the doubt about a send, on the word of a person who looked in Eiger.

    With a receipt it was sent; None: it was not, and is sent now. Raises NotNow when there is no doubt.
    """

    def decide(submission: Submission, begun: Begun) -> Order:
        if submission.state is not State.HELD or submission.hold is not Hold.SEND or not begun.open:
            raise NotNow(f"Submission {number} is {submission.state}: no send of it is in doubt.")
        what = "not sent" if receipt is None else f"sent as {receipt}"
        ahead = _take_up(submission, begun)
        detail = f"{what}, says a person"
        undone = receipt is None
        return Order(
            ahead.step, "settled", detail, ahead.changes, looked=True, receipt=receipt, undone=undone
        )

    return give_order(ledger, number, decide)


def cancel(ledger: Ledger, number: int) -> Submission:
    """End a submission that was not sent yet. Raises NotNow when it is sent, or may be being sent."""

    def decide(submission: Submission, begun: Begun) -> Order:
        if submission.state in ENDED:
            raise NotNow(
                f"Submission {number} is {submission.state}: it has ended already.{_in_eiger(submission)}"
            )
        if begun.under_way:
            raise NotNow(f"Submission {number} is being sent right now. Try again in a minute.")
        if begun.sent >= (submission.copies or 1) and submission.state is not State.HELD:
            raise NotNow(
                f"Submission {number} is sent already, and ends as dispatched. "
                "Take the build out of its queue in Eiger."
            )
        reason = "Canceled by a person."
        if begun.sent:
            reason += f" {begun.sent} of {submission.copies or 1} copies were sent before: look in Eiger."
        if begun.open:
            reason += " Whether it was sent before is not known: look in Eiger."
        ended = {"state": State.CANCELED, "reason": reason, "ended_at": now(), "hold": None}
        return Order(Step.FINISH, "canceled", "by a person", ended)

    return give_order(ledger, number, decide)


def attach(ledger: Ledger, number: int, build_id: str) -> Submission:
    """Name the build by hand, on the word of the person. Raises NotNow when it is too early or too late."""
    build = as_build_id(build_id)

    def decide(submission: Submission, begun: Begun) -> Order:
        looking = submission.state is State.SLICED or submission.hold in BUILD_MAY_CHANGE
        if not looking or submission.state in ENDED:
            raise NotNow(
                f"Submission {number} is {submission.state}: a build is attached only when one is missing."
            )
        if begun.sent:
            raise NotNow(f"Submission {number} was sent in part: its build can't be changed any more.")
        if begun.open:
            raise NotNow(
                f"A send of submission {number} was begun, and its outcome is not known. "
                f"`stlflow retry {number}` looks where it stands; attach a build after that."
            )
        named: dict[str, object] = {
            "state": State.SLICED,
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
        return Order(Step.DELIVER, "build attached", f"{build}, by a person", {**named, **NO_ROUTE})

    return give_order(ledger, number, decide)


def _why_gone(ledger: Ledger, number: int, share: Share | None) -> str:
    """Say that somebody took a file away, and what to do; "" where it stands, or where nobody can tell."""
    submission = ledger.get(number)
    if share is None or submission.left_in_place or not share.is_there():
        return ""
    place = submission.claimed_as or ""
    if any(exists(share, each) for each in (place, share.claimed_path(submission.path, number))):
        return ""
    gone = f"The file of submission {number} stands no longer at {place}"
    again = next((each for each in ledger.with_content(submission.sha256 or "") if each.id > number), None)
    if again is not None:
        return f"{gone}: it was dropped again, and is submission {again.id} ({again.state})."
    return f"{gone}. Drop it into the inbox again: it becomes a new submission."


def _with_file(order: Order, gone: str) -> Order:
    if gone and order.step is Step.INTAKE:
        raise NotNow(gone)
    return order


def _release(submission: Submission, begun: Begun) -> Order:
    """Lift the hold of the rule that holds, and of no other; or accept the units of this one part."""
    if submission.hold is Hold.UNITS:  # with the build that it has: nothing is uploaded again
        order = _take_up(replace(submission, hold=None), begun)
        accepted = {"units_released": True, "passed": submission.passed}
        return replace(order, event="released", changes={**order.changes, **accepted})
    rule = submission.intake_rule if submission.hold is Hold.RULE else submission.routing_rule
    order = _take_up(submission, begun)
    passed = submission.passed if rule is None else (*submission.passed, rule)
    event = "released"
    return replace(order, event=event, changes={**order.changes, "passed": passed})


def _take_up(submission: Submission, begun: Begun) -> Order:
    if submission.state not in RESUMABLE:
        raise NotNow(
            f"Submission {submission.id} is {submission.state}: only held, rejected or canceled ones go on."
        )
    step, changes = _from_where(submission, begun)
    fresh = {"hold": None, "reason": None, "ended_at": None, "tries": 0, "waiting_since": now()}
    return Order(step, "retried", "by a person", {**fresh, **changes, "passed": ()}, looked=begun.open)


def _from_where(submission: Submission, begun: Begun) -> tuple[Step, dict[str, object]]:
    """Begin where it makes sense: a sliced part is not uploaded again, a send is looked for where it went."""
    if submission.receipt_id is not None:
        return Step.FINISH, {"state": State.DISPATCHED}
    if begun.open or begun.sent:
        if begun.rival is not None:
            raise NotNow(
                f"Submission {begun.rival} sends the same build just now: what either sends could not be "
                f"told apart. Retry submission {submission.id} once that one has ended."
            )
        return Step.DELIVER, {"state": State.ROUTED}
    if submission.reused is not None and submission.state in ENDED:  # its build was free for others meanwhile
        return Step.INTAKE, {**FROM_THE_FILE, **NO_ROUTE}
    if submission.hold is Hold.UNITS:  # what is put right in Eiger applies to a new upload
        kept = {"taken_as": submission.taken_as}  # so that no earlier build is reused
        return Step.INTAKE, {**FROM_THE_FILE, **NO_ROUTE, **kept}
    if submission.build_id is not None or submission.hold in WITH_A_BUILD_AHEAD:
        return Step.DELIVER, {"state": State.SLICED, **NO_ROUTE}
    return Step.INTAKE, {**FROM_THE_FILE, **NO_ROUTE}


def as_build_id(text: str) -> str:
    """Give a build's id as the cloud writes it. Raises NotNow."""
    try:
        return str(UUID(text))
    except ValueError:
        raise NotNow(
            f"'{text}' is no build id: it looks like 2f1c9d0e-1a2b-4c3d-8e4f-0123456789ab."
        ) from None


def _in_eiger(submission: Submission) -> str:
    return " Take the build out of its queue in Eiger." if submission.state is State.DISPATCHED else ""
