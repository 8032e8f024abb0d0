"""`stlflow eiger print-jobs`, `printed-parts`, `backlog`, `job-requests` and `users`."""

from collections.abc import Callable
from datetime import date, datetime

import click
from pydantic import BaseModel

from workflow.cli.eiger.client import add_verb, as_typed, make_list_command, open_client, operation_of
from workflow.cli.eiger.output import Output, json_values, output_options, plain_values, print_one, report
from workflow.cli.eiger.resolve import resolve_build_id, resolve_device_id, resolve_print_job_id
from workflow.eiger import EigerClient, operations

PRINT_JOB_COLUMNS = {
    "build": "build.title",
    "state": "state",
    "device": "device.name",
    "created": "created_at",
    "started": "started_at",
    "ended": "ended_at",
    "id": "id",
}
PRINTED_PART_COLUMNS = {
    "build": "print_job.build.title",
    "state": "state",
    "printed": "printed_at",
    "notes": "notes",
    "id": "id",
}


@click.group("print-jobs")
def print_jobs() -> None:
    """Builds that were sent somewhere. `Printing` can be months old here: ask the device."""


@click.group("printed-parts")
def printed_parts() -> None:
    """Single parts that came out of print jobs."""


@click.group()
def backlog() -> None:
    """Builds that wait in the backlog."""


@click.group("job-requests")
def job_requests() -> None:
    """Builds that someone asked to be printed."""


@click.group()
def users() -> None:
    """The people of the organization.

    Rules may call them by name, email or id.
    """


GROUPS = (print_jobs, printed_parts, backlog, job_requests, users)

print_jobs.add_command(
    make_list_command(
        EigerClient.list_print_jobs,
        "Show print jobs, newest first.\n\n--build and --device take a name or an id.",
        PRINT_JOB_COLUMNS,
        build=resolve_build_id,
        device=resolve_device_id,
    )
)
add_verb(
    print_jobs,
    "show",
    EigerClient.read_print_job,
    "Show PRINT_JOB (its id) with its build and device.",
    print_job=resolve_print_job_id,
)
add_verb(
    print_jobs,
    "scan-report",
    EigerClient.get_print_job_part_scan_report,
    "Show links to the scan reports of PRINT_JOB, one per part.\n\nA report without a link is not made yet.",
    {"printed part": "printed_part_id", "scan report": "scan_report_url"},
    print_job=resolve_print_job_id,
)
printed_parts.add_command(
    make_list_command(
        EigerClient.list_printed_parts, "Show printed parts, the latest first.", PRINTED_PART_COLUMNS
    )
)
add_verb(
    printed_parts, "show", EigerClient.read_printed_part, "Show PRINTED_PART (its id).", printed_part=as_typed
)
users.add_command(
    make_list_command(
        EigerClient.list_users,
        "Show the users of the organization.",
        {"name": "name", "email": "email", "id": "id"},
    )
)


@printed_parts.command("scan-report")
@click.argument("printed_part")
@output_options
def printed_part_scan_report(printed_part: str, output: Output) -> None:
    """Request the scan report of PRINTED_PART, or show it.

    Eiger makes a report only on request: ask again later.
    """
    with open_client(output, operations.GET_PRINTED_PART_SCAN_REPORT) as client:
        found = client.get_printed_part_scan_report(printed_part)
    link = found.scan_report_url
    text = (
        "Not made yet, and requested now. Ask again in a minute." if link is None else link.get_secret_value()
    )
    report(json_values(plain_values(found)), text, output)


def _add_send_command(group: click.Group, call: Callable[..., BaseModel], says: str) -> None:
    @group.command("add", help=says)
    @click.argument("build")
    @click.option(
        "--due", type=click.DateTime(["%Y-%m-%d"]), metavar="YYYY-MM-DD", help="The day it is needed."
    )
    @output_options
    def send_build(build: str, due: datetime | None, output: Output) -> None:
        wanted: date | None = due.date() if due else None
        with open_client(output, operation_of(call)) as client:
            print_one(call(client, resolve_build_id(client, build), wanted), output)


_add_send_command(
    backlog,
    EigerClient.send_build_to_backlog,
    "Put BUILD into the backlog; shows the print job that was made.",
)
_add_send_command(
    job_requests,
    EigerClient.send_build_to_job_request_queue,
    "Request that BUILD is printed; shows the print job that was made.",
)


@job_requests.command("remove")
@click.argument("build")
@output_options
def remove_job_request(build: str, output: Output) -> None:
    """Remove BUILD from the job requests."""
    with open_client(output, operations.REMOVE_BUILD_FROM_JOB_REQUEST_QUEUE) as client:
        build_id = resolve_build_id(client, build)
        client.remove_build_from_job_request_queue(build_id)
    report({"removed": build_id}, f"Build {build_id} is no longer in the job requests.", output)
