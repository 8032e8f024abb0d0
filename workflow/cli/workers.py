"""Who takes part in the work, and what each has in hands."""

from collections.abc import Sequence

import click

from workflow.cli.output import as_json, print_json
from workflow.model import Submission, Worker


@click.command()
@as_json
def workers(as_json: bool) -> None:
    """Show every running stlflow and what it does.

    A worker without a sign for some seconds is taken for dead, and its work begins anew elsewhere.
    """
    from workflow.assembly import open_ledger
    from workflow.ledger import CLOCK, crew, in_hands_of
    from workflow.settings import load_settings

    ledger = open_ledger(load_settings())
    present = [(worker, in_hands_of(ledger, worker)) for worker in crew(ledger)]
    now = CLOCK.seconds()
    if as_json:
        print_json([_row(worker, in_hands, now) for worker, in_hands in present])
        return
    for worker, in_hands in present:
        click.echo(_line(worker, in_hands, now))
    if not present:
        click.echo("No stlflow is running.")


def _row(worker: Worker, in_hands: Sequence[Submission], now: float) -> dict[str, object]:
    doing = [{"submission": each.id, "step": str(each.step), "path": each.path} for each in in_hands]
    return {
        "name": worker.name,
        "host": worker.host,
        "pid": worker.pid,
        "release": worker.release,
        "since": worker.since.isoformat(),
        "silent_seconds": _silent_seconds(worker, now),
        "in_hands": doing,
    }


def _line(worker: Worker, in_hands: Sequence[Submission], now: float) -> str:
    doing = ", ".join(f"{each.step} of {each.id}" for each in in_hands) or "nothing in hands"
    since = f"{worker.since.astimezone():%Y-%m-%d %H:%M}"
    who = f"{worker.name}  process {worker.pid}, release {worker.release}, since {since}"
    return f"{who}, last sign {_silent_seconds(worker, now):.1f} s ago: {doing}"


def _silent_seconds(worker: Worker, now: float) -> float:
    return round(max(now - worker.seen_at.timestamp(), 0.0), 1)
