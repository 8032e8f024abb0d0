"""Apply the routing rules: facts of a build in, route out, stored with what decided.

What was sent to a printer a moment ago does not show in Eiger yet. It is added to the printer's queue here:
otherwise a burst of files would all go to the same printer.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta, tzinfo
from itertools import cycle, islice

from workflow.eiger import Build
from workflow.ledger import DEVICE_CHOICE_LOCK, Draft, RecentSend
from workflow.model import (
    DecisionRecord,
    Destination,
    DeviceFacts,
    EventKind,
    Facts,
    HoldReason,
    Route,
    Submission,
    SubmissionChanges,
    SubmissionState,
)
from workflow.pipeline.context import Context, now
from workflow.pipeline.facts import build_facts, device_facts, facts_before_upload, time_facts
from workflow.pipeline.outages import with_outages
from workflow.pipeline.reorder import ordered_copies
from workflow.pipeline.submission_log import log_of
from workflow.pipeline.transitions import held
from workflow.routing import Rulebook, SelectionPolicy, TimeWindow, decide_route

RECENT_SENDS_WINDOW = timedelta(seconds=10)
"""After so long a send has taken effect, and the list of devices was asked for again."""
ABOUT_TO_PRINT = "Printing"
LONGEST_WAIT = timedelta(minutes=15)
"""A window may be hours away; the queue takes a due time half an hour ahead for that of a wrong clock."""


def with_recent_sends(
    devices: Sequence[DeviceFacts], lately: Sequence[RecentSend]
) -> tuple[DeviceFacts, ...]:
    """Return the devices as they will be once what was given to them lately has arrived."""
    return tuple(
        _with_sends(device, [each for each in lately if each.device_id == device.id]) for device in devices
    )


def _with_sends(device: DeviceFacts, lately: Sequence[RecentSend]) -> DeviceFacts:
    if not lately:
        return device
    told_to_print = any(given.destination is Destination.PRINT_NOW for given in lately)
    return replace(
        device,
        queue_seconds=(device.queue_seconds or 0.0) + sum(given.seconds * given.copies for given in lately),
        queue_length=(device.queue_length or 0) + sum(given.copies for given in lately),
        state=ABOUT_TO_PRINT if told_to_print else device.state,
    )


ROUTING = "routing"
PRINT_NOW_NOT_ARMED = (
    "The rule says print_now, and the settings do not let machines start: `print_now_armed` is false. "
    "Arm it, or change the rule; then retry."
)
NOT_SLICED = "The build is not sliced yet in Eiger. Slice it, then retry."


def route_build(context: Context, draft: Draft) -> Draft:
    """Decide where the build goes; nothing is sent yet. Raises CloudError.

    The caller keeps `device_choice_lock` until the draft is written.
    """
    submission = draft.submission
    waits_for_device = submission.hold is HoldReason.DEVICE
    if submission.destination is not None and not waits_for_device:
        return draft
    if waits_for_device and _still_waits_for_device(context, submission):
        return draft
    build = context.catalog.build(submission.build_id or "")
    if not build.sliced:
        return held(draft, HoldReason.ROUTE, NOT_SLICED)
    facts = _facts_when_waiting_began(context, submission) or _facts(context, submission, build)
    decided, taken = _evaluate_rules(context, submission, facts)
    opens = _opening_of(decided, context)
    if opens is not None:
        return _wait_for_window(draft, decided, taken, opens)
    if decided.destination is None or _is_unarmed(context, decided):
        return _held_route(context, draft, decided, taken)
    return _routed(context, draft, decided, taken)


def format_route(decided: Route) -> str:
    """Return the route as one line: rule, destination, and what decided."""
    where = str(decided.destination) + (f" of {decided.device}" if decided.device else "")
    copies = f", {decided.copies} copies" if decided.copies > 1 else ""
    due = f", due {decided.due.isoformat()}" if decided.due else ""
    return "; ".join([f"rule '{decided.rule}': {where}{copies}{due}", *decided.reasons])


def window_opening(window: tuple[int, int], moment: datetime, zone: tzinfo | None) -> datetime | None:
    """Return when a window of the day opens next; None if it is open. The times are those of the shop."""
    local = moment.astimezone(zone)
    minute = 60 * local.hour + local.minute
    if TimeWindow(*window).matches(minute):
        return None
    day = local.date() + timedelta(days=window[0] < minute)
    begin = datetime.combine(day, time(*divmod(window[0], 60)))
    return begin.replace(tzinfo=zone) if zone is not None else begin.astimezone()


def _opening_of(decided: Route, context: Context) -> datetime | None:
    return None if decided.send_window is None else window_opening(decided.send_window, now(), context.zone)


def _wait_for_window(draft: Draft, decided: Route, taken: DecisionRecord, opens: datetime) -> Draft:
    """Store the decision and its facts, and go on when the window opens."""
    submission = draft.submission
    reason = f"Rule '{decided.rule}' sends from {opens:%H:%M}. It goes by itself then."
    due_at = min(opens.astimezone(UTC), now() + LONGEST_WAIT)
    if submission.reason == reason and submission.routing_rule == decided.rule:
        return draft.end_turn(submission.step, due_at)
    about = log_of(submission, reason=reason)
    about.info("Submission {} ({}) waits: {}", submission.id, submission.path, reason)
    taken = replace(taken, device_id=None)
    fresh: SubmissionChanges = {
        "state": SubmissionState.SLICED,
        "hold": None,
        "tries": 0,
        "waiting_since": now(),
        "reason": reason,
        "routing_rule": decided.rule,
    }
    return draft.record(EventKind.WAITING, reason, taken, **fresh).end_turn(submission.step, due_at)


def _facts_when_waiting_began(context: Context, submission: Submission) -> Facts | None:
    """Return the facts that decided before the wait for a window; None if there was no such wait.

    The time of the decision stays that of then: a rule for the day still applies when the evening comes.
    """
    rules = {rule.name: rule for rule in context.rulebook.routing}
    waited_for = rules.get(submission.routing_rule or "")
    last = context.ledger.decisions.read(submission.id).get(ROUTING)
    if waited_for is None or last is None or last.rule != waited_for.name:
        return None
    waits = submission.hold is None and submission.reason is not None and waited_for.has_window
    return last.facts if waits else None


def _still_waits_for_device(context: Context, submission: Submission) -> bool:
    """Return the decision on the facts of the last one; only the devices are read again."""
    last = context.ledger.decisions.read(submission.id).get(ROUTING)
    if last is None:
        return False
    facts = {**last.facts, **time_facts(submission.opened_at, now(), context.zone)}
    return _evaluate_rules(context, submission, facts)[0].waits_for_device


def device_choice_lock(context: Context) -> AbstractContextManager[None]:
    """Return the lock under which a device is chosen and the choice is written. Raises CloudError."""
    if not _any_rule_chooses_device(context.rulebook):
        return nullcontext()
    context.catalog.devices()  # remembered for a moment: should the cloud be away, nobody waits for us
    return context.ledger.locks.exclusive(DEVICE_CHOICE_LOCK)


def _any_rule_chooses_device(rulebook: Rulebook) -> bool:
    return any(rule.device is not None for rule in rulebook.routing)


def _evaluate_rules(context: Context, submission: Submission, facts: Facts) -> tuple[Route, DecisionRecord]:
    rulebook, moment = context.rulebook, now()
    devices = read_devices_for_rules(context)
    today = moment.astimezone(context.zone).date()
    decided = decide_route(rulebook, facts, devices or (), today, passed=submission.passed)
    taken = DecisionRecord(
        ROUTING,
        moment,
        rulebook.revision,
        decided.rule,
        facts,
        submission.passed,
        devices,
        decided.device_id,
    )
    return decided, taken


def read_devices_for_rules(context: Context) -> tuple[DeviceFacts, ...] | None:
    """Return the facts of all devices; None if no rule chooses one. Raises CloudError."""
    if not _any_rule_chooses_device(context.rulebook):
        return None
    listed = [device_facts(device) for device in context.catalog.devices()]
    lately = context.ledger.decisions.list_recent_sends(
        now() - RECENT_SENDS_WINDOW, [device.id for device in listed]
    )
    current = context.ledger.outages.list_current(now())
    devices = with_outages(with_recent_sends(listed, lately), current, context.zone)
    in_turn = (
        rule.device is not None and rule.device.choose is SelectionPolicy.ROUND_ROBIN
        for rule in context.rulebook.routing
    )
    if not any(in_turn):
        return devices
    last = context.ledger.decisions.last_sent_by_device()
    return tuple(replace(device, last_sent_at=last.get(device.id)) for device in devices)


def _facts(context: Context, submission: Submission, build: Build) -> Facts:
    moment = now()
    facts = {
        **facts_before_upload(context.ledger, submission, moment, context.zone, context.rulebook.volumes),
        **build_facts(build, moment),
    }
    return facts if submission.preset is None else {**facts, "preset": submission.preset}


def _is_unarmed(context: Context, decided: Route) -> bool:
    return decided.destination is Destination.PRINT_NOW and not context.print_now_armed


def _held_route(context: Context, draft: Draft, decided: Route, taken: DecisionRecord) -> Draft:
    submission = draft.submission
    kind = HoldReason.DEVICE if decided.waits_for_device else HoldReason.ROUTE
    since = submission.waiting_since if submission.hold is kind else now()
    reason = PRINT_NOW_NOT_ARMED if _is_unarmed(context, decided) else decided.reason or ""
    taken = replace(taken, device_id=None)
    return held(draft, kind, reason, taken, routing_rule=decided.rule, waiting_since=since)


def _routed(context: Context, draft: Draft, decided: Route, taken: DecisionRecord) -> Draft:
    if draft.submission.reused is not None and decided.destination is not Destination.PRINT_NOW:
        copies = ordered_copies(context.ledger.events(draft.submission.id))
        if copies is not None:  # dealt to the printers in turn, where the rule spreads them
            spread = tuple(islice(cycle(decided.spread_ids), copies))
            decided = replace(decided, copies=copies, spread_ids=spread)
    return draft.record(
        EventKind.ROUTED,
        format_route(decided),
        taken,
        state=SubmissionState.ROUTED,
        hold=None,
        reason=None,
        routing_rule=decided.rule,
        destination=decided.destination,
        device=decided.device,
        device_id=decided.device_id,
        due_date=decided.due,
        copies=decided.copies,
        spread_ids=decided.spread_ids,
        approve_first=decided.approve_first,
        followed=context.follows_prints and decided.is_followed,
        tries=0,
    )
