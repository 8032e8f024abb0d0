"""One shot over a folder: every STL in it is submitted from its place, and nothing is moved."""

import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from workflow.cli.output import as_json, print_json
from workflow.cli.sent import Sent
from workflow.errors import EXIT_OK, EXIT_SOME_FAILED
from workflow.model import State, Submission


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@as_json
def batch(folder: Path, as_json: bool) -> int:
    """Take every STL file in FOLDER to its queue, then end.

    It ends when all have ended. The files stay where they are. A file that an earlier batch sent from
    the same place, with the same content, is not sent again.
    """
    from workflow.assembly import running_service
    from workflow.cli.logbook import open_logbook
    from workflow.cli.table import print_table, row
    from workflow.settings import load_settings

    settings = load_settings()
    open_logbook(settings, "WARNING")
    sent, began = Sent(), datetime.now(UTC)
    with running_service(settings, watch=False, on_progress=sent.report) as service:
        numbers = service.submit_folder(folder.resolve())
        ended = _watch(lambda: [service.ledger.get(number) for number in numbers], sent)
    if as_json:
        print_json({"submissions": [row(submission) for submission in ended], "ok": _all_sent(ended)})
    else:
        if ended:
            print_table(ended)
        click.echo(_summary(ended, began))
    return EXIT_OK if _all_sent(ended) else EXIT_SOME_FAILED


def _watch(look: Callable[[], Sequence[Submission]], sent: Sent) -> Sequence[Submission]:
    """Wait for all to end, with bars on a terminal."""
    from workflow.cli.watching import at_rest, show_nothing, watch

    def enough(seen: Sequence[Submission]) -> bool:
        return all(map(at_rest, seen))

    if not sys.stderr.isatty():
        return watch(look, enough, show_nothing, time.sleep)
    from workflow.cli.progress import bars

    with bars(sent) as show:
        return watch(look, enough, show, time.sleep)


def _all_sent(ended: Sequence[Submission]) -> bool:
    return all(submission.state is State.DISPATCHED for submission in ended)


def _summary(ended: Sequence[Submission], began: datetime) -> str:
    if not ended:
        return "No STL files there: nothing was done."
    before = sum(submission.ended_at is not None and submission.ended_at < began for submission in ended)
    counts = {state: sum(submission.state is state for submission in ended) for state in State}
    summary = ", ".join(f"{count} {state}" for state, count in counts.items() if count) + "."
    return f"{summary} {before} of them by an earlier batch: nothing was sent again." if before else summary
