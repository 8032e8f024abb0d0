"""`stlflow eiger print-jobs`."""

import click

from workflow.cli.eiger_cloud import cloud
from workflow.cli.eiger_lists import list_command
from workflow.cli.eiger_names import build_id, device_id, print_job_id
from workflow.cli.eiger_tables import print_many, print_one
from workflow.cli.output import as_json
from workflow.eiger import EigerClient

COLUMNS = {
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
    list_command(
        EigerClient.list_print_jobs,
        "Show print jobs, newest first.\n\n--build and --device take a name or an id.",
        COLUMNS,
        {"build": build_id, "device": device_id},
    )
)


@print_jobs.command("show")
@click.argument("print_job")
@as_json
def show(print_job: str, as_json: bool) -> None:
    """Show PRINT_JOB (its id) with its build and device."""
    with cloud() as client:
        print_one(client.read_print_job(print_job_id(client, print_job)), as_json=as_json)


@print_jobs.command("scan-report")
@click.argument("print_job")
@as_json
def scan_report(print_job: str, as_json: bool) -> None:
    """Show where the scan reports of PRINT_JOB are.

    One for each part; no link: not made yet.
    """
    with cloud() as client:
        reports = client.get_print_job_part_scan_report(print_job_id(client, print_job))
    print_many(
        reports, {"printed part": "printed_part_id", "scan report": "scan_report_url"}, as_json=as_json
    )
