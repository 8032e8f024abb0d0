"""Sending a build, at most once.

The API has no idempotency key. So: write the intent, look whether it is done already, act, write
the outcome. An intent whose outcome is unknown is settled by asking the cloud.
"""

from workflow.errors import (
    BadRequest,
    CloudError,
    Conflict,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Unauthorized,
    Unreachable,
)
from workflow.ledger import (
    Busy,
    Intent,
    Settled,
    begin_send,
    renew_send,
    reply_lost,
    settle_send,
    withdraw_send,
)
from workflow.model import Destination, Hold, State, Submission
from workflow.pipeline.clock import now
from workflow.pipeline.outcome import hold, wait_in_line
from workflow.pipeline.reconcile import already_sent
from workflow.pipeline.workshop import Workshop

TIMED_OUT = "timed out"
CUT = "cut"
MOST_ATTEMPTS = 3
ONLY_COPY = 1
NOTHING_DONE = (BadRequest, Conflict, NotFound, RateLimited, Unauthorized, Unreachable)
"""Errors after which it is certain that the cloud did nothing."""


def dispatch(shop: Workshop, submission: Submission) -> Submission:
    """Carry the route out, or find that it was carried out before."""
    if submission.receipt_id is not None:
        return _dispatched(shop, submission, submission.receipt_id, "found in the ledger")
    permit = begin_send(shop.ledger, submission, ONLY_COPY, shop.send_lease_seconds)
    match permit:
        case Settled(receipt_id):
            return _dispatched(shop, submission, receipt_id, "found in the ledger")
        case Busy(seconds):
            return wait_in_line(
                shop, submission, max(seconds, 0.1), "A send was cut off: waiting before looking."
            )
        case Intent():
            return _look_then_send(shop, submission, permit)


def _look_then_send(shop: Workshop, submission: Submission, intent: Intent) -> Submission:
    """Always look first: the last attempt may have worked, whatever became of its reply."""
    try:
        found = already_sent(shop.client, submission)
    except CloudError:
        withdraw_send(shop.ledger, submission, ONLY_COPY, intent)
        raise
    if found is not None:
        settle_send(shop.ledger, submission, ONLY_COPY, intent, found, reconciled=True)
        return _dispatched(shop, submission, found, "found in the cloud")
    if intent.lost == TIMED_OUT or intent.times > MOST_ATTEMPTS:
        withdraw_send(shop.ledger, submission, ONLY_COPY, intent)  # nothing is under way while a person looks
        return hold(shop, submission, Hold.SEND, _outcome_unknown(submission, intent))
    renew_send(shop.ledger, submission, ONLY_COPY, intent, shop.send_lease_seconds)
    shop.ledger.record(submission, "sending", f"{submission.destination}, attempt {intent.times}")
    return _send(shop, submission, intent)


def _send(shop: Workshop, submission: Submission, intent: Intent) -> Submission:
    try:
        receipt_id = _post(shop, submission)
    except NOTHING_DONE:
        withdraw_send(shop.ledger, submission, ONLY_COPY, intent)
        raise
    except CloudError as error:
        timed_out = isinstance(error, OutcomeUnknown) and error.timed_out
        how, late = TIMED_OUT if timed_out else CUT, shop.late_effect_seconds
        reply_lost(shop.ledger, submission, ONLY_COPY, intent, how, late)
        grace = f"{error} The cloud is asked in {late:.0f} s whether it was done."
        return wait_in_line(shop, submission, late, grace)
    settle_send(shop.ledger, submission, ONLY_COPY, intent, receipt_id, reconciled=False)
    return _dispatched(shop, submission, receipt_id, "sent")


def _post(shop: Workshop, submission: Submission) -> str:
    """Make the one call that has an effect; gives the id of what it made."""
    build_id, client = submission.build_id or "", shop.client
    match submission.destination:
        case Destination.BACKLOG:
            return client.send_build_to_backlog(build_id, submission.due_date).id
        case Destination.JOB_REQUEST:
            return client.send_build_to_job_request_queue(build_id, submission.due_date).id
        case Destination.DEVICE_QUEUE:
            return client.append_to_device_queue(submission.device_id or "", build_id).id
    raise AssertionError(f"no way to send to {submission.destination}")


def _dispatched(shop: Workshop, submission: Submission, receipt_id: str, how: str) -> Submission:
    where = f"{submission.destination}" + (f" of {submission.device}" if submission.device else "")
    done = {
        "state": State.DISPATCHED,
        "receipt_id": receipt_id,
        "ended_at": now(),
        "hold": None,
        "reason": None,
    }
    return shop.ledger.record(submission, "dispatched", f"{where}: receipt {receipt_id}, {how}", **done)


def _outcome_unknown(submission: Submission, intent: Intent) -> str:
    return (
        f"Outcome unknown after {intent.times - 1} attempt(s): the reply was lost and "
        f"{submission.destination} does not show the build. Look in Eiger for build {submission.build_id}; "
        f"`stlflow retry {submission.id}` looks again and sends if it is not there, "
        f"`stlflow cancel {submission.id}` leaves it."
    )
