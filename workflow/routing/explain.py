"""Explain decisions: every rule in order with its result, and what is still open."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date

from workflow.frozen import frozen
from workflow.model import ConsideredRule, DeviceFacts, Facts, IntakeDecision, Route
from workflow.routing.conditions import Comparison, comparisons_in
from workflow.routing.evaluate import (
    RuleMatch,
    apply_routing_rule,
    decide_intake,
    evaluate_condition,
    find_matching_rule,
)
from workflow.routing.facts import DecisionStage
from workflow.routing.filename_tags import with_tags
from workflow.routing.rulebook import RoutingRule, Rule, Rulebook, SendAction

_COMES_FIRST = "a rule above comes first"
_IF_NONE_ABOVE = "takes it unless an open rule above does"

_DEVICE_CHOICE_FACTS = ("build.series", "build.material")
"""Facts that every build has and every choice of a device uses."""


@frozen
class OpenRule:
    """A routing rule that may still take the build.

    `needs` are the facts it waits for, `conditions` how it asks for them; both are empty for the
    rule that takes the build if none above does. `send_to` None means that it holds.
    """

    rule: str
    send_to: str | None
    needs: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()


@frozen
class Explanation:
    """The decisions of the rules for one file, and why.

    `routing` is None while it is not settled: the file is rejected or held before the upload, or
    `open_rules` wait for facts. `gaps` say in words what was left out. `intake_rules` and
    `routing_rules` have every rule, also those behind the deciding one.
    """

    intake: IntakeDecision
    intake_rules: tuple[ConsideredRule, ...]
    routing: Route | None = None
    routing_rules: tuple[ConsideredRule, ...] = ()
    open_rules: tuple[OpenRule, ...] = ()
    gaps: tuple[str, ...] = ()

    @property
    def considered(self) -> tuple[ConsideredRule, ...]:
        """The rules of both lists, in the order in which they are tried."""
        return (*self.intake_rules, *self.routing_rules)


def explain(
    rulebook: Rulebook, facts: Facts, devices: Sequence[DeviceFacts] | None = None, *, today: date
) -> Explanation:
    """Explain both decisions. Facts of a build may be missing; devices None leaves the choice open."""
    explained = explain_intake(rulebook, facts)
    if explained.intake.action != "upload":
        return explained
    with_preset = {"preset": explained.intake.preset or "", **facts}
    return explain_routing(explained, rulebook, with_preset, devices, today=today, is_sliced=False)


def explain_intake(rulebook: Rulebook, facts: Facts, *, passed: Collection[str] = ()) -> Explanation:
    """Explain the decision before the upload. `passed` are rules whose hold a person lifted."""
    intake = decide_intake(rulebook, facts, passed=passed)
    known = with_tags(rulebook.names, facts)
    explained = Explanation(intake, _add_later_rules(rulebook.intake, known, intake.considered))
    if intake.action == "upload":
        return explained
    ends = "rejected" if intake.action == "reject" else "held"
    return replace(explained, gaps=(f"It is {ends} before the upload, so it is not routed.",))


def explain_routing(
    explained: Explanation,
    rulebook: Rulebook,
    facts: Facts,
    devices: Sequence[DeviceFacts] | None,
    *,
    today: date,
    passed: Collection[str] = (),
    is_sliced: bool = True,
) -> Explanation:
    """Add the decision after slicing. `passed` are rules whose hold a person lifted.

    Before slicing, rules that wait for facts of the build stay open; after it, such a rule holds.
    """
    rules = rulebook.routing
    found, known = find_matching_rule(rules, rulebook.names, facts, passed=passed)
    open_rules = tuple(_find_open_rules(rules, known))
    if open_rules[0].needs and not is_sliced:
        considered = _add_later_rules(rules, known, found.considered, _IF_NONE_ABOVE)
        gaps = (_describe_missing_facts(open_rules),)
        return replace(explained, routing_rules=considered, open_rules=open_rules, gaps=gaps)
    considered = _add_later_rules(rules, known, found.considered)
    route = apply_routing_rule(found, known, devices, today, passed=passed, holidays=rulebook.holidays)
    return replace(
        explained, routing=route, routing_rules=considered, gaps=_gaps(found, route, known, devices)
    )


def _add_later_rules(
    rules: Sequence[Rule], facts: Facts, looked_at: tuple[ConsideredRule, ...], if_met: str = _COMES_FIRST
) -> tuple[ConsideredRule, ...]:
    """Add the rules behind the deciding one; `if_met` says why one that matches does not decide."""
    considered = list(looked_at)
    for rule in rules[len(looked_at) :]:
        looked = evaluate_condition(rule.when, facts)
        considered.append(ConsideredRule(rule.name, False, if_met if looked.met else looked.why[0]))
    return tuple(considered)


def _find_open_rules(rules: Sequence[RoutingRule], facts: Facts) -> Iterator[OpenRule]:
    """Yield the rules that may take the build, up to the first that needs no more facts."""
    for rule in rules:
        looked = evaluate_condition(rule.when, facts)
        if looked.met is False:
            continue
        waiting = [] if looked.met else list(_find_undecided_comparisons(rule, facts))
        send_to = str(rule.action.destination) if isinstance(rule.action, SendAction) else None
        yield OpenRule(
            rule.name,
            send_to,
            tuple(dict.fromkeys(each.fact.name for each in waiting)),
            tuple(f"{each.fact.name}: {each.words}" for each in waiting),
        )
        if not waiting:
            return


def _find_undecided_comparisons(rule: RoutingRule, facts: Facts) -> Iterator[Comparison]:
    """Yield the conditions on facts that come with slicing."""
    for each in comparisons_in(rule.when):
        if (
            each.fact.stage is DecisionStage.ROUTING
            and each.fact.name not in facts
            and each.evaluate(facts).met is None
        ):
            yield each


def _describe_missing_facts(open_rules: tuple[OpenRule, ...]) -> str:
    needs = dict.fromkeys(need for rule in open_rules for need in rule.needs)
    return f"Not routed yet: give {', '.join(needs)}."


def _gaps(
    found: RuleMatch[RoutingRule], route: Route, facts: Facts, devices: Sequence[DeviceFacts] | None
) -> tuple[str, ...]:
    if route.destination is None or found.rule.device is None:
        return ()
    if devices is None:
        return ("No device is chosen: Eiger was not asked for its devices.",)
    missing = [name for name in _DEVICE_CHOICE_FACTS if name not in facts]
    return (f"The choice of a device is a guess: give {', '.join(missing)}.",) if missing else ()
