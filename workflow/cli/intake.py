"""The inbox: what would happen to a file, and what a person has to confirm."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from workflow.cli.output import json_option, print_json, user_name
from workflow.errors import format_count


@click.group()
def intake() -> None:
    """Ask about the inbox; accept files that wait for a person."""


@intake.command()
@click.argument("names", nargs=-1, required=True)
@json_option
def explain(names: tuple[str, ...], as_json: bool) -> None:
    """Print what happens to files of these names, and why.

    Nothing is changed. A name is a path below the inbox, or a file in it.
    """
    from workflow.inbox_files import explain_inbox_file
    from workflow.settings import load_settings

    explained = [explain_inbox_file(load_settings(), Path(name)) for name in names]
    if as_json:
        print_json([asdict(each) for each in explained])
        return
    for each in explained:
        click.echo(f"{each.path}: {each.becomes}")
        click.echo(f"    {each.pattern}  {each.why}")
        if each.seen is not None:
            click.echo(f"    now: {each.seen}")


@intake.command()
def accept() -> None:
    """Accept the files that wait because many came at once."""
    from workflow.assembly import open_ledger
    from workflow.pipeline.decider import Decider
    from workflow.pipeline.mass_arrival import accept_mass_arrival
    from workflow.settings import load_settings

    settings = load_settings()
    ledger = open_ledger(settings)
    count = accept_mass_arrival(ledger, ledger.mass_arrival.list_waiting(), Decider(user_name()))
    if count == 0:
        click.echo("No file waits to be accepted.")
    else:
        click.echo(f"Accepted: {format_count(count, 'file')}, taken {_when_applied(settings, ledger)}.")


@intake.command()
@json_option
def adopt(as_json: bool) -> None:
    """Take over files in processing/ whose database is lost.

    Another stlflow has claimed them and will never finish. Eiger is asked about each file: one that may have
    been sent is held, and the others go back to the inbox.
    """
    from workflow.operations import adopt_orphans
    from workflow.settings import load_settings

    adopted = list(adopt_orphans(load_settings()))
    if as_json:
        print_json([asdict(each) for each in adopted])
        return
    for each in adopted:
        click.echo(f"{each.path}: {each.placed_as}")
        if each.held_because is not None:
            click.echo(f"    held: {each.held_because}")
    if not adopted:
        click.echo("processing/ holds no files of another stlflow.")


@intake.command()
def mark() -> None:
    """Mark the share's folder as the right one.

    It gets the marker that stlflow checks.
    """
    from workflow.assembly import open_ledger
    from workflow.operations import mark_share
    from workflow.settings import load_settings

    settings = load_settings()
    same = mark_share(settings)
    when = _when_applied(settings, open_ledger(settings)) if same else "once `stlflow run` is started again"
    click.echo(f"{settings.share.absolute()} is the share from now on: it is scanned {when}.")


def _when_applied(settings: Any, ledger: Any) -> str:
    from workflow.assembly import is_at_work

    return "at the next scan" if is_at_work(settings, ledger) else "as soon as `stlflow run` is started"
