"""Eiger's API by hand: a group of commands for each resource, read only when one is looked at."""

import click


class LazyResourceGroup(click.Group):
    """Groups that need the client: importing it takes longer than most commands do."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the names of the resources."""
        self._load_resources()
        return super().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Give the group of one resource."""
        self._load_resources()
        return super().get_command(ctx, cmd_name)

    def _load_resources(self) -> None:
        from workflow.cli.eiger.resources import RESOURCE_GROUPS

        for resource in RESOURCE_GROUPS:
            self.add_command(resource)


@click.group(cls=LazyResourceGroup)
def eiger() -> None:
    """Call any operation of Eiger's API by hand.

    Where an id is meant, a name (of a device, build, preset, user) will do as long as only one has it.
    """
