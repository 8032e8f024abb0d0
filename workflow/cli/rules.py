"""Tools for the owners of rules."""

from datetime import date
from pathlib import Path

import click

from workflow.cli.output import as_json, print_json
from workflow.errors import EXIT_OK, EXIT_SOME_FAILED

FILE = click.Path(path_type=Path)
STL = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def rules() -> None:
    """Check rules files, and ask what they would do."""


@rules.command("check")
@click.argument("file", type=FILE, required=False)
@click.option("--online", is_flag=True, help="Also ask Eiger for the presets, devices and users named.")
def check(file: Path | None, online: bool) -> int:
    """Find every mistake in a rules file: line, column, and what may have been meant."""
    from workflow.assembly import check_online, rules_file
    from workflow.routing import load_rules
    from workflow.settings import load_settings

    settings = load_settings()
    source = file or rules_file(settings)
    rulebook = load_rules(source)
    if online:
        check_online(settings, rulebook)
    for warning in rulebook.warnings:
        click.echo(f"{warning}", err=True)
    counts = f"{len(rulebook.intake)} intake and {len(rulebook.routing)} routing rules"
    click.echo(f"{source}: {counts}, no mistakes.")
    return EXIT_OK


@rules.command("test")
@click.argument("file", type=FILE, required=False)
def test(file: Path | None) -> int:
    """Run the tests that stand in a rules file; exit code 1 when one comes out otherwise."""
    from workflow.assembly import rules_file
    from workflow.routing import load_rules, run_tests
    from workflow.settings import load_settings

    source = file or rules_file(load_settings())
    outcomes = run_tests(load_rules(source))
    for outcome in outcomes:
        click.echo(f"{'ok    ' if outcome.passed else 'wrong '} {source.name}:{outcome.line}  {outcome.name}")
        for difference in outcome.differences:
            click.echo(f"        {difference}")
    click.echo(f"{sum(outcome.passed for outcome in outcomes)} of {len(outcomes)} as expected.")
    return EXIT_OK if all(outcome.passed for outcome in outcomes) else EXIT_SOME_FAILED


@rules.command("schema")
def schema() -> int:
    """Print the JSON Schema of rules files, for editors that complete and check YAML."""
    from workflow.routing import json_schema

    print_json(json_schema())
    return EXIT_OK


@rules.command("explain")
@click.argument("file", type=STL)
@click.option("--rules", "rules_path", type=FILE, help="Another rules file than the one set.")
@click.option("--as", "shown_as", help="The path under the inbox to assume, such as rush/x.stl.")
@click.option(
    "--build", "build_facts", multiple=True, metavar="KEY=VALUE", help="A fact of the build; may repeat."
)
@click.option("--online", is_flag=True, help="Ask Eiger for its devices, so that one can be chosen.")
@as_json
def explain(
    file: Path,
    rules_path: Path | None,
    shown_as: str | None,
    build_facts: tuple[str, ...],
    online: bool,
    as_json: bool,
) -> int:
    """Say what the rules would do with FILE: every rule in order, and why each did not match.

    Without facts of a build (such as --build print_hours=2) the answer says which routing rules are
    still open.
    """
    from workflow.assembly import device_facts_now, make_inspector, rules_file
    from workflow.cli.explained import as_document, as_lines, build_fact, path_under_inbox
    from workflow.pipeline.facts import facts_of_file
    from workflow.routing import explain as explain_rules
    from workflow.routing import load_rules
    from workflow.settings import load_settings

    settings = load_settings()
    rulebook = load_rules(rules_path or rules_file(settings))
    path = shown_as or path_under_inbox(file, settings.share)
    with make_inspector(settings) as inspector:
        report, facts = facts_of_file(file, path, inspector)
    facts = {**facts, **dict(build_fact(given) for given in build_facts)}
    devices = device_facts_now(settings) if online else None
    explanation = explain_rules(rulebook, facts, devices, today=date.today())
    if as_json:
        print_json(as_document(explanation, report))
    else:
        for line in as_lines(explanation, report):
            click.echo(line)
    return EXIT_OK
