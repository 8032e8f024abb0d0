"""The rules file: its mistakes, its own tests, and what it counts on in the settings."""

from collections.abc import Iterator
from datetime import datetime

from workflow.assembly import make_inspector, rules_file
from workflow.doctor.finding import Check, Finding, fail, ok, warn
from workflow.errors import EXIT_USAGE, Mistake, RulesError
from workflow.model import Destination
from workflow.pipeline.check_rules import evaluate_tests_with_files
from workflow.routing import Rulebook, doubt_unknown_names, load_rules
from workflow.routing.rulebook import SendAction
from workflow.settings import Settings

SKIPPED_NO_RULES = "Not looked at, because of rules."


def check_rules_readable(settings: Settings) -> Iterator[Finding]:
    """Read the rules file as the service does."""
    try:
        rulebook = load_rules(rules_file(settings))
    except RulesError as error:
        for mistake in error.mistakes:
            yield mistake_finding(mistake)
        return
    counts = f"{len(rulebook.intake)} intake and {len(rulebook.routing)} routing rules"
    shipped = (
        "" if settings.rules is not None else " These are the rules that ship; STLFLOW_RULES is not set."
    )
    yield ok(f"{rulebook.source}: {counts}, no mistakes.{shipped}")


def check_rule_warnings(settings: Settings) -> Iterator[Finding]:
    """Warn about rules that work but are probably not meant."""
    rulebook = load_rules(rules_file(settings))
    warnings = (*rulebook.warnings, *doubt_unknown_names(rulebook))
    for mistake in warnings:
        yield warn(_mistake_location(mistake), _mistake_fix(mistake))
    with make_inspector(settings) as inspector:
        failed = [trial for trial in evaluate_tests_with_files(rulebook, inspector) if not trial.passed]
    for trial in failed:
        yield warn(
            f"{rulebook.source}:{trial.line}: the test '{trial.name}' comes out otherwise.",
            "`stlflow rules test` shows the difference: correct the rule or the test.",
        )
    if not warnings and not failed:
        yield ok(f"{len(rulebook.tests)} tests of the rules come out as expected.")


def check_print_now(settings: Settings) -> Iterator[Finding]:
    """Check whether rules may start machines, and whether the settings allow it."""
    starting = [name for name, send in send_actions(load_rules(rules_file(settings))) if _prints_now(send)]
    if starting and not settings.print_now_armed:
        yield warn(
            f"Not armed, so builds are held that a rule prints at once: {', '.join(starting)}.",
            "Set STLFLOW_PRINT_NOW_ARMED=true where machines may start by themselves, or change the rule.",
        )
    elif starting:
        yield ok(f"Armed: machines start by the rules {', '.join(starting)}.")
    else:
        yield ok("No rule starts a machine.")


def check_time_zone(settings: Settings) -> Iterator[Finding]:
    """Check the time zone of due dates and times of day."""
    here = datetime.now(settings.zone).astimezone(settings.zone)
    shown = f"{here:%Y-%m-%d %H:%M} {here.tzname()}"
    due = [name for name, send in send_actions(load_rules(rules_file(settings))) if send.due is not None]
    if settings.timezone is not None:
        yield ok(f"The shop's time is {shown} ({settings.timezone}).")
    elif here.tzname() == "UTC" and due:
        yield warn(
            f"Due dates are reckoned in UTC, as this machine's clock is set ({shown}).",
            "Set STLFLOW_TIMEZONE to the shop's zone, such as Europe/Vienna.",
        )
    else:
        yield ok(f"The shop's time is this machine's: {shown}.")


def mistake_finding(mistake: Mistake) -> Finding:
    """Return the finding for a mistake in the rules file."""
    return fail(_mistake_location(mistake), _mistake_fix(mistake), EXIT_USAGE)


def _mistake_location(mistake: Mistake) -> str:
    return f"{mistake.file}:{mistake.line}:{mistake.column}: {mistake.message}."


def _mistake_fix(mistake: Mistake) -> str:
    hint = mistake.hint or "correct it in the rules file"
    return f"{hint[:1].upper()}{hint[1:]}{'' if hint.endswith(('?', '.')) else '.'}"


def load_rules_or_none(settings: Settings) -> Rulebook | None:
    """Return the rules; None where they can't be read, which `readable` tells."""
    try:
        return load_rules(rules_file(settings))
    except RulesError:
        return None


def send_actions(rulebook: Rulebook) -> Iterator[tuple[str, SendAction]]:
    """Return every routing rule that sends, by its name."""
    return ((rule.name, rule.action) for rule in rulebook.routing if isinstance(rule.action, SendAction))


def _prints_now(send: SendAction) -> bool:
    return Destination.PRINT_NOW in {send.destination, send.otherwise}


def rules_checks(settings: Settings) -> tuple[Check, ...]:
    """Return the checks of the rules file, without the names that only Eiger knows."""
    return (
        Check("rules", "every mistake in the rules file", lambda: check_rules_readable(settings), gate=True),
        Check(
            "rules.doubts",
            "rules that can't match; the rules' own tests",
            lambda: check_rule_warnings(settings),
        ),
        Check(
            "rules.starts",
            "rules that print at once, and whether that is armed",
            lambda: check_print_now(settings),
        ),
        Check("rules.timezone", "by which clock due dates are reckoned", lambda: check_time_zone(settings)),
    )
