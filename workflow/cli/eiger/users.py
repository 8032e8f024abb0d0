"""`stlflow eiger users`."""

import click

from workflow.cli.eiger.lists import make_list_command
from workflow.eiger import EigerClient


@click.group()
def users() -> None:
    """The people of the organization.

    Rules may call them by name, email or id.
    """


users.add_command(
    make_list_command(
        EigerClient.list_users,
        "Show the users of the organization.",
        {"name": "name", "email": "email", "id": "id"},
    )
)
