"""What would happen to the files of a folder, as a table for people and a document for scripts."""

from collections import Counter
from collections.abc import Iterable

import click
from rich.table import Table
from rich.text import Text

from workflow.cli.output import print_json
from workflow.cli.progress import result_console
from workflow.mesh import format_size
from workflow.pipeline.folder_forecast import FileForecast

OUTCOMES = {
    "send": ("sent", "green"),
    "known": ("known", "dim"),
    "hold": ("held", "yellow"),
    "reject": ("rejected", "red"),
}


def print_forecasts(forecasts: Iterable[FileForecast], *, as_json: bool) -> None:
    """Print one row for each file, and the counts."""
    rows = list(forecasts)
    if as_json:
        print_json({"files": [_document(row) for row in rows], "counts": _counts(rows)})
        return
    if not rows:
        click.echo("No STL files there.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("file", "mesh", "would be", "preset"):
        table.add_column(name, no_wrap=True, overflow="ellipsis")
    table.add_column("where, or why")
    for row in rows:
        word, color = OUTCOMES[row.outcome]
        mesh = format_size(row.report.size_mm) if any(row.report.size_mm) else ""
        table.add_row(Text(row.path), mesh, Text(word, color), row.preset or "", Text(_why(row)))
    result_console().print(table)
    counts = ", ".join(f"{count} {OUTCOMES[outcome][0]}" for outcome, count in _counts(rows).items() if count)
    click.echo(f"{len(rows)} files would be: {counts}. Nothing was sent.")


def _why(row: FileForecast) -> str:
    named = row.rule is None or f"'{row.rule}'" in row.says
    return row.says if named else f"{row.says} (rule '{row.rule}')"


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
