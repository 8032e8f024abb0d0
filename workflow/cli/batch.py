"""One shot over a folder: every STL in it is submitted from its place, and nothing is moved."""

from collections.abc import Sequence
from pathlib import Path

import click

from workflow.cli.output import as_json, print_json
from workflow.errors import EXIT_OK, EXIT_SOME_FAILED
from workflow.model import State, Submission


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@as_json
def batch(folder: Path, as_json: bool) -> int:
    """Take every STL file in FOLDER to its queue, and end when all have ended.

    The files stay where they are. A file that an earlier batch sent from the same place, with the
    same content, is not sent again.
    """
    from workflow.assembly import running_service
    from workflow.cli.table import print_table, row
    from workflow.cli.watching import at_rest, watch
    from workflow.logs import set_up_logs
    from workflow.settings import load_settings

    settings = load_settings()
    set_up_logs("WARNING", as_json=settings.log_json, folder=settings.state / "logs")
    with running_service(settings, watch=False) as service:
        numbers = service.submit_folder(folder.absolute())
        look = lambda: [service.ledger.get(number) for number in numbers]  # noqa: E731
        ended = watch(look, lambda seen: all(at_rest(submission) for submission in seen))
    if as_json:
        print_json({"submissions": [row(submission) for submission in ended], "ok": _all_sent(ended)})
    else:
        print_table(ended)
        click.echo(_summary(ended))
    return EXIT_OK if _all_sent(ended) else EXIT_SOME_FAILED


def _all_sent(ended: Sequence[Submission]) -> bool:
    return all(submission.state is State.DISPATCHED for submission in ended)


def _summary(ended: Sequence[Submission]) -> str:
    if not ended:
        return "No STL files there."
    counts = {state: sum(submission.state is state for submission in ended) for state in State}
    return ", ".join(f"{count} {state}" for state, count in counts.items() if count) + "."
