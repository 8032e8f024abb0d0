"""`stlflow eiger builds`."""

import click

from workflow.cli.eiger.client import confirm_consequence, open_client, yes_option
from workflow.cli.eiger.lists import make_list_command
from workflow.cli.eiger.output import Output, json_values, output_options, plain_values, print_many, report
from workflow.cli.eiger.resolve import resolve_build_id
from workflow.cli.eiger.verbs import add_verb
from workflow.eiger import EigerClient, add_approvals, operations
from workflow.errors import EXIT_OK, EXIT_SOME_FAILED

BUILD_COLUMNS = {
    "title": "title",
    "series": "device_series",
    "material": "primary_material",
    "fiber": "secondary_material",
    "parts": "part_count",
    "seconds": "estimated_print_seconds",
    "approved": "approved",
    "created": "created_at",
    "id": "id",
}


@click.group()
def builds() -> None:
    """Sliced, printable results, which can be sent somewhere."""


GROUPS = (builds,)

builds.add_command(make_list_command(EigerClient.list_builds, "Show builds, newest first.", BUILD_COLUMNS))
add_verb(
    builds,
    "show",
    EigerClient.read_build,
    "Show BUILD (title or id) with its part versions.",
    build=resolve_build_id,
)


@builds.command("approved")
@output_options
def show_approved_builds(output: Output) -> None:
    """Show the approved builds."""
    with open_client(output, operations.LIST_APPROVED_BUILDS) as client:
        approved = client.list_approved_builds()
    if output is Output.TEXT and approved is not None:
        print_many(approved, BUILD_COLUMNS, output)
        return
    listed = [json_values(plain_values(build)) for build in approved or ()]
    report(
        {"in_use": approved is not None, "builds": listed},
        "Approvals are not in use: every build may be printed.",
        output,
    )


@builds.command("approve")
@click.argument("builds", nargs=-1, required=True)
@click.option("--switch-on", is_flag=True, help="Switch approvals on: all other builds are then forbidden.")
@output_options
def approve_builds(builds: tuple[str, ...], switch_on: bool, output: Output) -> None:
    """Approve BUILDS (titles or ids).

    Every other approval is kept.
    """
    with open_client(output, operations.APPROVE_BUILDS) as client:
        build_ids = [resolve_build_id(client, each) for each in builds]
        approved = add_approvals(client, build_ids, switch_on=switch_on)
    report({"approved": sorted(approved)}, f"{len(approved)} builds are approved now.", output)


@builds.command("disable-approvals")
@yes_option
@output_options
def disable_approvals(yes: bool, output: Output) -> int:
    """Switch approvals off for the whole organization.

    The list of approved builds is lost.
    """
    consequence = "Every build may be printed then, and the list of approved builds is lost."
    if not confirm_consequence(consequence, yes=yes):
        return EXIT_SOME_FAILED
    with open_client(output, operations.DISABLE_APPROVED_BUILDS) as client:
        client.disable_approved_builds()
    report({"in_use": False}, "Approvals are off: every build may be printed.", output)
    return EXIT_OK
