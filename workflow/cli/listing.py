"""`stlflow list`: submissions as a table, as JSON, as CSV, or live."""

import csv
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, tzinfo
from typing import Any

import click

from workflow.cli.output import json_option, print_json
from workflow.cli.param_types import FORMS, ListCommand, MomentText, OneOf, WholeNumber, parse_moment
from workflow.errors import EXIT_OK
from workflow.model import ENDED_STATES, SENT_STATES, UNUSED_STATES, SubmissionState

DEFAULT_LIMIT = 200
WATCH_SECONDS = 2.0
_ALL = 10**9
STATES = [str(state) for state in SubmissionState if state not in UNUSED_STATES]
STATE_GROUPS = {
    "waiting": frozenset(SubmissionState) - ENDED_STATES,
    "ended": ENDED_STATES,
    "sent": SENT_STATES,
}
_WORDS = f"{', '.join(STATES)}; or waiting (not ended), ended, sent"
STATES_HELP = f"Only those in one of these states: {_WORDS}; may repeat."
PATTERN_COLUMNS = {"name": "path", "person": "dropped_by", "rule": "rule", "printer": "device"}
"""The columns of the database that options search, by option."""
_PATTERN_HELP = "part of it, or a pattern with * and ?"


@click.command("list", cls=ListCommand)
@click.option(
    "--state",
    "states",
    multiple=True,
    type=OneOf([*STATES, *STATE_GROUPS]),
    metavar="STATE",
    help=STATES_HELP,
)
@click.option("--name", default="", help=f"Only files of this name: {_PATTERN_HELP}.")
@click.option("--since", type=MomentText(), help=f"Only those received since then: {FORMS}.")
@click.option("--until", type=MomentText(), help="Only those received before then.")
@click.option("--person", default="", help="Only files that this person dropped, if the file system says.")
@click.option("--rule", default="", help="Only those that this intake or routing rule decided.")
@click.option("--printer", default="", help="Only those sent to this printer.")
@click.option(
    "--limit",
    type=WholeNumber(1),
    default=None,
    help=f"Only the newest N; a table shows {DEFAULT_LIMIT} by default.",
)
@click.option("--watch", is_flag=True, help="Show the newest, and keep them up to date until Ctrl-C.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV on stdout: the JSON fields that are no lists.")
@json_option
def list_submissions(limit: int | None, watch: bool, as_csv: bool, as_json: bool, **wanted: Any) -> int:
    """Show submissions, newest first.

    If changed rules were refused, the reason is on stderr.
    """
    from workflow.cli.submission_output import submission_row
    from workflow.cli.submission_table import print_submissions_table
    from workflow.cli.submissions import open_ledger_to_read
    from workflow.ledger import RULES_ERROR_KEY, SortOrder
    from workflow.operations import read_answers
    from workflow.pipeline.print_notes import read_print_status
    from workflow.settings import load_settings

    if watch + as_csv + as_json > 1:
        raise click.UsageError("--watch, --csv and --json exclude each other. Use one of them.")
    ledger, settings = open_ledger_to_read(), load_settings()
    chosen = _filter(wanted, settings.zone)
    if trouble := ledger.metadata.read(RULES_ERROR_KEY):
        click.echo(trouble, err=True)
    if watch:
        _watch(lambda: ledger.search.page(chosen, SortOrder(), min(limit or DEFAULT_LIMIT, _ALL))[0])
        return EXIT_OK
    for_scripts = as_json or as_csv
    at_most = min(limit or (_ALL if for_scripts else DEFAULT_LIMIT), _ALL)
    shown, more = ledger.search.page(chosen, SortOrder(), at_most)
    answers, prints = read_answers(ledger, settings, shown), read_print_status(ledger, shown)
    if for_scripts:
        rows = [submission_row(each, answers.get(each.id), prints.get(each.id)) for each in shown]
        print_csv(rows) if as_csv else print_json(rows)
        return EXIT_OK
    if shown:
        print_submissions_table(shown, answers, settings.zone, prints)
    else:
        click.echo("No submissions like that." if any(wanted.values()) else "No submissions.")
    if more and not limit:
        click.echo(f"The newest {DEFAULT_LIMIT}; there are more: --limit.", err=True)
    return EXIT_OK


def _filter(wanted: dict[str, Any], zone: tzinfo | None) -> Any:
    from workflow.ledger import SubmissionFilter

    words, now = wanted["states"], datetime.now(UTC)
    groups = (STATE_GROUPS.get(word, frozenset({word})) for word in words)
    since, until = (wanted[name] and parse_moment(wanted[name], now, zone) for name in ("since", "until"))
    return SubmissionFilter(
        fields={"state": frozenset(str(state) for group in groups for state in group)},
        patterns={column: wanted[option] for option, column in PATTERN_COLUMNS.items()},
        since=since,
        until=until,
    )


def print_csv(rows: list[dict[str, object]]) -> None:
    """Print rows as CSV: what the answer says of print time and readiness in columns of its own."""
    from workflow.notes import spreadsheet_cell

    flat = [{name: spreadsheet_cell(value) for name, value in _flat(row)} for row in rows]
    names = list(dict.fromkeys(name for row in flat for name in row))
    table = csv.DictWriter(sys.stdout, names, lineterminator="\n")
    table.writeheader()
    table.writerows(flat)


def _flat(row: dict[str, object]) -> Iterator[tuple[str, object]]:
    for name, value in row.items():
        if isinstance(value, dict):
            yield from (
                (f"{name}.{key}", inner) for key, inner in value.items() if not isinstance(inner, list | dict)
            )
        elif name != "answer":
            yield name, value


def _watch(look: Any) -> None:
    """Show the newest on a terminal until Ctrl-C."""
    from workflow.cli.progress import table_console
    from workflow.cli.submission_table import live_table

    if not sys.stdout.isatty():
        raise click.UsageError("--watch needs a terminal. For a script: `stlflow list --json`.")
    pause = threading.Event()
    with suppress(KeyboardInterrupt), live_table(table_console()) as show:
        while True:
            show(look())
            pause.wait(WATCH_SECONDS)
