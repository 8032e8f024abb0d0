"""Eiger's API by hand: a group of commands for each resource, read only when one is looked at."""

import click


class Resources(click.Group):
    """Groups that need the client: importing it takes longer than most commands do."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the names of the resources."""
        self._gather()
        return super().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Give the group of one resource."""
        self._gather()
        return super().get_command(ctx, cmd_name)

    def _gather(self) -> None:
        from workflow.cli.eiger_resources import RESOURCES

        for resource in RESOURCES:
            self.add_command(resource)


@click.group(cls=Resources)
def eiger() -> None:
    """Call any operation of Eiger's API by hand.

    Where an id is meant, a name (of a device, build, preset, user) will do as long as only one has it.
    """
