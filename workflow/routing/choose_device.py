"""Choose a device: candidates and their facts in, choice and reasons out."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from workflow.frozen import frozen
from workflow.model import DeviceFacts, Facts, FactValue, describe_printer_state
from workflow.routing.facts import SECONDS_PER_HOUR
from workflow.routing.globs import NAME_SEPARATOR, Glob, casefold_nfc
from workflow.routing.rulebook import DeviceRequirements, SelectionPolicy

READY_ONLY = (Glob("Ready"),)
QUEUEABLE_STATES = (
    *READY_ONLY,
    Glob("Printing"),
    Glob("Print Finished"),
    Glob("Print Bed Needs Clearing"),
    Glob("Purge Strip Removal Needed"),
    Glob("Resuming Print"),
    Glob("Running Utility"),
    Glob("Utility Finished"),
)
"""States in which a printer goes on to its queue by itself. Any other state, also an unknown one, means
trouble or a person at work."""
NON_PRINTING_SERIES = frozenset(map(casefold_nfc, ("Sinter-1", "Sinter-2", "Wash-1")))
NO_DEVICES = ("Eiger lists no devices",)
_UNKNOWN = casefold_nfc("Unknown")

Rank = tuple[float, float, str, str]


@frozen
class DeviceChoice:
    """The chosen device, None when none qualifies; and for every device why, or why not."""

    device: DeviceFacts | None
    reasons: tuple[str, ...]
    dealt: tuple[DeviceFacts, ...] = ()
    """The device of each copy, where the copies are dealt over several."""

    @property
    def name(self) -> str | None:
        """The name of the device; of several, each with its number of copies."""
        if not self.dealt:
            return None if self.device is None else self.device.name
        return ", ".join(
            f"{name} ({count})" for name, count in Counter(each.name for each in self.dealt).items()
        )


def choose_device(
    required: DeviceRequirements, facts: Facts, devices: Sequence[DeviceFacts], copies: int = 1
) -> DeviceChoice:
    """Return the chosen device and why, for each device; all copies go to the same one."""
    judged = [(device, next(_disqualifiers(required, facts, device, copies), None)) for device in devices]
    fitting = [device for device, obstacle in judged if obstacle is None]
    chosen = min(fitting, key=lambda device: _rank(required, device), default=None)
    reasons = [
        f"{device.name}: {obstacle or _describe_candidate(device, required.choose, device is chosen)}"
        for device, obstacle in judged
    ]
    return DeviceChoice(chosen, tuple(reasons) or NO_DEVICES)


def deal_copies(
    required: DeviceRequirements, facts: Facts, devices: Sequence[DeviceFacts], copies: int
) -> DeviceChoice:
    """Return the device of each copy, each chosen as if those before it were in its queue already.

    None of them is dealt if one can't be: material and queues have to be enough for all. Of the devices that
    qualify, only those whose build volume the part fits get copies, if there are any.
    """
    fitting = _fitting(required, facts, devices)
    left, dealt, counts = {device.id: device for device in fitting}, list[DeviceFacts](), Counter[str]()
    for _ in range(copies):
        judged = [
            (device, next(_disqualifiers(required, facts, device, counts[device.id] + 1), None))
            for device in left.values()
        ]
        qualifying = [device for device, obstacle in judged if obstacle is None]
        chosen = min(
            qualifying, key=lambda each: _dealing_rank(required, each, counts[each.id]), default=None
        )
        if chosen is None:
            reasons = tuple(f"{device.name}: {obstacle}" for device, obstacle in judged)
            return DeviceChoice(None, reasons or NO_DEVICES)
        dealt.append(chosen)
        counts[chosen.id] += 1
        left[chosen.id] = _with_copy(chosen, facts)
    reasons = tuple(
        f"{device.name}: {why_not or f'{counts[device.id]} of the copies'}"
        for device in devices
        for too_small in ("" if device in fitting else "the part does not fit its build volume",)
        for why_not in (next(_disqualifiers(required, facts, device, 1), too_small),)
    )
    return DeviceChoice(dealt[0], reasons, tuple(dealt))


def _fitting(
    required: DeviceRequirements, facts: Facts, devices: Sequence[DeviceFacts]
) -> Sequence[DeviceFacts]:
    """Return the devices whose type is in the fact `fits`; all, if none of those qualifies."""
    names = str(facts.get("fits", "")).split(NAME_SEPARATOR)
    fitting = [device for device in devices if device.type in names]
    return fitting if any(not any(_disqualifiers(required, facts, each, 1)) for each in fitting) else devices


def _dealing_rank(required: DeviceRequirements, device: DeviceFacts, count: int) -> tuple[float, float, Rank]:
    """Return the sort key: by queue where the rule asks for it, otherwise by turns."""
    by_queue = required.choose in {SelectionPolicy.SOONEST, SelectionPolicy.SHORTEST_QUEUE}
    rank = _rank(required, device)
    return (rank[0] if by_queue else 0.0, count, rank)


def _with_copy(device: DeviceFacts, facts: Facts) -> DeviceFacts:
    """Return the device with one copy more in its queue."""
    hours = float(facts.get("build.print_hours", 0.0))
    queue, length = device.queue_seconds, device.queue_length
    return replace(
        device,
        queue_seconds=None if queue is None else queue + hours * SECONDS_PER_HOUR,
        queue_length=None if length is None else length + 1,
    )


def _disqualifiers(
    required: DeviceRequirements, facts: Facts, device: DeviceFacts, copies: int
) -> Iterator[str]:
    """Yield every reason why this device does not qualify, the plainest first."""
    yield from _requirement_mismatches(required, device)
    if device.outage is not None:
        yield device.outage
    yield from _series_mismatches(facts, device)
    yield from _state_mismatches(required, device)
    if required.loaded_material:
        yield from _material_mismatches(facts, device)
        yield from _material_shortages(required, facts, device, copies)
    yield from _queue_limit_violations(required, device)


def _requirement_mismatches(required: DeviceRequirements, device: DeviceFacts) -> Iterator[str]:
    asked = (
        (required.name, device.name, "the rule does not name it"),
        (
            required.series,
            device.series,
            f"is {device.series}, the rule asks for {_join_with_or(required.series)}",
        ),
        (required.type, device.type, f"is a {device.type}, the rule asks for {_join_with_or(required.type)}"),
    )
    for globs, value, reason in asked:
        if globs and not _matches_any(globs, value):
            yield reason


def _state_mismatches(required: DeviceRequirements, device: DeviceFacts) -> Iterator[str]:
    if device.state is None:
        yield "Eiger does not say its state"
    elif not _matches_any(required.state or QUEUEABLE_STATES, device.state):
        asked = f", the rule asks for {_join_with_or(required.state)}" if required.state else ""
        yield f"is {describe_printer_state(device.state)}{asked}"


def _series_mismatches(facts: Facts, device: DeviceFacts) -> Iterator[str]:
    if casefold_nfc(device.series) in NON_PRINTING_SERIES:
        yield "does not print"
    series = str(facts.get("build.series", "Unknown"))
    if casefold_nfc(series) not in {_UNKNOWN, casefold_nfc(device.series)}:
        yield f"is {device.series}, the build is for {series}"


def _material_mismatches(facts: Facts, device: DeviceFacts) -> Iterator[str]:
    needed = facts.get("build.material")
    if needed is None:
        yield "what material the build needs is not known"
    elif not _same_material(device.material, needed):
        yield f"{device.material or 'no material'} loaded, needs {needed}"
    fiber = facts.get("build.fiber")
    if fiber is not None and not _same_material(device.fiber, fiber):
        yield f"{device.fiber or 'no fiber'} loaded, needs {fiber}"


def _material_shortages(
    required: DeviceRequirements, facts: Facts, device: DeviceFacts, copies: int
) -> Iterator[str]:
    """Yield shortages of material. An unknown amount is none; printers with fiber may report 0 left."""
    spare = copies * (1 + required.spare_percent / 100)
    amounts = (
        ("build.primary_cm3", device.primary_remaining_cm3, device.material),
        ("build.fiber_cm3", device.fiber_remaining_cm3 or None, device.fiber),
    )
    for fact, left, what in amounts:
        needed = facts.get(fact)
        if isinstance(needed, int | float) and left is not None and left < needed * spare:
            yield f"{left:.1f} cm³ of {what} left, needs {needed * spare:.1f} cm³"


def _queue_limit_violations(required: DeviceRequirements, device: DeviceFacts) -> Iterator[str]:
    hours = None if device.queue_seconds is None else device.queue_seconds / SECONDS_PER_HOUR
    asked = (
        (required.queue_hours, hours, f"{hours:.1f} h queued" if hours is not None else ""),
        (required.queue_length, device.queue_length, f"{device.queue_length} queued"),
    )
    for limit, length, words in asked:
        if limit is not None and length is None:
            yield "Eiger does not say how long its queue is"
        elif limit is not None and length is not None and not limit.matches(length):
            yield f"{words}, the rule asks for {limit}"


def _same_material(loaded: str | None, needed: FactValue) -> bool:
    return loaded is not None and casefold_nfc(loaded) == casefold_nfc(str(needed))


def _matches_any(globs: Sequence[Glob], text: str) -> bool:
    return any(glob.matches(text) for glob in globs)


def _join_with_or(globs: Sequence[Glob]) -> str:
    return " or ".join(map(str, globs))


def _rank(required: DeviceRequirements, device: DeviceFacts) -> Rank:
    """Return the sort key: the least is best, and an unknown queue comes last."""
    seconds = math.inf if device.queue_seconds is None else device.queue_seconds
    length = math.inf if device.queue_length is None else device.queue_length
    named = casefold_nfc(device.name), device.id
    match required.choose:
        case SelectionPolicy.SOONEST:
            return seconds, length, *named
        case SelectionPolicy.SHORTEST_QUEUE:
            return length, seconds, *named
        case SelectionPolicy.FIRST:
            place = (at for at, glob in enumerate(required.name) if glob.matches(device.name))
            return next(place, 0), 0, *named
        case SelectionPolicy.ROUND_ROBIN:
            last = device.last_sent_at
            return -math.inf if last is None else last.timestamp(), 0, *named


def _describe_candidate(device: DeviceFacts, choose: SelectionPolicy, chosen: bool) -> str:
    length, seconds = device.queue_length, device.queue_seconds
    known = [] if length is None else [f"{length} queued"]
    known += [] if seconds is None else [f"{seconds / SECONDS_PER_HOUR:.1f} h"]
    queued = ", ".join(known) or "queue not known"
    how = f"chosen ({choose.replace('_', ' ')})" if chosen else "fits too"
    return f"{describe_printer_state(device.state)}, {queued}: {how}"
