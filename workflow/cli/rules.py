"""Tools for the owners of rules."""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click

from workflow.cli.output import json_option, print_json
from workflow.cli.param_types import FORMS, MomentText, find_submission_number, parse_moment
from workflow.errors import EXIT_OK, EXIT_SOME_FAILED, format_count

FILE_TYPE = click.Path(path_type=Path)
STL_FILE_TYPE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def rules() -> None:
    """Check rules files, and ask what they would do."""


@rules.command("check")
@click.argument("file", type=FILE_TYPE, required=False)
@click.option("--online", is_flag=True, help="Also ask Eiger for the presets, devices and users named.")
def check_rules(file: Path | None, online: bool) -> int:
    """Print each mistake in a rules file, with its line and advice."""
    from workflow.assembly import rules_file
    from workflow.operations import check_names_online
    from workflow.routing import doubt_unknown_names, load_rules
    from workflow.settings import load_settings

    settings = load_settings()
    source = file or rules_file(settings)
    rulebook = load_rules(source)
    doubts = check_names_online(settings, rulebook) if online else doubt_unknown_names(rulebook)
    for warning in (*rulebook.warnings, *doubts):
        click.echo(f"{warning}", err=True)
    intake, routing = len(rulebook.intake), len(rulebook.routing)
    counts = f"{format_count(intake, 'intake rule')}, {format_count(routing, 'routing rule')}"
    click.echo(f"{source}: {counts}, no mistakes.")
    return EXIT_OK


@rules.command("test")
@click.argument("file", type=FILE_TYPE, required=False)
def run_rule_tests(file: Path | None) -> int:
    """Run the tests in a rules file; exit code 1 when one fails.

    A failed test shows which rule decided, why, and which facts it took from the defaults.
    """
    from workflow.assembly import rules_file
    from workflow.operations import run_rule_tests
    from workflow.routing import load_rules
    from workflow.settings import load_settings

    settings = load_settings()
    source = file or rules_file(settings)
    outcomes = run_rule_tests(settings, load_rules(source))
    for outcome in outcomes:
        click.echo(f"{'ok    ' if outcome.passed else 'wrong '} {source.name}:{outcome.line}  {outcome.name}")
        for difference in outcome.differences:
            click.echo(f"        {difference}")
        for reason in outcome.why:
            click.echo(f"          {reason}")
    click.echo(f"{sum(outcome.passed for outcome in outcomes)} of {len(outcomes)} as expected.")
    return EXIT_OK if all(outcome.passed for outcome in outcomes) else EXIT_SOME_FAILED


@rules.command("schema")
def print_schema() -> int:
    """Print the JSON Schema of rules files, for editors."""
    from workflow.routing.json_schema import rules_json_schema

    print_json(rules_json_schema())
    return EXIT_OK


@rules.command("explain")
@click.argument("subject", metavar="FILE|FOLDER|ID")
@click.option("--rules", "rules_path", type=FILE_TYPE, help="Another rules file than the one set.")
@click.option("--as", "shown_as", help="The path under the inbox to assume, such as rush/x.stl.")
@click.option(
    "--build", "build_facts", multiple=True, metavar="KEY=VALUE", help="A fact of the build; may repeat."
)
@click.option(
    "--fact", "facts", multiple=True, metavar="KEY=VALUE", help="Any fact, such as time=22:00; may repeat."
)
@click.option("--online", is_flag=True, help="Ask Eiger for its devices, so that one can be chosen.")
@json_option
def explain_subject(
    subject: str,
    rules_path: Path | None,
    shown_as: str | None,
    build_facts: tuple[str, ...],
    facts: tuple[str, ...],
    online: bool,
    as_json: bool,
) -> int:
    """Say what the rules do with a file, a folder, a submission.

    Every rule, and why it did not match. Without facts of a build (such as --build print_hours=2) the
    answer says which routing rules are still open. A submission is explained by the rules that decided,
    unless others are named.
    """
    number = find_submission_number(subject)
    if number is not None and not Path(subject).exists():
        if shown_as or build_facts or facts or online:
            raise click.UsageError("--as, --build, --fact and --online are for a file, not for a submission.")
        return _explain_submission(number, rules_path, as_json=as_json)
    if Path(subject).is_dir():
        if shown_as:
            raise click.UsageError("--as is for one file. For a folder, leave it out.")
        return _explain_folder(Path(subject), rules_path, build_facts, facts, online=online, as_json=as_json)
    file = STL_FILE_TYPE.convert(subject, None, None)
    from workflow.assembly import rules_file
    from workflow.cli.rules_output import (
        explanation_document,
        explanation_lines,
        parse_facts,
        path_under_inbox,
    )
    from workflow.operations import collect_file_facts, fetch_device_facts
    from workflow.routing import explain as explain_rules
    from workflow.routing import load_rules
    from workflow.settings import load_settings

    settings = load_settings()
    rulebook = load_rules(rules_path or rules_file(settings))
    path = shown_as or path_under_inbox(file, settings.inbox)
    report, known = collect_file_facts(settings, rulebook, file, path)
    given = parse_facts(build_facts, facts)
    devices = fetch_device_facts(settings) if online else None
    today = datetime.now(settings.zone).date()
    explanation = explain_rules(rulebook, {**known, **dict(given)}, devices, today=today)
    if as_json:
        print_json(explanation_document(explanation, report))
    else:
        for line in explanation_lines(explanation, report):
            click.echo(line)
    return EXIT_OK


