"""Tools for the owners of rules."""

from pathlib import Path

import click

from workflow.errors import EXIT_OK


@click.group()
def rules() -> None:
    """Check rules files, and ask what they would do."""


@rules.command("check")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option(
    "--online", is_flag=True, help="Also ask Eiger for the presets, devices and users that are named."
)
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
    click.echo(
        f"{source}: {len(rulebook.intake)} intake and {len(rulebook.routing)} routing rules, no mistakes."
    )
    return EXIT_OK
