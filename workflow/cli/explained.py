"""What the rules say of a file, as a document for scripts and as lines for people."""

from collections.abc import Iterator
from pathlib import Path

import click

from workflow.cli.typed import did_you_mean
from workflow.model import FactValue, IntakeDecision, MeshReport
from workflow.pipeline.hindsight import intake_in_words, route_in_words
from workflow.routing import Explanation, Kind, fact_table, is_of_kind

BUILD = "build."


def path_under_inbox(file: Path, share: Path) -> str:
    """Give the path that rules see: under the inbox if the file lies in it, else from the current folder."""
    place = file.absolute()
    for base in ((share / "inbox").absolute(), Path.cwd()):
        if place.is_relative_to(base):
            return place.relative_to(base).as_posix()
    return place.name


def given_fact(given: str, *, build: bool = False) -> tuple[str, FactValue]:
    """Read `print_hours=2`. Raises BadParameter for an unknown fact, or a value of another kind."""
    key, equals, text = given.partition("=")
    prefix, hint = (BUILD, "--build") if build else ("", "--fact")
    name = key.strip() if key.strip().startswith(prefix) else prefix + key.strip()
    kinds = {fact.name: fact.kind for fact in fact_table() if fact.name.startswith(prefix)}
    if not equals or name not in kinds:
        known = ", ".join(sorted(fact.removeprefix(prefix) for fact in kinds))
        meant = did_you_mean(key.strip().removeprefix(prefix), [fact.removeprefix(prefix) for fact in kinds])
        raise click.BadParameter(f"'{given}' is not KEY=VALUE with a KEY of {known}.{meant}", param_hint=hint)
    try:
        return name, _read(text.strip(), kinds[name])
    except ValueError:
        raise click.BadParameter(f"'{text}' is no {kinds[name]}.", param_hint=hint) from None


def as_document(explanation: Explanation, report: MeshReport | None) -> dict[str, object]:
    """Give the document that scripts rely on."""
    return {
        "mesh": {"verdict": report.verdict, "reason": report.reason} if report else None,
        "intake": _intake(explanation.intake),
        "routing": _routing(explanation),
        "considered": [
            {"rule": rule.rule, "matched": rule.matched, "why_not": rule.why_not}
            for rule in explanation.considered
        ],
        "gaps": list(explanation.gaps),
    }


def as_lines(explanation: Explanation, report: MeshReport | None) -> Iterator[str]:
    """Give the same for people."""
    if report is not None and report.verdict == "reject":
        yield f"The mesh is rejected before any rule: {report.reason}"
        yield "If it were accepted:"
    for title, considered in (("intake", explanation.intake_rules), ("routing", explanation.routing_rules)):
        yield f"{title}:"
        for rule in considered:
            yield f"  {'✓' if rule.matched else '·'} {rule.rule}{f': {rule.why_not}' if rule.why_not else ''}"
    yield f"intake → {intake_in_words(explanation.intake)} (rule '{explanation.intake.rule}')"
    if explanation.routing is not None:
        yield f"routing → {route_in_words(explanation.routing)} (rule '{explanation.routing.rule}')"
        yield from (f"  {reason}" for reason in explanation.routing.reasons)
    for still_open in explanation.open_rules:
        needs = f" if {' and '.join(still_open.conditions)}" if still_open.conditions else " otherwise"
        yield f"routing → still open: {still_open.rule}: {still_open.send_to or 'hold'}{needs}"
    yield from explanation.gaps


def _intake(decision: IntakeDecision) -> dict[str, object]:
    return {
        "rule": decision.rule,
        "action": decision.action,
        "preset": decision.preset,
        "owner": decision.owner,
        "folder": decision.folder,
        "reason": decision.reason,
    }


def _routing(explanation: Explanation) -> dict[str, object]:
    route = explanation.routing
    return {
        "rule": route.rule if route else None,
        "send_to": route.destination.value if route and route.destination else None,
        "device": route.device if route else None,
        "copies": route.copies if route else None,
        "approve_first": route.approve_first if route else None,
        "due": route.due.isoformat() if route and route.due else None,
        "reason": route.reason if route else None,
        "reasons": list(route.reasons) if route else [],
        "open": [
            {"rule": rule.rule, "send_to": rule.send_to, "needs": list(rule.needs)}
            for rule in explanation.open_rules
        ],
    }


def _read(text: str, kind: Kind) -> FactValue:
    match kind:
        case Kind.FLAG:
            if text.casefold() not in {"true", "false"}:
                raise ValueError(text)
            return text.casefold() == "true"
        case Kind.COUNT:
            return int(text)
        case Kind.NUMBER:
            return float(text)
        case Kind.TIME | Kind.WEEKDAY if not is_of_kind(text, kind):
            raise ValueError(text)
    return text