def _explain_folder(
    folder: Path,
    rules_path: Path | None,
    build_facts: tuple[str, ...],
    facts: tuple[str, ...],
    *,
    online: bool,
    as_json: bool,
) -> int:
    """Print one row for each part file in a folder."""
    from workflow.assembly import rules_file
    from workflow.cli.forecasts import forecast_folder, print_forecasts
    from workflow.cli.rules_output import parse_facts
    from workflow.operations import fetch_device_facts
    from workflow.routing import load_rules
    from workflow.settings import load_settings

    settings = load_settings()
    rulebook = load_rules(rules_path or rules_file(settings))
    devices = fetch_device_facts(settings) if online else None
    given = parse_facts(build_facts, facts)
    print_forecasts(forecast_folder(settings, rulebook, folder, devices, given), as_json=as_json)
    return EXIT_OK


def _explain_submission(number: int, rules_path: Path | None, *, as_json: bool) -> int:
    from workflow.assembly import open_ledger, rules_file
    from workflow.cli.rules_output import past_document, past_lines
    from workflow.pipeline.replay import explain_past_decision
    from workflow.routing import load_rules
    from workflow.settings import load_settings

    settings = load_settings()
    other = load_rules(rules_path) if rules_path is not None else None
    in_force = partial(load_rules, rules_file(settings))
    past = explain_past_decision(open_ledger(settings), number, other, settings.zone, in_force)
    if as_json:
        print_json(past_document(past))
    else:
        for line in past_lines(past, settings.zone):
            click.echo(line)
    return EXIT_OK


@rules.command("replay")
@click.option(
    "--rules", "rules_path", type=FILE_TYPE, help="The rules to try; default: the file that is set."
)
@click.option(
    "--since", type=MomentText(), metavar="TIME", help=f"Only what was decided since then: {FORMS}."
)
@json_option
def replay_rules(rules_path: Path | None, since: str | None, as_json: bool) -> int:
    """Send past submissions through other rules.

    It says which would go elsewhere, and why. Nothing is changed, and Eiger is not asked: each is decided
    again on the facts that decided then.
    """
    from workflow.assembly import open_ledger, rules_file
    from workflow.cli.rules_output import replay_document, replay_lines
    from workflow.pipeline.replay import replay_rules as replay_past
    from workflow.routing import load_rules
    from workflow.settings import load_settings

    settings = load_settings()
    rulebook = load_rules(rules_path or rules_file(settings))
    begin = None if since is None else parse_moment(since, datetime.now(UTC), settings.zone)
    replayed = replay_past(open_ledger(settings), rulebook, begin, settings.zone)
    if as_json:
        print_json(replay_document(replayed, rulebook))
    else:
        for line in replay_lines(replayed, rulebook):
            click.echo(line)
    return EXIT_OK
