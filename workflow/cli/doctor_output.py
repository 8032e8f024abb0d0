"""What a checkup found, as a document for scripts and as lines for people."""

from collections.abc import Iterable, Sequence

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from workflow.cli.progress import result_console
from workflow.doctor import Finding, Grade, overall_exit_code
from workflow.errors import format_count

GRADE_COLORS = {Grade.OK: "green", Grade.WARN: "yellow", Grade.FAIL: "bold red"}
COLUMN_WIDTHS = (6, 18)
_FIX_PREFIX = "→ "


def findings_document(findings: Iterable[Finding]) -> dict[str, object]:
    """Return the document that scripts rely on; `fix` is null where there is nothing to do."""
    found = list(findings)
    return {
        "ok": overall_exit_code(found) == 0,
        "exit_code": overall_exit_code(found),
        "counts": {str(grade): sum(each.grade is grade for each in found) for grade in Grade},
        "checks": [
            {"check": each.check, "grade": str(each.grade), "says": each.says, "fix": each.fix or None}
            for each in found
        ],
    }


def is_problem(finding: Finding) -> bool:
    """True for a warning or a failure."""
    return finding.grade in {Grade.WARN, Grade.FAIL}


def print_findings(findings: Sequence[Finding], *, only_problems: bool = False) -> None:
    """Print failures, warnings, what is well unless `only_problems`, what was skipped, and the counts."""
    console = result_console()
    shown = (Grade.FAIL, Grade.WARN) if only_problems else (Grade.FAIL, Grade.WARN, Grade.OK)
    for grade in shown:
        for finding in (each for each in findings if each.grade is grade):
            _print_finding(console, finding)
    skipped = [each for each in findings if each.grade is Grade.SKIP]
    if skipped:
        reasons = ", ".join(
            dict.fromkeys(
                each.says.rpartition("because of ")[2].partition(":")[0].rstrip(".") for each in skipped
            )
        )
        click.echo(f"Skipped: {format_count(len(skipped), 'check')}, because of {reasons}.")
    counts = (Grade.OK, Grade.WARN, Grade.FAIL)
    click.echo(
        ", ".join(f"{sum(each.grade is grade for each in findings)} {grade}" for grade in counts) + "."
    )


def _print_finding(console: Console, finding: Finding) -> None:
    """Print columns on a terminal; elsewhere one line, however long, and one for the fix."""
    fix = f"{_FIX_PREFIX}{finding.fix}" if finding.fix else ""
    if not console.is_terminal:
        grade, check = COLUMN_WIDTHS
        click.echo(f"{finding.grade:<{grade}} {finding.check:<{check}} {finding.says}")
        if fix:
            click.echo(f"{'':<{grade}} {'':<{check}} {fix}")
        return
    line = Table.grid(padding=(0, 1))
    for width in COLUMN_WIDTHS:
        line.add_column(width=width, no_wrap=True)
    line.add_column(overflow="fold")
    line.add_row(
        Text(finding.grade, style=GRADE_COLORS[finding.grade]), Text(finding.check), Text(finding.says)
    )
    if fix:
        line.add_row("", "", Text(fix, style="bold"))
    console.print(line)
