"""Sending a build: each copy at most once. Before that, its approval in Eiger where the rule asks for it.

The API has no idempotency key. So: record the intent, search Eiger for an earlier send, send, record the
outcome. An intent whose outcome is unknown is settled by the search.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from workflow.eiger import add_approvals
from workflow.errors import (
    BadRequest,
    CloudError,
    Conflict,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    SettingsError,
    Unauthorized,
    Unreachable,
)
from workflow.frozen import frozen
from workflow.intake import Outcome
from workflow.ledger import (
    APPROVAL_LOCK,
    CHECKED_BY_OPERATOR,
    AlreadySent,
    SendInProgress,
    SendIntent,
    SharedBuild,
    draft_of,
)
from workflow.model import Destination, EventKind, HoldReason, Submission, SubmissionChanges, SubmissionState
from workflow.pipeline.attached_builds import PrintedBefore, find_attached_send, was_attached
from workflow.pipeline.context import Context, now
from workflow.pipeline.finish import plan_place
from workflow.pipeline.holds import CLEARED_ROUTE
from workflow.pipeline.reconcile import AmbiguousTraces, confirm_print_started, find_earlier_send
from workflow.pipeline.retry import backoff_seconds
from workflow.pipeline.submission_log import log_of
from workflow.pipeline.transitions import hold, schedule_retry

TIMED_OUT = "timed out"
CUT = "cut"
MAX_SEND_ATTEMPTS = 3
FIRST_ATTEMPT_AFTER_CHECK = 2
IN_THE_LEDGER = "found in the ledger"
IN_THE_CLOUD = "found in the cloud"
EVER = datetime.fromtimestamp(0, UTC)
NO_EFFECT_ERRORS = (BadRequest, Conflict, NotFound, RateLimited, Unauthorized, Unreachable)
"""Errors after which it is certain that the cloud did nothing."""


@frozen
class SentCopy:
    """One copy that is sent: the cloud's id of it, and how that was learnt."""

    receipt_id: str
    how: str
    by_another: bool = False
    """Another submission sent it, whose part lies on the same bed."""
    unwritten: SendIntent | None = None
    """The intent whose outcome is not in the ledger yet; None if it is."""


def dispatch_build(context: Context, submission: Submission) -> Submission:
    """Carry the route out, copy by copy, or find that it was carried out before."""
    if submission.receipt_id is not None:
        return _record_dispatched(context, submission, [SentCopy(submission.receipt_id, IN_THE_LEDGER)])
    done: list[SentCopy] = []
    placed_as = _plan_done_place(context, submission)
    copies, to_confirm = submission.copies or 1, submission.destination is Destination.PRINT_NOW
    for copy in range(1, copies + 1):
        try:
            sent = _send_copy(context, _as_sent_to(submission, copy), copy, done)
        except Conflict as refusal:
            if not to_confirm:
                raise
            return _hold_for_device(context, submission, refusal)
        if not isinstance(sent, SentCopy):
            return sent
        done.append(_settled(context, submission, copy, sent) if copy < copies or to_confirm else sent)
    if to_confirm and not done[0].by_another:
        waiting = confirm_print_started(context, submission, done[0].receipt_id)
        if waiting is not None:
            return waiting
    return _record_dispatched(context, submission, done, placed_as)


def _plan_done_place(context: Context, submission: Submission) -> str | None:
    """Return where the file goes once it is sent; None if that can't be planned now.

    Planned before the send, because nothing slow may come between a send and the record of its outcome.
    """
    if submission.left_in_place:
        return None
    try:
        return plan_place(context, submission, Outcome.DONE)
    except OSError:
        return None


def _settled(context: Context, submission: Submission, copy: int, sent: SentCopy) -> SentCopy:
    """Write the outcome of a copy by itself: others follow, or a printer has to show it."""
    if sent.unwritten is None:
        return sent
    context.ledger.sends.complete(submission, copy, sent.unwritten, sent.receipt_id)
    return replace(sent, unwritten=None)


def _as_sent_to(submission: Submission, copy: int) -> Submission:
    """Return the submission as if all of it went to the device of this copy."""
    spread = submission.spread_ids
    return replace(submission, device_id=spread[copy - 1]) if spread else submission


