"""Deciding: facts in, decision out; no clock, no network, no files.

The first rule that takes a file decides. A rule that can't be decided, for want of a fact or by a
fault of ours, holds the file: the next rule never gets it by accident. A file that a person has
released goes past the rule that held it; `passed` names the rules that a person has lifted so.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Generic

from workflow.model import (
    Considered,
    Destination,
    DeviceFacts,
    Facts,
    IntakeDecision,
    Route,
)
from workflow.routing.conditions import Condition, Looked
from workflow.routing.devices import READY_ONLY, choose_device
from workflow.routing.rulebook import (
    MOST_COPIES,
    Copies,
    DeviceWish,
    HoldBack,
    Reject,
    RoutingRule,
    Rule,
    Rulebook,
    Send,
    Upload,
)
from workflow.routing.tags import NamePattern, with_tags

PASSED = "passed over: a person released the file"
_RELEASE = "A person has to decide: `stlflow release` goes on with the next rule."
GOES_BY_ITSELF = "It goes by itself once one does."
_NOTHING_LEFT = "The file was released, but every rule that takes it holds it. Change the rules, then retry."


@dataclass(frozen=True, slots=True)
class Found(Generic[Rule]):
    """The rule that decides, by what it found; `open_why` says why it can't be decided, if so."""

    rule: Rule
    considered: tuple[Considered, ...]
    reasons: tuple[str, ...] = ()
    open_why: str | None = None


def decide_intake(rulebook: Rulebook, facts: Facts, *, passed: Collection[str] = ()) -> IntakeDecision:
    """Decide how a part is uploaded, or not. `passed` are rules whose hold a person lifted."""
    found, _ = find_rule(rulebook.intake, rulebook.names, facts, passed=passed)
    rule, considered = found.rule, found.considered
    if found.open_why is not None:
        return IntakeDecision(rule.name, "hold", reason=found.open_why, considered=considered)
    match rule.action:
        case Upload(preset, owner, folder):
            return IntakeDecision(rule.name, "upload", preset, owner, folder, considered=considered)
        case Reject(reason):
            return IntakeDecision(rule.name, "reject", reason=reason, considered=considered)
        case HoldBack(reason):
            return IntakeDecision(rule.name, "hold", reason=reason, considered=considered)


def decide_route(
    rulebook: Rulebook,
    facts: Facts,
    devices: Sequence[DeviceFacts],
    today: date,
    *,
    passed: Collection[str] = (),
) -> Route:
    """Decide where a build goes; due dates count from `today`. `passed`: rules whose hold a person lifted."""
    found, known = find_rule(rulebook.routing, rulebook.names, facts, passed=passed)
    return route_by(found, known, devices, today, passed=passed)


def route_by(
    found: Found[RoutingRule],
    facts: Facts,
    devices: Sequence[DeviceFacts] | None,
    today: date,
    *,
    passed: Collection[str] = (),
) -> Route:
    """Give the route of the rule that was found; without a list of devices none is chosen."""
    rule, action = found.rule, found.rule.action
    held = Route(rule.name, None, reasons=found.reasons, considered=found.considered)
    if found.open_why is not None:
        return replace(held, reason=found.open_why, reasons=())
    if isinstance(action, HoldBack):
        return replace(held, reason=action.reason)
    if action.hold_first is not None and rule.name not in passed:
        return replace(held, reason=action.hold_first)
    copies = _how_many(action.copies, facts)
    if not 1 <= copies <= MOST_COPIES:
        asked = f"{action.copies.tag} asks for {copies:,} copies, and 1 to {MOST_COPIES} can be sent."
        return replace(held, reason=f"{asked} Correct the file's name and drop it again.")
    sent = replace(held, destination=action.destination, copies=copies, approve_first=action.approve_first)
    if action.device is None or devices is None:
        due = action.due.day(today) if action.due and action.device is None else None
        return replace(sent, due=due)
    return _route_to_device(sent, action, action.device, facts, devices, today)


def _how_many(copies: Copies, facts: Facts) -> int:
    """Give the number of copies; a name without the tag means one."""
    if copies.tag is None:
        return copies.number
    value = facts.get(copies.tag, 1)
    return value if isinstance(value, int) else 0


def _route_to_device(
    sent: Route,
    action: Send,
    wish: DeviceWish,
    facts: Facts,
    devices: Sequence[DeviceFacts],
    today: date,
) -> Route:
    if action.destination is Destination.PRINT_NOW:
        wish = replace(wish, state=READY_ONLY)
    choice = choose_device(wish, facts, devices, sent.copies)
    sent = replace(sent, reasons=(*sent.reasons, *choice.reasons))
    if choice.device is not None:
        return replace(sent, device_id=choice.device.id, device=choice.device.name)
    if action.otherwise is not None:
        return replace(sent, destination=action.otherwise, due=action.due.day(today) if action.due else None)
    reason = f"No device qualifies: {'; '.join(choice.reasons)}. {GOES_BY_ITSELF}"
    return replace(sent, destination=None, reason=reason, waits_for_device=True)


def find_rule(
    rules: Sequence[Rule], names: Sequence[NamePattern], facts: Facts, *, passed: Collection[str] = ()
) -> tuple[Found[Rule], Facts]:
    """Find the first rule that takes a file, or that can't be decided; and give the facts with their tags."""
    try:
        known = with_tags(names, facts)
    except Exception as fault:  # noqa: BLE001  # whatever went wrong, no rule may get the file
        return Found(rules[0], (), open_why=f"Its name can't be read ({_in_words(fault)}). {_RELEASE}"), facts
    return _first_match(rules, known, passed=passed), known


def _first_match(rules: Sequence[Rule], facts: Facts, *, passed: Collection[str]) -> Found[Rule]:
    considered: list[Considered] = []
    for rule in rules:
        looked = look_carefully(rule.when, facts)
        if looked.met is False:
            considered.append(Considered(rule.name, False, looked.why[0]))
        elif rule.name in passed and (looked.met is None or isinstance(rule.action, HoldBack)):
            considered.append(Considered(rule.name, False, PASSED))
        elif looked.met is None:
            considered.append(Considered(rule.name, False, looked.why[0]))
            why = f"Rule '{rule.name}' can't be decided: {looked.why[0]}. {_RELEASE}"
            return Found(rule, tuple(considered), open_why=why)
        else:
            considered.append(Considered(rule.name, True))
            return Found(rule, tuple(considered), looked.why)
    return Found(rules[-1], tuple(considered), open_why=_NOTHING_LEFT)


def look_carefully(when: Condition | None, facts: Facts) -> Looked:
    """Look whether a rule takes a file; a fault in looking is an answer that can't be told."""
    if when is None:
        return Looked(True, ())
    try:
        return when.look(facts)
    except Exception as fault:  # noqa: BLE001  # whatever went wrong, the next rule must not get the file
        return Looked(None, (f"a fault in looking at it ({_in_words(fault)})",))


def _in_words(fault: Exception) -> str:
    return f"{type(fault).__name__}: {fault}"
