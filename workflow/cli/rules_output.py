"""Decisions of rules, past or possible, as documents for scripts and as lines for people."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import tzinfo
from pathlib import Path

import click

from workflow.cli.param_types import did_you_mean
from workflow.mesh import format_size
from workflow.model import DecisionRecord, FactValue, IntakeDecision, MeshReport
from workflow.operations import IntakeForecast
from workflow.pipeline.decision_text import describe_intake, describe_route
from workflow.pipeline.replay import PastDecision, ReplayResult
from workflow.routing import FACT_TABLE, Explanation, Rulebook, format_window, parse_fact_value

BUILD_PREFIX = "build."


_VERDICT_TEXT = {"hold": "held", "reject": "rejected"}


def path_under_inbox(file: Path, inbox: Path) -> str:
    """Return the path that rules see: under the inbox if it is there, otherwise from the current folder."""
    place = file.absolute()
    for base in (inbox.absolute(), Path.cwd()):
        if place.is_relative_to(base):
            return place.relative_to(base).as_posix()
    return place.name


def parse_fact(given: str, *, build: bool = False) -> tuple[str, FactValue]:
    """Return the fact of `print_hours=2`. Raises BadParameter for an unknown fact or a wrong value."""
    key, equals, text = given.partition("=")
    prefix, hint = (BUILD_PREFIX, "--build") if build else ("", "--fact")
    name = key.strip() if key.strip().startswith(prefix) else prefix + key.strip()
    kinds = {fact.name: fact.kind for fact in FACT_TABLE if fact.name.startswith(prefix)}
    if not equals or name not in kinds:
        known = ", ".join(sorted(fact.removeprefix(prefix) for fact in kinds))
        meant = did_you_mean(key.strip().removeprefix(prefix), [fact.removeprefix(prefix) for fact in kinds])
        raise click.BadParameter(f"'{given}' is not KEY=VALUE with a KEY of {known}.{meant}", param_hint=hint)
    value = parse_fact_value(text.strip(), kinds[name])
    if value is None:
        raise click.BadParameter(f"'{text}' is no {kinds[name]}.", param_hint=hint)
    return name, value


def parse_facts(build_facts: Iterable[str], facts: Iterable[str]) -> tuple[tuple[str, FactValue], ...]:
    """Return the facts of `--build` and `--fact`. Raises BadParameter."""
    return (*(parse_fact(each, build=True) for each in build_facts), *(parse_fact(each) for each in facts))


def explanation_document(explanation: Explanation, report: MeshReport | None) -> dict[str, object]:
    """Return an explanation as JSON for scripts."""
    return {
        "mesh": {"verdict": report.verdict, "reason": report.reason} if report else None,
        "intake": _intake_document(explanation.intake),
        "routing": _routing_document(explanation),
        "considered": [
            {"rule": rule.rule, "matched": rule.matched, "why_not": rule.why_not}
            for rule in explanation.considered
        ],
        "gaps": list(explanation.gaps),
    }


def explanation_lines(explanation: Explanation, report: MeshReport | None) -> Iterator[str]:
    """Yield an explanation as lines for people."""
    if report is not None and report.verdict != "accept":
        yield f"The mesh is {_VERDICT_TEXT[report.verdict]} before any rule: {report.reason}"
        yield "If it is released:" if report.verdict == "hold" else "If it were accepted:"
    for title, considered in (("intake", explanation.intake_rules), ("routing", explanation.routing_rules)):
        yield f"{title}:"
        for rule in considered:
            yield f"  {'✓' if rule.matched else '·'} {rule.rule}{f': {rule.why_not}' if rule.why_not else ''}"
    yield f"intake → {describe_intake(explanation.intake)} (rule '{explanation.intake.rule}')"
    if explanation.routing is not None:
        yield f"routing → {describe_route(explanation.routing)} (rule '{explanation.routing.rule}')"
        yield from (f"  {reason}" for reason in explanation.routing.reasons)
    for still_open in explanation.open_rules:
        needs = f" if {' and '.join(still_open.conditions)}" if still_open.conditions else " otherwise"
        yield f"routing → still open: {still_open.rule}: {still_open.send_to or 'hold'}{needs}"
    yield from explanation.gaps


def forecast_document(forecast: IntakeForecast) -> dict[str, object]:
    """Return a mesh report, with what the service would do with the file, as JSON."""
    return {
        **asdict(forecast.report),
        "outcome": forecast.outcome,
        "outcome_reason": forecast.reason,
        "assumed_path": forecast.path,
        "intake": _intake_document(forecast.intake) if forecast.intake else None,
    }


def forecast_lines(forecast: IntakeForecast) -> Iterator[str]:
    """Yield what the service would do with a file, as lines for people."""
    report, decision = forecast.report, forecast.intake
    yield f"{forecast.outcome:6}  {report.path}{_mesh_text(report)}"
    for line in (*report.defects, *report.warnings):
        yield f"        {line}"
    if decision is None:
        return
    would_be = describe_intake(decision)
    if report.verdict == "hold":
        would_be = f"after a release: {would_be}"
    yield f"        {would_be[0].upper()}{would_be[1:]} (rule '{decision.rule}')"


def _mesh_text(report: MeshReport) -> str:
    """Return the size, of a small part also in inches, and the numbers of facets and bodies, if known."""
    if not any(report.size_mm):
        return f"  {report.triangles:,} facets" if report.triangles else ""
    inches = report.size_if_inches_mm
    would_be = f" (if it was drawn in inches: {format_size(inches)})" if inches else ""
    bodies = f", {report.bodies:,} bodies" if (report.bodies or 0) > 1 else ""
    return f"  {format_size(report.size_mm)}{would_be}, {report.triangles:,} facets{bodies}"


def _intake_document(decision: IntakeDecision) -> dict[str, object]:
    return {
        "rule": decision.rule,
        "action": decision.action,
        "preset": decision.preset,
        "owner": decision.owner,
        "folder": decision.folder,
        "reason": decision.reason,
    }


def _routing_document(explanation: Explanation) -> dict[str, object]:
    route = explanation.routing
    return {
        "rule": route.rule if route else None,
        "send_to": route.destination.value if route and route.destination else None,
        "device": route.device if route else None,
        "copies": route.copies if route else None,
        "approve_first": route.approve_first if route else None,
        "due": route.due.isoformat() if route and route.due else None,
        "followed": route.is_followed if route and route.destination else None,
        "send_window": format_window(route.send_window) if route and route.send_window else None,
        "reason": route.reason if route else None,
        "reasons": list(route.reasons) if route else [],
        "open": [
            {"rule": rule.rule, "send_to": rule.send_to, "needs": list(rule.needs)}
            for rule in explanation.open_rules
        ],
    }


def decisions_document(decided: Mapping[str, DecisionRecord]) -> list[dict[str, object]]:
    """Return the decisions of a submission as JSON, in the order in which they are made."""
    return [
        {
            "stage": stage,
            "at": each.at.isoformat(),
            "revision": each.revision,
            "rule": each.rule,
            "passed": list(each.passed),
            "facts": dict(each.facts),
        }
        for stage, each in sorted(decided.items())
    ]


def decision_lines(decided: Mapping[str, DecisionRecord], zone: tzinfo | None) -> Iterator[str]:
    """Yield one line for each decision: when, by which rule of which revision."""
    for stage, each in sorted(decided.items()):
        released = f", released from {', '.join(each.passed)}" if each.passed else ""
        when = f"{each.at.astimezone(zone):%Y-%m-%d %H:%M %Z}"
        yield f"{stage} decided {when} by '{each.rule}' of rules {each.revision}{released}"


def past_document(past: PastDecision) -> dict[str, object]:
    """Return a past decision as JSON: the explanation, and by which rules."""
    return {
        "submission": past.submission.id,
        "path": past.submission.path,
        "state": past.submission.state.value,
        "decided": decisions_document(past.decided),
        "explained_by": past.revision,
        **explanation_document(past.explanation, past.submission.mesh),
    }


def past_lines(past: PastDecision, zone: tzinfo | None) -> Iterator[str]:
    """Yield a past decision as lines for people."""
    yield f"submission {past.submission.id}: {past.submission.path} is {past.submission.state}"
    yield from decision_lines(past.decided, zone)
    if past.decided and past.revision not in {each.revision for each in past.decided.values()}:
        yield f"By rules {past.revision} it would be:"
    yield from explanation_lines(past.explanation, past.submission.mesh)
    if not past.decided:
        yield f"These are rules {past.revision}; none of them decided on the file."


def replay_document(replayed: ReplayResult, rulebook: Rulebook) -> dict[str, object]:
    """Return the result of a replay as JSON."""
    return {
        "revision": rulebook.revision,
        "looked_at": replayed.looked_at,
        "elsewhere": [
            {
                "id": each.number,
                "path": each.path,
                "before": each.before,
                "after": each.after,
                "why": list(each.why),
            }
            for each in replayed.elsewhere
        ],
        "not_comparable": list(replayed.not_comparable),
    }


def replay_lines(replayed: ReplayResult, rulebook: Rulebook) -> Iterator[str]:
    """Yield the result of a replay as lines for people."""
    for each in replayed.elsewhere:
        yield f"{each.number}  {each.path}"
        yield f"    was:      {each.before}"
        yield f"    would be: {each.after}"
        yield from (f"    {why}" for why in each.why)
    count = len(replayed.elsewhere)
    yield f"{count} of {replayed.looked_at} would go elsewhere by rules {rulebook.revision}."
    if replayed.not_comparable:
        numbers = ", ".join(map(str, replayed.not_comparable))
        yield f"Not compared, for the rules that decided are not kept or can't be read: {numbers}."
