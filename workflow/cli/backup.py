"""Backup and restore of the database."""

from pathlib import Path

import click


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(file: Path) -> None:
    """Write the database to a new FILE.

    stlflow may run meanwhile. FILE is one SQLite file, also if the database is on Postgres.
    """
    from workflow.operations.lost_database import back_up_ledger
    from workflow.settings import load_settings

    count = back_up_ledger(load_settings(), file)
    click.echo(f"{count:,} submissions are in {file}.")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def restore(file: Path) -> None:
    """Put the backup FILE in the place of the database.

    Stop stlflow first. The former database file is kept. A database on Postgres has to be empty.
    """
    from workflow.operations.lost_database import restore_ledger
    from workflow.settings import load_settings

    count, former = restore_ledger(load_settings(), file)
    click.echo(f"{count:,} submissions are restored.")
    if former is not None:
        click.echo(f"The former database is kept: {former}.")
    click.echo("Next: `stlflow run`. It holds files that were claimed after the backup: look in Eiger first.")
