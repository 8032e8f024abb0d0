"""`stlflow eiger builds`."""

import click

from workflow.cli.eiger.client import confirm_consequence, open_client, yes_option
from workflow.cli.eiger.lists import make_list_command
from workflow.cli.eiger.output import json_values, plain_values, print_many, print_one
from workflow.cli.eiger.resolve import resolve_build_id
from workflow.cli.output import json_option, print_json
from workflow.eiger import EigerClient, add_approvals
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


builds.add_command(make_list_command(EigerClient.list_builds, "Show builds, newest first.", BUILD_COLUMNS))


@builds.command("show")
@click.argument("build")
@json_option
def show_build(build: str, as_json: bool) -> None:
    """Show BUILD (title or id) with its part versions."""
    with open_client() as client:
        print_one(client.read_build(resolve_build_id(client, build)), as_json=as_json)


@builds.command("approved")
@json_option
def show_approved_builds(as_json: bool) -> None:
    """Show the approved builds."""
    with open_client() as client:
        found = client.list_approved_builds()
    if as_json:
        listed = [json_values(plain_values(build)) for build in found or ()]
        print_json({"in_use": found is not None, "builds": listed})
    elif found is None:
        click.echo("Approvals are not in use: every build may be printed.")
    else:
        print_many(found, BUILD_COLUMNS, as_json=False)


@builds.command("approve")
@click.argument("builds", nargs=-1, required=True)
@click.option(
    "--switch-on", is_flag=True, help="Begin to use approvals: all other builds are forbidden then."
)
@json_option
def approve_builds(builds: tuple[str, ...], switch_on: bool, as_json: bool) -> None:
    """Approve BUILDS (titles or ids).

    Every other approval is kept.
    """
    with open_client() as client:
        everything = add_approvals(
            client, [resolve_build_id(client, each) for each in builds], switch_on=switch_on
        )
    if as_json:
        print_json({"approved": sorted(everything)})
    else:
        click.echo(f"{len(everything)} builds are approved now.")


@builds.command("disable-approvals")
@yes_option
def disable_approvals(yes: bool) -> int:
    """Switch approvals off for the whole organization.

    Which builds were approved is forgotten.
    """
    if not confirm_consequence(
        "Every build may be printed then, and which were approved is forgotten.", yes=yes
    ):
        return EXIT_SOME_FAILED
    with open_client() as client:
        client.disable_approved_builds()
    click.echo("Approvals are off: every build may be printed.")
    return EXIT_OK
