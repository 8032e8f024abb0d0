"""`stlflow eiger`: one group of commands for each resource of Eiger's API."""

import click


class LazyResourceGroup(click.Group):
    """Loads its commands only when they are needed: importing the client takes longer than most commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the resources."""
        self._load_resources()
        return super().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the group of one resource; None if there is none of that name."""
        self._load_resources()
        return super().get_command(ctx, cmd_name)

    def _load_resources(self) -> None:
        from workflow.cli.eiger import devices, parts, print_jobs

        for module in (devices, parts, print_jobs):
            for resource in module.GROUPS:
                self.add_command(resource)


@click.group(cls=LazyResourceGroup)
def eiger() -> None:
    """Call any operation of Eiger's API by hand.

    Where an id is needed, a name (of a device, build, preset or user) works if only one has it.
    """
