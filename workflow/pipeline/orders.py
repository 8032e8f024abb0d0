"""What a person may order: retry, release, cancel, attach. Each is one guarded change in the ledger.

A running service sees the change at its next look; without one it takes effect at the next start.
"""

from uuid import UUID

from workflow.errors import NotNow
from workflow.ledger import Ledger, Superseded, forgive_sends, open_intent
from workflow.model import ENDED, Hold, State, Step, Submission
from workflow.pipeline.clock import now

RESUMABLE = frozenset({State.HELD, State.REJECTED, State.CANCELED})
WITH_A_BUILD_AHEAD = frozenset({Hold.BUILD, Hold.ROUTE, Hold.SEND})
FROM_THE_FILE: dict[str, object] = {
    "state": State.CLAIMED,
    "step": Step.INTAKE,
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
}


def retry(ledger: Ledger, number: int) -> Submission:
    """Take a held, rejected or canceled submission up again where trying again makes sense."""
    return _take_up(ledger, number, released=False)


def release(ledger: Ledger, number: int) -> Submission:
    """Let a held submission go on as if the rule that held it were not there."""
    submission = ledger.get(number)
    if submission.state is not State.HELD:
        raise NotNow(f"Submission {number} is {submission.state}, not held: there is nothing to release.")
    return _take_up(ledger, number, released=True)


def cancel(ledger: Ledger, number: int) -> Submission:
    """End a submission that was not sent yet. Raises NotNow when it is sent, or is being sent."""
    submission = ledger.get(number)
    if submission.state in ENDED:
        raise NotNow(
            f"Submission {number} is {submission.state}: it has ended already.{_in_eiger(submission)}"
        )
    if submission.state is State.ROUTED and open_intent(ledger, submission):
        raise NotNow(f"Submission {number} is being sent right now. Try again in a minute.")
    ended = {"state": State.CANCELED, "reason": "Canceled by a person.", "ended_at": now(), "hold": None}
    return _next_turn(ledger, submission, Step.FINISH, "canceled", "by a person", **ended)


def attach(ledger: Ledger, number: int, build_id: str) -> Submission:
    """Name the build by hand, on the word of the person. Raises NotNow when it is too early or too late."""
    submission = ledger.get(number)
    try:
        build = str(UUID(build_id))
    except ValueError:
        raise NotNow(
            f"'{build_id}' is no build id: it looks like 2f1c9d0e-1a2b-4c3d-8e4f-0123456789ab."
        ) from None
    looking = submission.state is State.SLICED or submission.hold in {Hold.BUILD, Hold.ROUTE}
    if not looking or submission.state in ENDED:
        raise NotNow(
            f"Submission {number} is {submission.state}: a build is attached only when one is missing."
        )
    named = {"state": State.SLICED, "build_id": build, "hold": None, "reason": None, "tries": 0}
    return _next_turn(ledger, submission, Step.DELIVER, "build attached", f"{build}, by a person", **named)


def _take_up(ledger: Ledger, number: int, *, released: bool) -> Submission:
    submission = ledger.get(number)
    if submission.state not in RESUMABLE:
        raise NotNow(
            f"Submission {number} is {submission.state}: only held, rejected or canceled ones go on."
        )
    forgive_sends(ledger, submission)
    fresh = {"hold": None, "reason": None, "ended_at": None, "tries": 0, "waiting_since": now()}
    changes = {**fresh, **_from_where(submission), "released": released}
    step = Step(str(changes.pop("step")))
    return _next_turn(
        ledger, submission, step, "released" if released else "retried", "by a person", **changes
    )


def _from_where(submission: Submission) -> dict[str, object]:
    """A sliced part is not uploaded again; anything else begins with the file."""
    if submission.build_id is not None or submission.hold in WITH_A_BUILD_AHEAD:
        return {"state": State.SLICED, "step": Step.DELIVER, "destination": None}
    return dict(FROM_THE_FILE)


def _next_turn(
    ledger: Ledger, submission: Submission, step: Step, event: str, detail: str, **changes: object
) -> Submission:
    try:
        return ledger.next_turn(submission, step, now(), event, detail, **changes)
    except Superseded:
        raise NotNow(
            f"Submission {submission.id} has just moved on. Look with `stlflow show {submission.id}`."
        ) from None


def _in_eiger(submission: Submission) -> str:
    return " Take the build out of its queue in Eiger." if submission.state is State.DISPATCHED else ""
