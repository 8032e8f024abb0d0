"""Apply rules: facts in, decision out; no clock, no network, no files.

The first matching rule wins. A rule that can't be decided, because a fact is missing or stlflow has a fault,
holds the file: the next rule never gets it by accident. A released file skips the rule that held it;
`passed` names the rules that a person has released it from.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Generic

from workflow.errors import catch_faults
from workflow.frozen import frozen
from workflow.model import ConsideredRule, Destination, DeviceFacts, Facts, IntakeDecision, Route
from workflow.routing.choose_device import READY_ONLY, choose_device, deal_copies
from workflow.routing.conditions import Condition, ConditionResult
from workflow.routing.due import Holidays
from workflow.routing.filename_tags import NamePattern, with_tags
from workflow.routing.rulebook import (
    MAX_COPIES,
    Copies,
    DeviceRequirements,
    HoldAction,
    RejectAction,
    RoutingRule,
    Rule,
    Rulebook,
    SendAction,
    UploadAction,
)

RELEASED_REASON = "passed over: a person released the file"
_RELEASE = "A person has to decide: `stlflow release` goes on with the next rule."
WAITS_FOR_DEVICE_HINT = "It goes by itself once one does."
_NO_RULE_LEFT = "The file was released, but every rule that takes it holds it. Change the rules, then retry."


@frozen
class RuleMatch(Generic[Rule]):
    """The rule that decides, and its reasons; `open_why` says why it can't be decided, if so."""

    rule: Rule
    considered: tuple[ConsideredRule, ...]
    reasons: tuple[str, ...] = ()
    open_why: str | None = None


def decide_intake(rulebook: Rulebook, facts: Facts, *, passed: Collection[str] = ()) -> IntakeDecision:
    """Decide how a part is uploaded, or not. `passed` are rules whose hold a person lifted."""
    found, _ = find_matching_rule(rulebook.intake, rulebook.names, facts, passed=passed)
    rule, considered = found.rule, found.considered
    if found.open_why is not None:
        return IntakeDecision(rule.name, "hold", reason=found.open_why, considered=considered)
    match rule.action:
        case UploadAction(preset, owner, folder):
            return IntakeDecision(rule.name, "upload", preset, owner, folder, considered=considered)
        case RejectAction(reason):
            return IntakeDecision(rule.name, "reject", reason=reason, considered=considered)
        case HoldAction(reason):
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
    found, known = find_matching_rule(rulebook.routing, rulebook.names, facts, passed=passed)
    return apply_routing_rule(found, known, devices, today, passed=passed, holidays=rulebook.holidays)


def apply_routing_rule(
    found: RuleMatch[RoutingRule],
    facts: Facts,
    devices: Sequence[DeviceFacts] | None,
    today: date,
    *,
    passed: Collection[str] = (),
    holidays: Holidays = (),
) -> Route:
    """Return the route of the rule that was found; without a list of devices none is chosen."""
    rule, action = found.rule, found.rule.action
    held = Route(rule.name, None, reasons=found.reasons, considered=found.considered)
    if found.open_why is not None:
        return replace(held, reason=found.open_why, reasons=())
    if isinstance(action, HoldAction):
        return replace(held, reason=action.reason)
    if action.hold_first is not None and rule.name not in passed:
        return replace(held, reason=action.hold_first)
    copies = _count_copies(action.copies, facts)
    if not 1 <= copies <= MAX_COPIES:
        asked = f"{action.copies.tag} asks for {copies:,} copies, and 1 to {MAX_COPIES} can be sent."
        return replace(held, reason=f"{asked} Correct the file's name and drop it again.")
    window = (action.window.start, action.window.end) if action.window is not None else None
    sent = replace(
        held,
        destination=action.destination,
        copies=copies,
        approve_first=action.approve_first,
        send_window=window,
        follow=action.follow,
    )
    due = action.due.day(today, facts, holidays) if action.due else None
    if action.device is None or devices is None:
        return replace(sent, due=due)
    return _route_to_device(replace(sent, due=due), action, action.device, facts, devices)


def _count_copies(copies: Copies, facts: Facts) -> int:
    """Return the number of copies; a name without the tag means one."""
    if copies.tag is None:
        return copies.number
    value = facts.get(copies.tag, 1)
    return value if isinstance(value, int) else 0


def _route_to_device(
    sent: Route,
    action: SendAction,
    required: DeviceRequirements,
    facts: Facts,
    devices: Sequence[DeviceFacts],
) -> Route:
    if action.destination is Destination.PRINT_NOW:
        required = replace(required, state=READY_ONLY)
    if action.spread and sent.copies > 1:
        choice = deal_copies(required, facts, devices, sent.copies)
    else:
        choice = choose_device(required, facts, devices, sent.copies)
    sent = replace(sent, reasons=(*sent.reasons, *choice.reasons))
    if choice.device is not None:
        dealt = tuple(device.id for device in choice.dealt)
        return replace(sent, device_id=choice.device.id, device=choice.name, spread_ids=dealt)
    if action.otherwise is not None:
        return replace(sent, destination=action.otherwise)
    reason = f"No device qualifies: {'; '.join(choice.reasons)}. {WAITS_FOR_DEVICE_HINT}"
    return replace(sent, destination=None, due=None, reason=reason, waits_for_device=True)


def find_matching_rule(
    rules: Sequence[Rule], names: Sequence[NamePattern], facts: Facts, *, passed: Collection[str] = ()
) -> tuple[RuleMatch[Rule], Facts]:
    """Find the first rule that takes a file, or that can't be decided; and give the facts with their tags."""

    def match() -> tuple[RuleMatch[Rule], Facts]:
        known = with_tags(names, facts)
        return _first_match(rules, known, passed=passed), known

    def hold(fault: Exception) -> tuple[RuleMatch[Rule], Facts]:
        why = f"Its name can't be read ({_describe_error(fault)}). {_RELEASE}"
        return RuleMatch(rules[0], (), open_why=why), facts

    return catch_faults(match, hold)  # whatever goes wrong, no rule may get the file


def _first_match(rules: Sequence[Rule], facts: Facts, *, passed: Collection[str]) -> RuleMatch[Rule]:
    considered: list[ConsideredRule] = []
    for rule in rules:
        looked = evaluate_condition(rule.when, facts)
        if looked.met is False:
            considered.append(ConsideredRule(rule.name, False, looked.why[0]))
        elif rule.name in passed and (looked.met is None or isinstance(rule.action, HoldAction)):
            considered.append(ConsideredRule(rule.name, False, RELEASED_REASON))
        elif looked.met is None:
            considered.append(ConsideredRule(rule.name, False, looked.why[0]))
            why = f"Rule '{rule.name}' can't be decided: {looked.why[0]}. {_RELEASE}"
            return RuleMatch(rule, tuple(considered), open_why=why)
        else:
            considered.append(ConsideredRule(rule.name, True))
            return RuleMatch(rule, tuple(considered), looked.why)
    return RuleMatch(rules[-1], tuple(considered), open_why=_NO_RULE_LEFT)


def evaluate_condition(when: Condition | None, facts: Facts) -> ConditionResult:
    """Return whether a rule takes a file; undecided if a fault of stlflow prevents it."""
    if when is None:
        return ConditionResult(True, ())
    return catch_faults(partial(when.evaluate, facts), _undecided)  # the next rule must not get the file


def _undecided(fault: Exception) -> ConditionResult:
    return ConditionResult(None, (f"a fault of stlflow in this rule ({_describe_error(fault)})",))


def _describe_error(fault: Exception) -> str:
    return f"{type(fault).__name__}: {fault}"
