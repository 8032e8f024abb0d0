"""`stlflow backup`, `restore`, `move-ledger` and `workers`: the database, and who works on it."""

from collections.abc import Sequence
from datetime import tzinfo
from pathlib import Path

import click

from workflow.cli.output import json_option, print_json
from workflow.errors import format_count
from workflow.model import Submission, Worker


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(file: Path) -> None:
    """Write the database to a new FILE.

    stlflow may run meanwhile. FILE is one SQLite file, also if the database is on Postgres.
    """
    from workflow.operations import back_up_ledger
    from workflow.settings import load_settings

    count = back_up_ledger(load_settings(), file)
    click.echo(f"{format_count(count, 'submission')} in {file}.")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def restore(file: Path) -> None:
    """Put the backup FILE in the place of the database.

    Stop stlflow first. The former database file is kept. A database on Postgres has to be empty.
    """
    from workflow.operations import restore_ledger
    from workflow.settings import load_settings

    count, former = restore_ledger(load_settings(), file)
    click.echo(f"Restored: {format_count(count, 'submission')}.")
    if former is not None:
        click.echo(f"The former database is kept: {former}.")
    click.echo(
        "Next: `stlflow run`. It holds files that were claimed after the backup: check in Eiger first."
    )


@click.command("move-ledger")
def move_ledger() -> None:
    """Move the database to one that several machines share.

    From this state folder to the one that STLFLOW_DATABASE_URL names. Stop stlflow first. Submissions
    may be in any state: they continue from there at the next start. The old database stays beside the new
    one as stlflow.db.moved.
    """
    from workflow.operations import move_ledger_to_database
    from workflow.settings import load_settings

    count, left = move_ledger_to_database(load_settings())
    moved = format_count(count, "submission")
    click.echo(f"{moved} moved. The old database is kept as {left}; start stlflow as before.")


@click.command()
@json_option
def workers(as_json: bool) -> None:
    """Show every running worker and what it does.

    The work of a worker without a heartbeat for some seconds is given to another one.
    """
    from workflow.assembly import is_worker_alive, open_ledger
    from workflow.doctor.ledger import NO_WORKER, START_WORKER
    from workflow.ledger import CLOCK, list_steps_of, list_workers
    from workflow.settings import load_settings

    settings = load_settings()
    ledger = open_ledger(settings)
    present = [(worker, list_steps_of(ledger, worker)) for worker in list_workers(ledger)]
    now = CLOCK.seconds()
    if not any(is_worker_alive(worker, settings, now) for worker, _ in present):
        click.echo(f"Warning: {NO_WORKER} {START_WORKER}", err=True)
    if as_json:
        print_json([_worker_row(worker, steps, now) for worker, steps in present])
        return
    for worker, steps in present:
        click.echo(_worker_line(worker, steps, now, settings.zone))


def _worker_row(worker: Worker, steps: Sequence[Submission], now: float) -> dict[str, object]:
    doing = [{"submission": each.id, "step": str(each.step), "path": each.path} for each in steps]
    return {
        "name": worker.name,
        "host": worker.host,
        "pid": worker.pid,
        "release": worker.release,
        "since": worker.since.isoformat(),
        "silent_seconds": _silent_seconds(worker, now),
        "in_hands": doing,
    }


def _worker_line(worker: Worker, steps: Sequence[Submission], now: float, zone: tzinfo | None) -> str:
    doing = ", ".join(f"{each.step} of {each.id}" for each in steps) or "no running step"
    since = f"{worker.since.astimezone(zone):%Y-%m-%d %H:%M %Z}"
    who = f"{worker.name}  process {worker.pid}, release {worker.release}, since {since}"
    return f"{who}, last heartbeat {_silent_seconds(worker, now):.1f} s ago: {doing}"


def _silent_seconds(worker: Worker, now: float) -> float:
    return round(max(now - worker.seen_at.timestamp(), 0.0), 1)
