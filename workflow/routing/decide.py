"""Deciding: facts in, decision out; no clock, no network, no files.

The first rule that takes a file decides. A rule that can't be decided, for want of a fact or by a
fault of ours, holds the file: the next rule never gets it by accident. A file that a person has
released goes past rules that hold and rules that can't be decided.
"""

from collections.abc import Sequence
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
    DeviceWish,
    HoldBack,
    Reject,
    RoutingRule,
    Rule,
    Rulebook,
    Send,
    Upload,
)

PASSED = "passed over: a person released the file"
_RELEASE = "A person has to decide: `stlflow release` goes on with the next rule."
_NOTHING_LEFT = "The file was released, but every rule that takes it holds it. Change the rules, then retry."


@dataclass(frozen=True, slots=True)
class Found(Generic[Rule]):
    """The rule that decides, by what it found; `open_why` says why it can't be decided, if so."""

    rule: Rule
    considered: tuple[Considered, ...]
    reasons: tuple[str, ...] = ()
    open_why: str | None = None


def decide_intake(rulebook: Rulebook, facts: Facts, *, released: bool = False) -> IntakeDecision:
    """Decide how a part is uploaded, or not. `released`: a person lifted the hold."""
    found = find_rule(rulebook.intake, facts, released=released)
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
    released: bool = False,
) -> Route:
    """Decide where a build goes. `released`: a person lifted the hold; due dates count from `today`."""
    return route_by(find_rule(rulebook.routing, facts, released=released), facts, devices, today)


def route_by(
    found: Found[RoutingRule], facts: Facts, devices: Sequence[DeviceFacts] | None, today: date
) -> Route:
    """Give the route of the rule that was found; without a list of devices none is chosen."""
    rule, reasons, considered = found.rule, found.reasons, found.considered
    if found.open_why is not None:
        return Route(rule.name, None, reason=found.open_why, considered=considered)
    action = rule.action
    if isinstance(action, HoldBack):
        return Route(rule.name, None, reason=action.reason, reasons=reasons, considered=considered)
    if action.device is None or devices is None:
        due = action.due.day(today) if action.due and action.device is None else None
        return Route(rule.name, action.destination, due=due, reasons=reasons, considered=considered)
    return _route_to_device(found, action, action.device, facts, devices, today)


def _route_to_device(
    found: Found[RoutingRule],
    action: Send,
    wish: DeviceWish,
    facts: Facts,
    devices: Sequence[DeviceFacts],
    today: date,
) -> Route:
    if action.destination is Destination.PRINT_NOW:
        wish = replace(wish, state=READY_ONLY)
    choice = choose_device(wish, facts, devices)
    rule, reasons = found.rule.name, (*found.reasons, *choice.reasons)
    if choice.device is not None:
        return Route(
            rule,
            action.destination,
            device_id=choice.device.id,
            device=choice.device.name,
            reasons=reasons,
            considered=found.considered,
        )
    if action.otherwise is not None:
        due = action.due.day(today) if action.due else None
        return Route(rule, action.otherwise, due=due, reasons=reasons, considered=found.considered)
    reason = f"No device qualifies: {'; '.join(choice.reasons)}. Make one ready, then retry."
    return Route(rule, None, reason=reason, reasons=reasons, considered=found.considered)


def find_rule(rules: Sequence[Rule], facts: Facts, *, released: bool = False) -> Found[Rule]:
    """Find the first rule that takes a file, or that can't be decided."""
    considered: list[Considered] = []
    for rule in rules:
        looked = look_carefully(rule.when, facts)
        if looked.met is False:
            considered.append(Considered(rule.name, False, looked.why[0]))
        elif released and (looked.met is None or isinstance(rule.action, HoldBack)):
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
        return Looked(None, (f"a fault in looking at it ({type(fault).__name__}: {fault})",))