def _send_copy(
    context: Context, submission: Submission, copy: int, done: Sequence[SentCopy]
) -> SentCopy | Submission:
    """Send one copy, at most once; gives the submission where that has to wait."""
    attached = was_attached(context.ledger.events(submission.id), submission.build_id or "")
    one_bed_since = _one_bed_since(submission, attached=attached)
    permit = context.ledger.sends.begin(submission, copy, context.send_lease_seconds, one_bed_since)
    match permit:
        case SharedBuild(number, receipt_id):
            if receipt_id is None:
                reason = f"Submission {number}, on the same bed, is being sent."
                return schedule_retry(context, submission, backoff_seconds(submission.tries), reason)
            return SentCopy(receipt_id, f"sent with submission {number} on the same bed", by_another=True)
        case AlreadySent(receipt_id):
            return SentCopy(receipt_id, IN_THE_LEDGER)
        case SendInProgress(seconds):
            return schedule_retry(context, submission, seconds, "A send was cut off: waiting before looking.")
        case SendIntent():
            receipts = [sent.receipt_id for sent in done]
            if attached:
                return _reconcile_then_send(
                    context,
                    submission,
                    copy,
                    permit,
                    lambda: find_attached_send(context, submission, permit, receipts),
                )
            earlier = [*_receipts_of_others(context, submission), *receipts]
            return _reconcile_then_send(
                context, submission, copy, permit, lambda: _find_earlier(context, submission, permit, earlier)
            )


def _one_bed_since(submission: Submission, *, attached: bool) -> datetime | None:
    """Return the time since which a send of our build by others was for us, too.

    Both times are the ledger's own. None: a reused build was sent for others alone.
    """
    if submission.reused is not None:
        return None
    return submission.opened_at if attached else EVER


def _receipts_of_others(context: Context, submission: Submission) -> Sequence[str]:
    """Return the receipts of others for our build; only a reused build has any."""
    return () if submission.reused is None else context.ledger.sends.list_receipts_of_others(submission)


def _find_earlier(
    context: Context, submission: Submission, intent: SendIntent, earlier: Sequence[str]
) -> str | AmbiguousTraces | None:
    """Return the earlier send of this copy, if any. A further copy that was never tried has none."""
    never_tried = intent.times == 1 and bool(earlier)
    return None if never_tried else find_earlier_send(context.client, submission, earlier)


def _reconcile_then_send(
    context: Context,
    submission: Submission,
    copy: int,
    intent: SendIntent,
    search: Callable[[], str | AmbiguousTraces | PrintedBefore | None],
) -> SentCopy | Submission:
    """Send unless Eiger shows an earlier send: an attempt may have worked although its reply was lost."""
    try:
        found = search()
    except CloudError:
        context.ledger.sends.withdraw(submission, copy, intent)
        raise
    if isinstance(found, PrintedBefore):
        context.ledger.sends.withdraw(submission, copy, intent)
        held = hold(context, submission, HoldReason.SEND, _printed_before(submission, found))
        context.ledger.earlier_prints.remember(
            held, found.seen
        )  # after the hold: a person sees it, whatever happens
        return held
    if isinstance(found, AmbiguousTraces):
        context.ledger.sends.withdraw(submission, copy, intent)
        return hold(
            context,
            submission,
            HoldReason.SEND,
            _outcome_unknown_reason(submission, copy, intent, found.seen),
        )
    if found is not None:
        return SentCopy(found, IN_THE_CLOUD, unwritten=intent)
    if must_not_repeat(submission, intent):
        context.ledger.sends.withdraw(submission, copy, intent)  # nothing is under way while a person looks
        return hold(context, submission, HoldReason.SEND, _outcome_unknown_reason(submission, copy, intent))
    return _send_with_intent(context, submission, copy, intent)


def must_not_repeat(submission: Submission, intent: SendIntent) -> bool:
    """True if a person must decide: a print that may have started, or a send whose reply timed out."""
    if submission.destination is Destination.PRINT_NOW:
        told_by_a_person = intent.lost == CHECKED_BY_OPERATOR and intent.times == FIRST_ATTEMPT_AFTER_CHECK
        return intent.times > 1 and not told_by_a_person
    return intent.lost == TIMED_OUT or intent.times > MAX_SEND_ATTEMPTS


def _send_with_intent(
    context: Context, submission: Submission, copy: int, intent: SendIntent
) -> SentCopy | Submission:
    try:
        receipt_id = _post_to_destination(
            context, submission, partial(_renew_lease_before_send, context, submission, copy, intent)
        )
    except NO_EFFECT_ERRORS:
        context.ledger.sends.withdraw(submission, copy, intent)
        raise
    except CloudError as error:
        timed_out = isinstance(error, OutcomeUnknown) and error.timed_out
        how, late = TIMED_OUT if timed_out else CUT, context.late_effect_seconds
        context.ledger.sends.record_lost_reply(submission, copy, intent, how, late)
        grace = f"{error} The cloud is asked in {late:.0f} s whether it was done."
        return schedule_retry(context, submission, late, grace)
    return SentCopy(receipt_id, "sent", unwritten=intent)


def _renew_lease_before_send(context: Context, submission: Submission, copy: int, intent: SendIntent) -> None:
    """Begin the lease again and announce the send, with the connection open: only the send follows.

    The search for an earlier send and the connection took time. A machine that was frozen meanwhile is too
    late. Raises Superseded, StateFolderError.
    """
    sending = (EventKind.SENDING, f"{_copy_label(submission, copy)}, attempt {intent.times}")
    context.ledger.sends.renew_lease(submission, copy, intent, context.send_lease_seconds, sending)


