"""Moving up: from the database in the state folder to one that several machines share."""

import click


@click.command("move-ledger")
def move_ledger() -> None:
    """Move the ledger into a database that several share.

    From this state folder into the one that STLFLOW_DATABASE_URL names. Stop stlflow first. Submissions
    may be in any state: they go on from there at the next start. The old database stays beside the new
    one as stlflow.db.moved.
    """
    from workflow.assembly import move_up
    from workflow.settings import load_settings

    count, left = move_up(load_settings())
    click.echo(f"{count} submissions moved. The old database is kept as {left}; start stlflow as before.")
