"""`stlflow eiger print-jobs`.

`stlflow eiger backlog` and `job-requests`: builds that wait until a person prints them.

`stlflow eiger printed-parts`.
"""

from datetime import date, datetime

import click

from workflow.cli.eiger.client import open_client
from workflow.cli.eiger.lists import make_list_command
from workflow.cli.eiger.output import json_values, plain_values, print_many, print_one
from workflow.cli.eiger.resolve import resolve_build_id, resolve_device_id, resolve_print_job_id
from workflow.cli.output import json_option, print_json
from workflow.eiger import EigerClient

PRINT_JOB_COLUMNS = {
    "build": "build.title",
    "state": "state",
    "device": "device.name",
    "created": "created_at",
    "started": "started_at",
    "ended": "ended_at",
    "id": "id",
}


@click.group("print-jobs")
def print_jobs() -> None:
    """Builds that were sent somewhere. `Printing` may be months old here: ask the device."""


print_jobs.add_command(
    make_list_command(
        EigerClient.list_print_jobs,
        "Show print jobs, newest first.\n\n--build and --device take a name or an id.",
        PRINT_JOB_COLUMNS,
        {"build": resolve_build_id, "device": resolve_device_id},
    )
)


@print_jobs.command("show")
@click.argument("print_job")
@json_option
def show_print_job(print_job: str, as_json: bool) -> None:
    """Show PRINT_JOB (its id) with its build and device."""
    with open_client() as client:
        print_one(client.read_print_job(resolve_print_job_id(client, print_job)), as_json=as_json)


@print_jobs.command("scan-report")
@click.argument("print_job")
@json_option
def show_scan_reports(print_job: str, as_json: bool) -> None:
    """Show where the scan reports of PRINT_JOB are.

    One for each part; no link: not made yet.
    """
    with open_client() as client:
        reports = client.get_print_job_part_scan_report(resolve_print_job_id(client, print_job))
    print_many(
        reports, {"printed part": "printed_part_id", "scan report": "scan_report_url"}, as_json=as_json
    )


due_option = click.option(
    "--due", type=click.DateTime(["%Y-%m-%d"]), metavar="YYYY-MM-DD", help="The day it is needed."
)


@click.group()
def backlog() -> None:
    """Builds that wait in the backlog."""


@backlog.command("add")
@click.argument("build")
@due_option
@json_option
def add_to_backlog(build: str, due: datetime | None, as_json: bool) -> None:
    """Put BUILD into the backlog; shows the print job that was made."""
    with open_client() as client:
        made = client.send_build_to_backlog(resolve_build_id(client, build), _due_date(due))
        print_one(made, as_json=as_json)


@click.group("job-requests")
def job_requests() -> None:
    """Builds that somebody asked to be printed."""


@job_requests.command("add")
@click.argument("build")
@due_option
@json_option
def add_job_request(build: str, due: datetime | None, as_json: bool) -> None:
    """Ask for BUILD to be printed; shows the print job that was made."""
    with open_client() as client:
        made = client.send_build_to_job_request_queue(resolve_build_id(client, build), _due_date(due))
        print_one(made, as_json=as_json)


@job_requests.command("remove")
@click.argument("build")
def remove_job_request(build: str) -> None:
    """Take BUILD out of the job requests."""
    with open_client() as client:
        wanted = resolve_build_id(client, build)
        client.remove_build_from_job_request_queue(wanted)
    click.echo(f"Build {wanted} is no job request any more.")


def _due_date(due: datetime | None) -> date | None:
    return due.date() if due else None


PRINTED_PART_COLUMNS = {
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
    make_list_command(
        EigerClient.list_printed_parts, "Show printed parts, the latest first.", PRINTED_PART_COLUMNS
    )
)


@printed_parts.command("show")
@click.argument("printed_part")
@json_option
def show_printed_part(printed_part: str, as_json: bool) -> None:
    """Show PRINTED_PART (its id)."""
    with open_client() as client:
        print_one(client.read_printed_part(printed_part), as_json=as_json)


@printed_parts.command("scan-report")
@click.argument("printed_part")
@json_option
def printed_part_scan_report(printed_part: str, as_json: bool) -> None:
    """Ask for the scan report of PRINTED_PART.

    It is made because somebody asks, so ask again later.
    """
    with open_client() as client:
        report = client.get_printed_part_scan_report(printed_part)
    if as_json:
        print_json(json_values(plain_values(report)))
    elif report.scan_report_url is None:
        click.echo("Not made yet: asked for now. Ask again in a minute.")
    else:
        click.echo(report.scan_report_url.get_secret_value())
