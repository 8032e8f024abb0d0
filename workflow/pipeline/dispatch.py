"""Sending a build, each copy at most once.

The API has no idempotency key. So: write the intent, look whether it is done already, act, write
the outcome. An intent whose outcome is unknown is settled by asking the cloud.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from loguru import logger

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
    LOOKED,
    Busy,
    Intent,
    OnOneBed,
    Settled,
    begin_send,
    receipts_of_others,
    remember_seen,
    renew_send,
    reply_lost,
    settle_send,
    withdraw_send,
)
from workflow.model import Destination, Hold, State, Submission
from workflow.pipeline.attached import PrintedBefore, look, was_attached
from workflow.pipeline.clock import now
from workflow.pipeline.confirm import confirm
from workflow.pipeline.orders import NO_ROUTE
from workflow.pipeline.outcome import hold, wait_in_line
from workflow.pipeline.patience import backoff
from workflow.pipeline.reconcile import Unclear, already_sent
from workflow.pipeline.workshop import Workshop

TIMED_OUT = "timed out"
CUT = "cut"
MOST_ATTEMPTS = 3
FIRST_AFTER_A_LOOK = 2
IN_THE_LEDGER = "found in the ledger"
EVER = datetime.fromtimestamp(0, UTC)
NOTHING_DONE = (BadRequest, Conflict, NotFound, RateLimited, Unauthorized, Unreachable)
"""Errors after which it is certain that the cloud did nothing."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One copy that is sent: the cloud's id of it, and how that was learnt."""

    receipt_id: str
    how: str
    by_another: bool = False
    """Another submission sent it, whose part lies on the same bed."""


def dispatch(shop: Workshop, submission: Submission) -> Submission:
    """Carry the route out, copy by copy, or find that it was carried out before."""
    if submission.receipt_id is not None:
        return _dispatched(shop, submission, [Sent(submission.receipt_id, IN_THE_LEDGER)])
    done: list[Sent] = []
    for copy in range(1, (submission.copies or 1) + 1):
        try:
            sent = _send_copy(shop, submission, copy, done)
        except Conflict as refusal:
            if submission.destination is not Destination.PRINT_NOW:
                raise
            return _not_ready(shop, submission, refusal)
        if not isinstance(sent, Sent):
            return sent
        done.append(sent)
    if submission.destination is Destination.PRINT_NOW and not done[0].by_another:
        waiting = confirm(shop, submission, done[0].receipt_id)
        if waiting is not None:
            return waiting
    return _dispatched(shop, submission, done)


def _send_copy(shop: Workshop, submission: Submission, copy: int, done: Sequence[Sent]) -> Sent | Submission:
    """Send one copy, at most once; gives the submission where that has to wait."""
    attached = was_attached(shop.ledger.events(submission.id), submission.build_id or "")
    one_bed_since = _one_bed_since(submission, attached=attached)
    permit = begin_send(shop.ledger, submission, copy, shop.send_lease_seconds, one_bed_since)
    match permit:
        case OnOneBed(number, receipt_id):
            if receipt_id is None:
                reason = f"Submission {number}, on the same bed, is being sent."
                return wait_in_line(shop, submission, backoff(submission.tries), reason)
            return Sent(receipt_id, f"sent with submission {number} on the same bed", by_another=True)
        case Settled(receipt_id):
            return Sent(receipt_id, IN_THE_LEDGER)
        case Busy(seconds):
            return wait_in_line(
                shop, submission, max(seconds, 0.1), "A send was cut off: waiting before looking."
            )
        case Intent():
            receipts = [sent.receipt_id for sent in done]
            if attached:
                return _look_then_send(
                    shop, submission, copy, permit, lambda: look(shop, submission, permit, receipts)
                )
            earlier = [*_sent_by_others(shop, submission), *receipts]
            return _look_then_send(
                shop, submission, copy, permit, lambda: _look(shop, submission, permit, earlier)
            )


def _one_bed_since(submission: Submission, *, attached: bool) -> datetime | None:
    """What others sent of our build, they sent for us, too; of an attached one only since the file came.

    Both times are the ledger's own. None: a reused build was sent for others alone.
    """
    if submission.reused is not None:
        return None
    return submission.opened_at if attached else EVER


def _sent_by_others(shop: Workshop, submission: Submission) -> Sequence[str]:
    """Only a reused build has been sent for others before."""
    return () if submission.reused is None else receipts_of_others(shop.ledger, submission)


def _look(
    shop: Workshop, submission: Submission, intent: Intent, earlier: Sequence[str]
) -> str | Unclear | None:
    """A further copy that was never tried leaves no trace that could be told from those before it."""
    never_tried = intent.times == 1 and bool(earlier)
    return None if never_tried else already_sent(shop.client, submission, earlier)


