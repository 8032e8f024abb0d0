"""What would happen to the files of a folder, for `rules explain FOLDER` and `batch --dry-run`."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import click

from workflow.assembly import make_inspector
from workflow.cli.fitted_table import Column, Row, table_lines
from workflow.cli.output import print_json
from workflow.cli.progress import table_console
from workflow.cli.submission_table import plain_text
from workflow.eiger import make_client
from workflow.errors import format_count
from workflow.mesh import format_size
from workflow.model import DeviceFacts
from workflow.operations import open_ledger_if_any
from workflow.pipeline.check_rules import refuse_unknown_names
from workflow.pipeline.cloud_cache import CloudCache
from workflow.pipeline.facts import device_facts
from workflow.pipeline.folder_forecast import FileForecast, Forecaster, Given
from workflow.routing import Rulebook
from workflow.settings import Settings


def forecast_folder(
    settings: Settings,
    rulebook: Rulebook,
    folder: Path,
    devices: Sequence[DeviceFacts] | None = None,
    given: Given = (),
) -> Iterator[FileForecast]:
    """Yield what would become of each file, if the folder's content were dropped. Raises ShareError."""
    inbox, place = settings.inbox.absolute(), folder.absolute()
    below = place.relative_to(inbox).as_posix() if place.is_relative_to(inbox) else "."
    prefix = "" if below == "." else f"{below}/"
    with make_inspector(settings) as inspector, open_ledger_if_any(settings) as ledger:
        decides = Forecaster(rulebook, inspector, ledger, settings.zone, devices, given)
        yield from decides.forecast_folder(place, prefix)


def forecast_batch(settings: Settings, rulebook: Rulebook, folder: Path) -> Iterator[FileForecast]:
    """Yield what a batch would do with each file. Eiger is only read.

    Raises RulesError for names that Eiger lacks, ShareError, CloudError, SettingsError.
    """
    with make_client(settings, reads_only=True) as client:
        catalog = CloudCache(client)
        refuse_unknown_names(rulebook, catalog)
        devices = tuple(map(device_facts, catalog.devices()))
    with make_inspector(settings) as inspector, open_ledger_if_any(settings) as ledger:
        decides = Forecaster(rulebook, inspector, ledger, settings.zone, devices, as_batch=True)
        yield from decides.forecast_folder(folder)


OUTCOMES = {
    "send": ("sent", "green"),
    "known": ("skipped", "dim"),
    "hold": ("held", "yellow"),
    "reject": ("rejected", "red"),
}


COLUMNS = (
    Column("file", usual=40, least=16, keeps_end=True),
    Column("would be"),
    Column("where", rank=2),
    Column("preset", rank=3),
    Column("rule", rank=4, usual=24, least=12),
    Column("mesh", rank=5),
)
_SHORT_PLACE = 24
"""A longer answer to where it would go is a line of its own, as a reason is."""


def print_forecasts(forecasts: Iterable[FileForecast], *, as_json: bool) -> None:
    """Print one row for each file, and the counts."""
    rows = list(forecasts)
    if as_json:
        print_json({"files": [_document(row) for row in rows], "counts": _counts(rows)})
        return
    if not rows:
        click.echo("No STL files there.")
        return
    console = table_console()
    for line in table_lines(COLUMNS, [_row(each) for each in rows], console.width):
        console.print(line)
    counts = ", ".join(f"{count} {OUTCOMES[outcome][0]}" for outcome, count in _counts(rows).items() if count)
    click.echo(f"{format_count(len(rows), 'file')} would be: {counts}. Nothing was sent.")


def _row(row: FileForecast) -> Row:
    word, color = OUTCOMES[row.outcome]
    is_short = row.outcome == "send" and len(row.says) <= _SHORT_PLACE
    where, note = (row.says.replace("_", " "), "") if is_short else ("", row.says)
    rule = "" if row.outcome == "known" else row.rule or ""
    mesh = format_size(row.report.size_mm) if any(row.report.size_mm) else ""
    cells = (row.path, word, where, row.preset or "", rule, mesh)
    return Row([plain_text(cell) for cell in cells], color, 1, plain_text(note))


def _counts(rows: Iterable[FileForecast]) -> dict[str, int]:
    counted = Counter(row.outcome for row in rows)
    return {outcome: counted[outcome] for outcome in OUTCOMES}


def _document(row: FileForecast) -> dict[str, object]:
    return {
        "path": row.path,
        "outcome": row.outcome,
        "says": row.says,
        "preset": row.preset,
        "rule": row.rule,
        "size_mm": list(row.report.size_mm) if row.report.triangles else None,
    }
