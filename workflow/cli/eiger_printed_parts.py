"""`stlflow eiger printed-parts`."""

import click

from workflow.cli.eiger_cloud import cloud
from workflow.cli.eiger_lists import list_command
from workflow.cli.eiger_tables import content, document, print_one
from workflow.cli.output import as_json, print_json
from workflow.eiger import EigerClient

COLUMNS = {
    "build": "print_job.build.title",
    "state": "state",
    "printed": "printed_at",
    "notes": "notes",
    "id": "id",
}


@click.group("printed-parts")
def printed_parts() -> None:
    """Single parts that came out of print jobs."""


printed_parts.add_command(
    list_command(EigerClient.list_printed_parts, "Show printed parts, the latest first.", COLUMNS)
)


@printed_parts.command("show")
@click.argument("printed_part")
@as_json
def show(printed_part: str, as_json: bool) -> None:
    """Show PRINTED_PART (its id)."""
    with cloud() as client:
        print_one(client.read_printed_part(printed_part), as_json=as_json)


@printed_parts.command("scan-report")
@click.argument("printed_part")
@as_json
def scan_report(printed_part: str, as_json: bool) -> None:
    """Ask for the scan report of PRINTED_PART.

    It is made because somebody asks, so ask again later.
    """
    with cloud() as client:
        report = client.get_printed_part_scan_report(printed_part)
    if as_json:
        print_json(document(content(report)))
    elif report.scan_report_url is None:
        click.echo("Not made yet: asked for now. Ask again in a minute.")
    else:
        click.echo(report.scan_report_url.get_secret_value())
