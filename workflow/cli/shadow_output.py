"""The report of shadow mode, as a document for scripts and as lines for people."""

from collections import Counter
from collections.abc import Sequence
from datetime import tzinfo

from workflow.pipeline.shadow_report import Agreement, ShadowRow

SAYINGS = {
    "send": "sent",
    "hold": "held",
    "reject": "rejected",
    "duplicate": "set aside",
    "waits": "in progress",
}
"""The actions, as the summary says them."""


def shadow_document(rows: Sequence[ShadowRow]) -> dict[str, object]:
    """Return the document that scripts rely on."""
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


def shadow_lines(rows: Sequence[ShadowRow], zone: tzinfo | None, *, shows_all: bool) -> list[str]:
    """Return the report for people: the counts, each difference, and why the rest can't be compared."""
    if not rows:
        return ["No file was seen in shadow mode yet. `stlflow run --shadow` watches the inbox."]
    actions = Counter(row.forecast.action for row in rows)
    first = min(row.dropped_at for row in rows).astimezone(zone)
    counts = ", ".join(f"{word} {actions[action]}" for action, word in SAYINGS.items() if actions[action])
    by_agreement = {kind: [row for row in rows if row.agreement is kind] for kind in Agreement}
    agreed, differed, rest = (by_agreement[kind] for kind in Agreement)
    matched = len(agreed) + len(differed)
    lines = [
        f"{len(rows)} files since {first:%Y-%m-%d %H:%M}. stlflow would have: {counts}.",
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


def _section(title: str, rows: Sequence[ShadowRow]) -> list[str]:
    return ["", f"{title}: {len(rows)}", *(f"  {row.path}: {row.why}" for row in rows)] if rows else []
