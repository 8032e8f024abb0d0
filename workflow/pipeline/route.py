"""The routing rules: what is known of a build in, route out, written down with what decided."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

from workflow.eiger import Build
from workflow.ledger import CHOOSING, alone, decisions_of, given_since, last_sent
from workflow.model import (
    Decided,
    Destination,
    DeviceFacts,
    Facts,
    Hold,
    Route,
    State,
    Submission,
)
from workflow.pipeline.allotment import SOON, as_they_will_be
from workflow.pipeline.clock import now
from workflow.pipeline.facts import (
    build_facts,
    device_facts,
    facts_before_upload,
    time_facts,
)
from workflow.pipeline.outcome import hold
from workflow.pipeline.workshop import Workshop
from workflow.routing import Choose, Rulebook, decide_route

ROUTING = "routing"
NO_MACHINE_STARTS = (
    "The rule says print_now, and the settings do not let machines start: `print_now_armed` is false. "
    "Arm it, or change the rule; then retry."
)
NOT_SLICED = "The build is not sliced yet in Eiger. Slice it, then retry."


def route(shop: Workshop, submission: Submission) -> Submission:
    """Decide where the build goes; nothing is sent yet."""
    waits_for_device = submission.hold is Hold.DEVICE
    if submission.destination is not None and not waits_for_device:
        return submission
    if waits_for_device and _still_waits(shop, submission):
        return submission
    build = shop.catalog.build(submission.build_id or "")
    if not build.sliced:
        return hold(shop, submission, Hold.ROUTE, NOT_SLICED)
    facts = _facts(shop, submission, build)
    with _turn(shop):
        decided, taken = _decide(shop, submission, facts)
        if decided.destination is None or _is_unarmed(shop, decided):
            return _held(shop, submission, decided, taken)
        return _record(shop, submission, decided, taken)


def in_words(decided: Route) -> str:
    """Give the route as one line: rule, destination, and what decided."""
    where = str(decided.destination) + (f" of {decided.device}" if decided.device else "")
    copies = f", {decided.copies} copies" if decided.copies > 1 else ""
    due = f", due {decided.due.isoformat()}" if decided.due else ""
    return "; ".join([f"rule '{decided.rule}': {where}{copies}{due}", *decided.reasons])


def _still_waits(shop: Workshop, submission: Submission) -> bool:
    """Look with what was known at the last decision: only the devices are asked for anew."""
    last = decisions_of(shop.ledger, submission.id).get(ROUTING)
    if last is None:
        return False
    facts = {**last.facts, **time_facts(submission.opened_at, now(), shop.zone)}
    return _decide(shop, submission, facts)[0].waits_for_device


def _turn(shop: Workshop) -> AbstractContextManager[None]:
    """Who chooses a device sees what all before have chosen. Raises CloudError."""
    if not _names_devices(shop.rulebook):
        return nullcontext()
    shop.catalog.devices()  # remembered for a moment: should the cloud be away, nobody waits for us
    return alone(shop.ledger, CHOOSING)


def _names_devices(rulebook: Rulebook) -> bool:
    return any(rule.device is not None for rule in rulebook.routing)


def _decide(shop: Workshop, submission: Submission, facts: Facts) -> tuple[Route, Decided]:
    rulebook, moment = shop.rulebook, now()
    devices = _devices(shop) if _names_devices(rulebook) else None
    today = moment.astimezone(shop.zone).date()
    decided = decide_route(rulebook, facts, devices or (), today, passed=submission.passed)
    taken = Decided(
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


def _devices(shop: Workshop) -> tuple[DeviceFacts, ...]:
    listed = [device_facts(device) for device in shop.catalog.devices()]
    lately = given_since(shop.ledger, now() - SOON, [device.id for device in listed])
    devices = as_they_will_be(listed, lately)
    in_turn = (
        rule.device is not None and rule.device.choose is Choose.ROUND_ROBIN for rule in shop.rulebook.routing
    )
    if not any(in_turn):
        return devices
    last = last_sent(shop.ledger)
    return tuple(replace(device, last_sent_at=last.get(device.id)) for device in devices)


def _facts(shop: Workshop, submission: Submission, build: Build) -> Facts:
    moment = now()
    facts = {**facts_before_upload(shop.ledger, submission, moment, shop.zone), **build_facts(build, moment)}
    return facts if submission.preset is None else {**facts, "preset": submission.preset}


def _is_unarmed(shop: Workshop, decided: Route) -> bool:
    return decided.destination is Destination.PRINT_NOW and not shop.print_now_armed


def _held(shop: Workshop, submission: Submission, decided: Route, taken: Decided) -> Submission:
    kind = Hold.DEVICE if decided.waits_for_device else Hold.ROUTE
    since = submission.waiting_since if submission.hold is kind else now()
    reason = NO_MACHINE_STARTS if _is_unarmed(shop, decided) else decided.reason or ""
    taken = replace(taken, device_id=None)
    return hold(shop, submission, kind, reason, taken, routing_rule=decided.rule, waiting_since=since)


def _record(shop: Workshop, submission: Submission, decided: Route, taken: Decided) -> Submission:
    return shop.ledger.record_decision(
        submission,
        taken,
        "routed",
        in_words(decided),
        state=State.ROUTED,
        hold=None,
        reason=None,
        routing_rule=decided.rule,
        destination=decided.destination,
        device=decided.device,
        device_id=decided.device_id,
        due_date=decided.due,
        copies=decided.copies,
        approve_first=decided.approve_first,
        tries=0,
    )
