"""Explaining: every rule in order, what it found, and what is still open."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from workflow.model import Considered, DeviceFacts, Facts, IntakeDecision, Route
from workflow.routing.conditions import FactIs, facts_of
from workflow.routing.decide import Found, decide_intake, find_rule, look_carefully, route_by
from workflow.routing.facts import Stage
from workflow.routing.rulebook import RoutingRule, Rule, Rulebook, Send


@dataclass(frozen=True, slots=True)
class OpenRule:
    """A routing rule that may still take the build.

    `needs` are the facts it waits for, `conditions` how it asks for them; both are empty for the
    rule that takes the build if none above does. `send_to` None means that it holds.
    """

    rule: str
    send_to: str | None
    needs: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the rules say of one file, and why.

    `routing` is None while it is not settled: the file is rejected or held before the upload, or
    `open_rules` wait for facts. `gaps` say in words what was left out. `intake_rules` and
    `routing_rules` hold every rule, those behind the deciding one too.
    """

    intake: IntakeDecision
    intake_rules: tuple[Considered, ...]
    routing: Route | None = None
    routing_rules: tuple[Considered, ...] = ()
    open_rules: tuple[OpenRule, ...] = ()
    gaps: tuple[str, ...] = ()

    @property
    def considered(self) -> tuple[Considered, ...]:
        """Give the rules of both lists in the order in which they are looked at."""
        return (*self.intake_rules, *self.routing_rules)


def explain(
    rulebook: Rulebook, facts: Facts, devices: Sequence[DeviceFacts] | None = None, *, today: date
) -> Explanation:
    """Explain both decisions. Facts of a build may be missing; devices None leaves the choice open."""
    intake = decide_intake(rulebook, facts)
    explained = Explanation(intake, _every_rule(rulebook.intake, facts, intake.considered))
    if intake.action != "upload":
        ends = "rejected" if intake.action == "reject" else "held"
        return replace(explained, gaps=(f"It is {ends} before the upload, so it is not routed.",))
    return _add_routing(explained, rulebook, {"preset": intake.preset or "", **facts}, devices, today)


def _add_routing(
    explained: Explanation,
    rulebook: Rulebook,
    facts: Facts,
    devices: Sequence[DeviceFacts] | None,
    today: date,
) -> Explanation:
    found = find_rule(rulebook.routing, facts)
    explained = replace(explained, routing_rules=_every_rule(rulebook.routing, facts, found.considered))
    open_rules = tuple(_open_rules(rulebook.routing, facts))
    if open_rules[0].needs:
        return replace(explained, open_rules=open_rules, gaps=(_waits(open_rules),))
    return replace(explained, routing=route_by(found, facts, devices, today), gaps=_gaps(found, devices))


def _every_rule(
    rules: Sequence[Rule], facts: Facts, looked_at: tuple[Considered, ...]
) -> tuple[Considered, ...]:
    """Add what the rules behind the deciding one would have said."""
    return (*looked_at, *(_behind(rule, facts) for rule in rules[len(looked_at) :]))


def _behind(rule: Rule, facts: Facts) -> Considered:
    looked = look_carefully(rule.when, facts)
    return Considered(rule.name, False, "a rule above comes first" if looked.met else looked.why[0])


def _open_rules(rules: Sequence[RoutingRule], facts: Facts) -> Iterator[OpenRule]:
    """Give the rules that may take the build, up to the first that is settled whatever comes."""
    for rule in rules:
        looked = look_carefully(rule.when, facts)
        if looked.met is False:
            continue
        waiting = [] if looked.met else list(_waiting(rule, facts))
        send_to = str(rule.action.destination) if isinstance(rule.action, Send) else None
        yield OpenRule(
            rule.name,
            send_to,
            tuple(dict.fromkeys(each.fact.name for each in waiting)),
            tuple(f"{each.fact.name}: {each.words}" for each in waiting),
        )
        if not waiting:
            return


def _waiting(rule: RoutingRule, facts: Facts) -> Iterator[FactIs]:
    """Give the conditions on facts that slicing will bring."""
    for each in facts_of(rule.when):
        if each.fact.stage is Stage.ROUTING and each.fact.name not in facts and each.look(facts).met is None:
            yield each


def _waits(open_rules: tuple[OpenRule, ...]) -> str:
    needs = dict.fromkeys(need for rule in open_rules for need in rule.needs)
    return f"Not routed yet: give {', '.join(needs)}."


def _gaps(found: Found[RoutingRule], devices: Sequence[DeviceFacts] | None) -> tuple[str, ...]:
    if devices is None and found.open_why is None and found.rule.device is not None:
        return ("No device is chosen: Eiger was not asked for its devices.",)
    return ()
