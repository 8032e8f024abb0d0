"""The routing rules: build facts in, route out, written down with what decided."""

from datetime import date

from workflow.eiger import Build, Device
from workflow.model import Destination, DeviceFacts, Facts, FactValue, Hold, Route, State, Submission
from workflow.pipeline.inspection import file_facts
from workflow.pipeline.outcome import hold
from workflow.pipeline.workshop import Workshop
from workflow.routing import decide_route

SECONDS_PER_HOUR = 3600
NO_MACHINE_STARTS = (
    "The rule says print_now, but this version starts no machine. Print it in Eiger, or let the rule "
    "send to device_queue and retry."
)


def route(shop: Workshop, submission: Submission) -> Submission:
    """Decide where the build goes; nothing is sent yet."""
    if submission.destination is not None and submission.hold is None:
        return submission
    build = shop.catalog.build(submission.build_id or "")
    if not build.sliced:
        return hold(
            shop, submission, Hold.ROUTE, "The build is not sliced yet in Eiger. Slice it, then retry."
        )
    devices = tuple(device_facts(device) for device in shop.catalog.devices()) if _needs_devices(shop) else ()
    facts = build_facts(build, file_facts(submission.path, submission.size or 0, submission.mesh))
    if submission.preset is not None:
        facts = {**facts, "preset": submission.preset}
    decided = decide_route(shop.rulebook, facts, devices, date.today(), released=submission.released)
    if decided.destination in {None, Destination.PRINT_NOW}:
        return hold(
            shop, submission, Hold.ROUTE, decided.reason or NO_MACHINE_STARTS, routing_rule=decided.rule
        )
    return shop.ledger.record(
        submission,
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
        released=False,
    )


def build_facts(build: Build, facts: Facts) -> Facts:
    """Add what is known of the build; what the cloud does not say is absent."""
    known: dict[str, FactValue | None] = {
        "build.title": build.title,
        "build.print_hours": _hours(build.estimated_print_seconds),
        "build.series": build.device_series,
        "build.material": build.primary_material,
        "build.fiber": build.secondary_material,
        "build.primary_cm3": build.ccs_primary_required,
        "build.fiber_cm3": build.ccs_fiber_required,
        "build.support_cm3": build.ccs_tertiary_required,
        "build.part_count": build.part_count,
        "build.sliced": build.sliced,
        "build.approved": build.approved,
    }
    return {**facts, **{name: value for name, value in known.items() if value is not None}}


def device_facts(device: Device) -> DeviceFacts:
    """Turn the cloud's device into what choosing one needs."""
    return DeviceFacts(
        id=device.id,
        name=device.name,
        type=device.device_type,
        series=device.device_series,
        state=device.state,
        material=device.loaded_primary_material,
        fiber=device.loaded_secondary_material,
        primary_remaining_cm3=device.ccs_primary_remaining,
        fiber_remaining_cm3=device.ccs_secondary_remaining,
        queue_seconds=device.queue_estimated_time_seconds,
        queue_length=device.queue_length,
    )


def in_words(decided: Route) -> str:
    """Give the route as one line: rule, destination, and what decided."""
    where = str(decided.destination) + (f" of {decided.device}" if decided.device else "")
    due = f", due {decided.due.isoformat()}" if decided.due else ""
    return "; ".join([f"rule '{decided.rule}': {where}{due}", *decided.reasons])


def _needs_devices(shop: Workshop) -> bool:
    return any(rule.device is not None for rule in shop.rulebook.routing)


def _hours(seconds: float | None) -> float | None:
    return None if seconds is None else seconds / SECONDS_PER_HOUR
