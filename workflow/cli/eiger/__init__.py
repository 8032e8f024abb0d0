"""`stlflow eiger`: one group of commands for each resource of Eiger's API."""

from collections.abc import Callable, Iterable
from typing import Any

import click


class LazyGroup(click.Group):
    """A group that imports its commands when one of them, or their list, is asked for."""

    def __init__(self, *args: Any, load: Callable[[], Iterable[click.Command]], **options: Any) -> None:
        super().__init__(*args, **options)
        self._load = load

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        self._add_all()
        return super().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command; None if there is none of that name."""
        if cmd_name not in self.commands:
            self._add_all()
        return super().get_command(ctx, cmd_name)

    def _add_all(self) -> None:
        for command in self._load():
            self.add_command(command)


def _load_resources() -> Iterable[click.Command]:
    """Import the client only for these: it takes longer than most commands."""
    from workflow.cli.eiger import devices, parts, print_jobs

    return (resource for module in (devices, parts, print_jobs) for resource in module.GROUPS)


@click.group(cls=LazyGroup, load=_load_resources)
def eiger() -> None:
    """Call any operation of Eiger's API by hand.

    Where an id is needed, a name (of a device, build, preset or user) works if only one has it.
    """
