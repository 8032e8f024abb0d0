"""What shadow mode would have sent, beside what the shop sent."""

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import click

from workflow.cli.output import json_option, print_json
from workflow.cli.param_types import WholeNumber
from workflow.errors import EXIT_OK, format_count


@click.command()
@click.option("--days", type=WholeNumber(1), help="Only files of the last N days; default: all.")
@click.option("--all", "shows_all", is_flag=True, help="Also list the files that agree or can't be compared.")
@json_option
def shadow(days: int | None, shows_all: bool, as_json: bool) -> int:
    """Compare a shadow run with what the shop sent by hand.

    `stlflow run --shadow` watches while the shop sends its parts by hand. This reads Eiger, changes nothing,
    and uses the rules that are set now: change them and ask again.
    """
    from workflow.assembly import open_ledger, rules_file
    from workflow.eiger import make_client
    from workflow.pipeline.shadow_report import compare_with_own_jobs
    from workflow.routing import load_rules
    from workflow.settings import load_settings, shadow_settings

    settings = shadow_settings(load_settings())
    since = None if days is None else datetime.now(UTC) - timedelta(days=days)
    with (
        closing(open_ledger(settings)) as ledger,
        make_client(settings, reads_only=True) as client,
    ):
        rows = list(
            compare_with_own_jobs(
                ledger,
                client,
                load_rules(rules_file(settings)),
                settings.zone,
                since=since,
                print_now_armed=settings.print_now_armed,
            )
        )
    if as_json:
        print_json(shadow_document(rows))
    else:
        for line in shadow_lines(rows, settings.zone, shows_all=shows_all):
            click.echo(line)
    return EXIT_OK


SAYINGS = {
    "send": "sent",
    "hold": "held",
    "reject": "rejected",
    "duplicate": "set aside",
    "waits": "in progress",
}
"""The actions, as the summary says them."""


def shadow_document(rows: Sequence[Any]) -> dict[str, object]:
    """Return the document that scripts rely on, of rows of the shadow report."""
    from workflow.pipeline.shadow_report import Agreement

    actions = Counter(row.forecast.action for row in rows)
    agreements = Counter(row.agreement for row in rows)
    return {
        "files": len(rows),
        "would_have": {action: actions[action] for action in SAYINGS},
        "matched": agreements[Agreement.AGREED] + agreements[Agreement.DIFFERED],
        "agreed": agreements[Agreement.AGREED],
        "rows": [
            {
                "id": row.number,
                "path": row.path,
                "dropped_at": row.dropped_at.isoformat(),
                "action": row.forecast.action,
                "forecast": row.forecast.text,
                "build_id": row.own.build.id if row.own else None,
                "printers": sorted({*row.own.printers} - {""}) if row.own else [],
                "agreement": str(row.agreement),
                "why": row.why,
            }
            for row in rows
        ],
    }


def shadow_lines(rows: Sequence[Any], zone: tzinfo | None, *, shows_all: bool) -> list[str]:
    """Return the report for people: the counts, each difference, and why the rest can't be compared."""
    from workflow.pipeline.shadow_report import Agreement

    if not rows:
        return ["No file was seen in shadow mode yet. `stlflow run --shadow` watches the inbox."]
    actions = Counter(row.forecast.action for row in rows)
    first = min(row.dropped_at for row in rows).astimezone(zone)
    counts = ", ".join(f"{word} {actions[action]}" for action, word in SAYINGS.items() if actions[action])
    by_agreement = {kind: [row for row in rows if row.agreement is kind] for kind in Agreement}
    agreed, differed, rest = (by_agreement[kind] for kind in Agreement)
    matched = len(agreed) + len(differed)
    lines = [
        f"{format_count(len(rows), 'file')} since {first:%Y-%m-%d %H:%M}. stlflow would have: {counts}.",
        f"The shop's own jobs match {matched} of them by name and time. stlflow agrees in {len(agreed)}.",
    ]
    lines += _section("Differs", differed)
    if shows_all:
        return lines + _section("Agrees", agreed) + _section("Not compared", rest)
    if rest:
        lines += ["", f"Not compared: {len(rest)}. `--all` lists them."]
        reasons = Counter(row.why for row in rest)
        lines += [f"  {count} x {why}" for why, count in reasons.most_common(10)]
    return lines


def _section(title: str, rows: Sequence[Any]) -> list[str]:
    return ["", f"{title}: {len(rows)}", *(f"  {row.path}: {row.why}" for row in rows)] if rows else []
