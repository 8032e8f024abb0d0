"""`stlflow eiger backlog` and `job-requests`: builds that wait until a person prints them."""

from datetime import date, datetime

import click

from workflow.cli.eiger_cloud import cloud
from workflow.cli.eiger_names import build_id
from workflow.cli.eiger_tables import print_one
from workflow.cli.output import as_json

due_option = click.option(
    "--due", type=click.DateTime(["%Y-%m-%d"]), metavar="YYYY-MM-DD", help="The day it is needed."
)


@click.group()
def backlog() -> None:
    """Builds that wait in the backlog."""


@backlog.command("add")
@click.argument("build")
@due_option
@as_json
def backlog_add(build: str, due: datetime | None, as_json: bool) -> None:
    """Put BUILD into the backlog; shows the print job that was made."""
    with cloud() as client:
        made = client.send_build_to_backlog(build_id(client, build), _day(due))
        print_one(made, as_json=as_json)


@click.group("job-requests")
def job_requests() -> None:
    """Builds that somebody asked to be printed."""


@job_requests.command("add")
@click.argument("build")
@due_option
@as_json
def job_requests_add(build: str, due: datetime | None, as_json: bool) -> None:
    """Ask for BUILD to be printed; shows the print job that was made."""
    with cloud() as client:
        made = client.send_build_to_job_request_queue(build_id(client, build), _day(due))
        print_one(made, as_json=as_json)


@job_requests.command("remove")
@click.argument("build")
def job_requests_remove(build: str) -> None:
    """Take BUILD out of the job requests."""
    with cloud() as client:
        wanted = build_id(client, build)
        client.remove_build_from_job_request_queue(wanted)
    click.echo(f"Build {wanted} is no job request any more.")


def _day(due: datetime | None) -> date | None:
    return due.date() if due else None