def _post_to_destination(context: Context, submission: Submission, before_send: Callable[[], None]) -> str:
    """Make the one call that has an effect; gives the id of what it made."""
    build_id, device_id, client = submission.build_id or "", submission.device_id or "", context.client
    due = submission.due_date
    match submission.destination:
        case Destination.BACKLOG:
            return client.send_build_to_backlog(build_id, due, before_send=before_send).id
        case Destination.JOB_REQUEST:
            return client.send_build_to_job_request_queue(build_id, due, before_send=before_send).id
        case Destination.DEVICE_QUEUE:
            return client.append_to_device_queue(device_id, build_id, before_send=before_send).id
        case Destination.PRINT_NOW:
            return client.print_to_printer(device_id, build_id, before_send=before_send).id
    raise AssertionError(f"no way to send to {submission.destination}")


def _hold_for_device(context: Context, submission: Submission, refusal: Conflict) -> Submission:
    """Hold after a 409: the printer takes no print now. Another one is chosen later."""
    reason = f"{submission.device} takes no print now ({refusal}). It goes by itself once a printer does."
    changes: SubmissionChanges = {**CLEARED_ROUTE, "waiting_since": submission.waiting_since or now()}
    return hold(context, submission, HoldReason.DEVICE, reason, None, **changes)


def _record_dispatched(
    context: Context, submission: Submission, done: Sequence[SentCopy], placed_as: str | None = None
) -> Submission:
    """Write the outcome of the last copy, the end of the submission and where its file goes, all at once."""
    where = _destination_text(submission) + (f" of {submission.device}" if submission.device else "")
    ended: SubmissionChanges = {
        "state": SubmissionState.DISPATCHED,
        "receipt_id": done[0].receipt_id,
        "ended_at": now(),
        "hold": None,
        "reason": None,
    }
    about = log_of(submission, SubmissionState.DISPATCHED)
    about.info("Submission {} ({}) sent to {}.", submission.id, submission.path, where)
    receipts = "; ".join(f"print job {sent.receipt_id}, {sent.how}" for sent in done)
    draft = draft_of(submission).record(EventKind.DISPATCHED, f"{where}: {receipts}", **ended)
    if placed_as is not None:
        draft = draft.change(placed_as=placed_as)
    last = done[-1]
    if last.unwritten is None:
        return context.ledger.write(draft)
    return context.ledger.sends.complete_last(draft, len(done), last.unwritten, last.receipt_id)


def _copy_label(submission: Submission, copy: int) -> str:
    copies, place = submission.copies or 1, _destination_text(submission)
    return f"{place}, copy {copy} of {copies}" if copies > 1 else place


def _destination_text(submission: Submission) -> str:
    return f"{submission.destination}".replace("_", " ")


def _printed_before(submission: Submission, found: PrintedBefore) -> str:
    number, shown = submission.id, ", ".join(found.fresh[:3])
    return (
        f"Eiger shows {len(found.fresh)} print(s) of the attached build {submission.build_id} that may be "
        f"for this part ({shown}). Submission {number} did not send them, and sends nothing now. "
        f"`stlflow retry {number}` prints it once more; `stlflow cancel {number}` leaves it."
    )


def _outcome_unknown_reason(submission: Submission, copy: int, intent: SendIntent, seen: str = "") -> str:
    seen = seen or f"{_copy_label(submission, copy)} does not show the build"
    return (
        f"Outcome unknown after {intent.times - 1} attempt(s): the reply was lost and {seen}. "
        f"Look in Eiger for build {submission.build_id}, "
        f"then `stlflow settle {submission.id} --sent RECEIPT`, or `--not-sent`; "
        f"`stlflow cancel {submission.id}` leaves it."
    )


NOT_IN_USE = (
    "The rule has builds approved first, and approvals are not in use in Eiger: approving one build would "
    "forbid all others. Switch them on in Eiger, or take `approve_first` out of the rule; then retry."
)


def approve_build(context: Context, submission: Submission) -> Submission:
    """Add the build to the approved ones, once, if the rule asks for it."""
    if not submission.approve_first or submission.receipt_id is not None:
        return submission
    build_id = submission.build_id or ""
    try:
        with context.ledger.locks.exclusive(
            APPROVAL_LOCK
        ):  # the whole set is replaced: two of us would undo each other
            approved = add_approvals(context.client, [build_id])
    except SettingsError:
        return hold(context, submission, HoldReason.ROUTE, NOT_IN_USE)
    except Conflict as refusal:
        return hold(context, submission, HoldReason.ROUTE, str(refusal))
    detail = f"build {build_id}, one of {len(approved)} that are"
    return context.ledger.record_event(submission, EventKind.APPROVED, detail, approve_first=False)
