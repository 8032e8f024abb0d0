"""One run over a folder: every STL in it is submitted from its place, and nothing is moved."""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from workflow.cli.output import json_option, print_json
from workflow.cli.watch import UploadProgress
from workflow.errors import EXIT_OK, EXIT_SOME_FAILED
from workflow.model import Submission, SubmissionState


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only show what would happen to each file; nothing is sent.")
@json_option
def batch(folder: Path, dry_run: bool, as_json: bool) -> int:
    """Take every STL file in FOLDER to its queue, then end.

    It ends when all have ended. The files stay where they are. A file that an earlier batch sent from
    the same place, with the same content, is not sent again.
    """
    if dry_run:
        return _show_forecasts(folder.resolve(), as_json=as_json)
    from workflow.assembly import running_service, start_logging
    from workflow.cli.submission_output import print_submissions_table, submission_row
    from workflow.operations import read_answers
    from workflow.settings import load_settings

    settings = load_settings()
    start_logging(settings, "WARNING")
    sent, began = UploadProgress(), datetime.now(UTC)
    with running_service(settings, watch=False, on_progress=sent.report) as service:
        numbers, untaken = service.submit_folder(folder.resolve())
        ended = _wait_with_progress(lambda: [service.ledger.get(number) for number in numbers], sent)
        answers = read_answers(service.ledger, settings, ended)
    well = _all_sent(ended) and not untaken
    if as_json:
        rows = [submission_row(each, answers.get(each.id)) for each in ended]
        print_json({"submissions": rows, "not_taken": [asdict(each) for each in untaken], "ok": well})
    else:
        if ended:
            print_submissions_table(ended, answers, settings.zone)
        for each in untaken:
            click.echo(f"Not taken: {each.path}: {each.why.rstrip('.')}.")
        if ended or not untaken:
            click.echo(_summary(ended, began))
    return EXIT_OK if well else EXIT_SOME_FAILED


def _show_forecasts(folder: Path, *, as_json: bool) -> int:
    """Show what a batch would do with each file; Eiger is only read."""
    from workflow.assembly import rules_file
    from workflow.cli.forecast_output import print_forecasts
    from workflow.forecasts import forecast_batch
    from workflow.routing import load_rules
    from workflow.settings import load_settings

    settings = load_settings()
    print_forecasts(forecast_batch(settings, load_rules(rules_file(settings)), folder), as_json=as_json)
    return EXIT_OK


def _wait_with_progress(
    look: Callable[[], Sequence[Submission]], sent: UploadProgress
) -> Sequence[Submission]:
    """Wait for all to end, with bars on a terminal."""
    from workflow.cli.watch import is_at_rest, poll_until, show_nothing

    def enough(seen: Sequence[Submission]) -> bool:
        return all(map(is_at_rest, seen))

    if not sys.stderr.isatty():
        return poll_until(look, enough, show_nothing, time.sleep)
    from workflow.cli.progress import progress_bars

    with progress_bars(sent) as show:
        return poll_until(look, enough, show, time.sleep)


def _all_sent(ended: Sequence[Submission]) -> bool:
    return all(submission.state is SubmissionState.DISPATCHED for submission in ended)


def _summary(ended: Sequence[Submission], began: datetime) -> str:
    if not ended:
        return "No STL files there: nothing was done."
    before = sum(submission.ended_at is not None and submission.ended_at < began for submission in ended)
    counts = {state: sum(submission.state is state for submission in ended) for state in SubmissionState}
    summary = ", ".join(f"{count} {state}" for state, count in counts.items() if count) + "."
    return f"{summary} {before} of them by an earlier batch: nothing was sent again." if before else summary
