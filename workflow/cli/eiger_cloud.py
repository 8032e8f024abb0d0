"""The client that the settings describe, and asking before something happens that can't be undone."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from workflow.eiger import EigerClient, make_client
from workflow.settings import load_settings

yes_option = click.option("--yes", is_flag=True, help="Do not ask first.")


@contextmanager
def cloud() -> Iterator[EigerClient]:
    """Open the client. Raises SettingsError."""
    with make_client(load_settings()) as client:
        yield client


def agreed(consequence: str, *, yes: bool) -> bool:
    """Say what will happen, and ask unless that was answered already. Raises Abort without an answer."""
    click.echo(consequence, err=True)
    if yes or click.confirm("Go on?", err=True):
        return True
    click.echo("Nothing was sent.", err=True)
    return False
