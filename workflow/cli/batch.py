"""One run over a folder: every STL in it is submitted from its place, and nothing is moved."""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from workflow.cli.output import json_option, print_json
from workflow.cli.watch import UploadProgress, is_at_rest, is_print_over, poll_until, show_nothing
from workflow.errors import EXIT_OK, EXIT_SOME_FAILED, SettingsError
from workflow.model import SENT_STATES, Submission, SubmissionState


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only show what would happen to each file; nothing is sent.")
@click.option("--wait-printed", is_flag=True, help="Wait until all are printed; exit code 0 only then.")
@json_option
def batch(folder: Path, dry_run: bool, wait_printed: bool, as_json: bool) -> int:
    """Take every STL file in FOLDER to its queue, then end.

    It ends when all have ended. The files stay where they are. A file that an earlier batch sent from
    the same place, with the same content, is not sent again. With --wait-printed it is waited for, too.
    """
    if dry_run:
        return _show_forecasts(folder.resolve(), as_json=as_json)
    from workflow.assembly import running_service, start_logging
    from workflow.cli.submission_output import submission_row
    from workflow.cli.submission_table import print_submissions_table
    from workflow.logs import names_no_submission
    from workflow.operations import read_answers
    from workflow.pipeline.print_notes import read_print_status
    from workflow.settings import load_settings

    settings = load_settings()
    if wait_printed and not settings.follow_prints:
        raise SettingsError("--wait-printed needs the setting follow_prints. Set it to true.")
    told_by_table = sys.stderr.isatty() and not as_json
    start_logging(settings, "WARNING", names_no_submission if told_by_table else None)
    sent, began = UploadProgress(), datetime.now(UTC)
    with running_service(settings, watch=False, on_progress=sent.report) as service:
        numbers, untaken = service.submit_folder(folder.resolve())

        def look() -> Sequence[Submission]:
            return [service.ledger.get(number) for number in numbers]

        ended = _wait_with_progress(look, is_at_rest, sent)
        if wait_printed:
            service.follow_all(ended)
            ended = _wait_with_progress(look, is_print_over, sent)
        prints = read_print_status(service.ledger, ended)
        answers = read_answers(service.ledger, settings, ended)
    wanted = {SubmissionState.PRINTED} if wait_printed else SENT_STATES
    well = all(submission.state in wanted for submission in ended) and not untaken
    if as_json:
        rows = [submission_row(each, answers.get(each.id), prints.get(each.id)) for each in ended]
        print_json({"submissions": rows, "not_taken": [asdict(each) for each in untaken], "ok": well})
    else:
        if ended:
            print_submissions_table(ended, answers, settings.zone, prints)
        for each in untaken:
            click.echo(f"Not taken: {each.path}: {each.why.rstrip('.')}.")
        if ended or not untaken:
            click.echo(_summary(ended, began))
    return EXIT_OK if well else EXIT_SOME_FAILED


def _show_forecasts(folder: Path, *, as_json: bool) -> int:
    """Show what a batch would do with each file; Eiger is only read."""
    from workflow.assembly import rules_file
    from workflow.cli.forecasts import forecast_batch, print_forecasts
    from workflow.routing import load_rules
    from workflow.settings import load_settings

    settings = load_settings()
    print_forecasts(forecast_batch(settings, load_rules(rules_file(settings)), folder), as_json=as_json)
    return EXIT_OK


def _wait_with_progress(
    look: Callable[[], Sequence[Submission]], is_over: Callable[[Submission], bool], sent: UploadProgress
) -> Sequence[Submission]:
    """Wait for all to be over, with bars on a terminal."""

    def enough(seen: Sequence[Submission]) -> bool:
        return all(map(is_over, seen))

    if not sys.stderr.isatty():
        return poll_until(look, enough, show_nothing, time.sleep)
    from workflow.cli.progress import progress_bars

    with progress_bars(sent, is_over) as show:
        return poll_until(look, enough, show, time.sleep)


def _summary(ended: Sequence[Submission], began: datetime) -> str:
    from workflow.cli.submission_table import counts_text

    if not ended:
        return "No STL files there: nothing was done."
    before = sum(submission.ended_at is not None and submission.ended_at < began for submission in ended)
    summary = f"{counts_text(ended)}."
    return f"{summary} {before} of them by an earlier batch: nothing was sent again." if before else summary