def _look_then_send(
    shop: Workshop,
    submission: Submission,
    copy: int,
    intent: Intent,
    looked: Callable[[], str | Unclear | PrintedBefore | None],
) -> Sent | Submission:
    """Look first: the last attempt may have worked, whatever became of its reply."""
    try:
        found = looked()
    except CloudError:
        withdraw_send(shop.ledger, submission, copy, intent)
        raise
    if isinstance(found, PrintedBefore):
        withdraw_send(shop.ledger, submission, copy, intent)
        held = hold(shop, submission, Hold.SEND, _printed_before(submission, found))
        remember_seen(shop.ledger, held, found.seen)  # after the hold: a person sees it, whatever happens
        return held
    if isinstance(found, Unclear):
        withdraw_send(shop.ledger, submission, copy, intent)
        return hold(shop, submission, Hold.SEND, _outcome_unknown(submission, copy, intent, found.seen))
    if found is not None:
        settle_send(shop.ledger, submission, copy, intent, found, reconciled=True)
        return Sent(found, "found in the cloud")
    if must_not_repeat(submission, intent):
        withdraw_send(shop.ledger, submission, copy, intent)  # nothing is under way while a person looks
        return hold(shop, submission, Hold.SEND, _outcome_unknown(submission, copy, intent))
    shop.ledger.record(submission, "sending", f"{_what(submission, copy)}, attempt {intent.times}")
    return _send(shop, submission, copy, intent)


def must_not_repeat(submission: Submission, intent: Intent) -> bool:
    """A machine is told again to start only on a person's word; other sends where a reply was cut off."""
    if submission.destination is Destination.PRINT_NOW:
        told_by_a_person = intent.lost == LOOKED and intent.times == FIRST_AFTER_A_LOOK
        return intent.times > 1 and not told_by_a_person
    return intent.lost == TIMED_OUT or intent.times > MOST_ATTEMPTS


def _send(shop: Workshop, submission: Submission, copy: int, intent: Intent) -> Sent | Submission:
    try:
        receipt_id = _post(shop, submission, partial(_last_look, shop, submission, copy, intent))
    except NOTHING_DONE:
        withdraw_send(shop.ledger, submission, copy, intent)
        raise
    except CloudError as error:
        timed_out = isinstance(error, OutcomeUnknown) and error.timed_out
        how, late = TIMED_OUT if timed_out else CUT, shop.late_effect_seconds
        reply_lost(shop.ledger, submission, copy, intent, how, late)
        grace = f"{error} The cloud is asked in {late:.0f} s whether it was done."
        return wait_in_line(shop, submission, late, grace)
    settle_send(shop.ledger, submission, copy, intent, receipt_id, reconciled=False)
    return Sent(receipt_id, "sent")


def _last_look(shop: Workshop, submission: Submission, copy: int, intent: Intent) -> None:
    """Begin the lease anew with the connection open: nothing comes between this and the send.

    Looking and connecting took their time, and a machine that stood still meanwhile is too late. Raises
    Superseded, StateError.
    """
    renew_send(shop.ledger, submission, copy, intent, shop.send_lease_seconds)


def _post(shop: Workshop, submission: Submission, last_look: Callable[[], None]) -> str:
    """Make the one call that has an effect; gives the id of what it made."""
    build_id, device_id, client = submission.build_id or "", submission.device_id or "", shop.client
    due = submission.due_date
    match submission.destination:
        case Destination.BACKLOG:
            return client.send_build_to_backlog(build_id, due, last_look=last_look).id
        case Destination.JOB_REQUEST:
            return client.send_build_to_job_request_queue(build_id, due, last_look=last_look).id
        case Destination.DEVICE_QUEUE:
            return client.append_to_device_queue(device_id, build_id, last_look=last_look).id
        case Destination.PRINT_NOW:
            return client.print_to_printer(device_id, build_id, last_look=last_look).id
    raise AssertionError(f"no way to send to {submission.destination}")


def _not_ready(shop: Workshop, submission: Submission, refusal: Conflict) -> Submission:
    """409: the printer takes nothing now, and nothing was done. Another choice is made by and by."""
    reason = f"{submission.device} takes no print now ({refusal}). It goes by itself once a printer does."
    since = submission.waiting_since or now()
    return hold(shop, submission, Hold.DEVICE, reason, None, waiting_since=since, **NO_ROUTE)


def _dispatched(shop: Workshop, submission: Submission, done: Sequence[Sent]) -> Submission:
    where = f"{submission.destination}" + (f" of {submission.device}" if submission.device else "")
    ended = {
        "state": State.DISPATCHED,
        "receipt_id": done[0].receipt_id,
        "ended_at": now(),
        "hold": None,
        "reason": None,
    }
    logger.info("Submission {} ({}) sent to {}.", submission.id, submission.path, where)
    receipts = "; ".join(f"receipt {sent.receipt_id}, {sent.how}" for sent in done)
    return shop.ledger.record(submission, "dispatched", f"{where}: {receipts}", **ended)


def _what(submission: Submission, copy: int) -> str:
    copies = submission.copies or 1
    return f"{submission.destination}, copy {copy} of {copies}" if copies > 1 else f"{submission.destination}"


def _printed_before(submission: Submission, found: PrintedBefore) -> str:
    number, shown = submission.id, ", ".join(found.fresh[:3])
    return (
        f"Eiger shows {len(found.fresh)} print(s) of the attached build {submission.build_id} that may be "
        f"for this part ({shown}). Submission {number} did not send them, and sends nothing now. "
        f"`stlflow retry {number}` prints it once more; `stlflow cancel {number}` leaves it."
    )


def _outcome_unknown(submission: Submission, copy: int, intent: Intent, seen: str = "") -> str:
    seen = seen or f"{_what(submission, copy)} does not show the build"
    return (
        f"Outcome unknown after {intent.times - 1} attempt(s): the reply was lost and {seen}. "
        f"Look in Eiger for build {submission.build_id}, "
        f"then `stlflow settle {submission.id} --sent RECEIPT`, or `--not-sent`; "
        f"`stlflow cancel {submission.id}` leaves it."
    )
