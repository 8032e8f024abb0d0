"""`stlflow doctor`: what would stop the service; `status`: its condition; `bundle`: both for a maintainer."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from workflow.cli.output import json_option, print_hanging, print_json
from workflow.errors import SettingsError, error_reason


@click.command()
@click.option("--problems", is_flag=True, help="Show only warnings and failures.")
@json_option
def doctor(problems: bool, as_json: bool) -> int:
    """Check all that could stop the service; problems come first.

    Each has a fix. Changes nothing, except for probe files that are removed again. Works before `init`,
    beside a running service, and without a network. Exit codes: 0 all well, or warnings only; 1 a check
    failed; 2 settings, keys or rules are wrong; 3 Eiger can't be reached or refuses the keys.
    """
    from workflow.cli.doctor_output import findings_document, is_problem, print_findings
    from workflow.doctor import overall_exit_code, run_all_checks

    _silence_log()
    findings = list(_shown_while_running(run_all_checks()))
    if as_json:
        print_json(findings_document([each for each in findings if not problems or is_problem(each)]))
    else:
        print_findings(findings, only_problems=problems)
    return overall_exit_code(findings)


def _shown_while_running(findings: Iterator[Any]) -> Iterator[Any]:
    """Yield the findings, with the name of each check on a terminal while they come."""
    if not sys.stderr.isatty():
        yield from findings
        return
    from workflow.cli.progress import progress_console

    with progress_console().status("Checking…") as shown:
        for finding in findings:
            shown.update(f"Checked {finding.check} …")
            yield finding


@click.command()
@json_option
def status(as_json: bool) -> int:
    """Show whether the service is alive, and what waits.

    Exit codes, as monitors expect them: 0 all well; 1 something waits for a person; 2 critical: no worker
    is running, the database or the share is away, or the settings are wrong; 3 Eiger can't be reached or
    refuses the keys. Nothing is changed.
    """
    from workflow.doctor.submissions import read_status
    from workflow.settings import load_settings

    _silence_log()
    seen = read_status(load_settings())
    if as_json:
        print_json(_document(seen))
    else:
        _print_screen(seen)
    return seen.exit_code


def _document(seen: Any) -> dict[str, object]:
    parts = ("service", "database", "cloud", "share")
    return {
        "ok": seen.exit_code == 0,
        "exit_code": seen.exit_code,
        **{part: _finding_document(getattr(seen, part)) for part in parts},
        "counts": {state.value: count for state, count in sorted(seen.counts.items())},
        "waiting": [{"check": each.check, **_finding_document(each)} for each in seen.waiting],
    }


def _finding_document(finding: Any) -> dict[str, object]:
    return {"grade": finding.grade.value, "says": finding.says, "fix": finding.fix or None}


def _print_screen(seen: Any) -> None:
    for part in ("service", "database", "share", "cloud"):
        _print_finding(part, getattr(seen, part), str(getattr(seen, part).grade))
    counts = ", ".join(f"{count:,} {state.value}" for state, count in sorted(seen.counts.items()))
    print_hanging(f"{'files':<9} {'':<5} ", counts or "none yet")
    if not seen.waiting:
        print_hanging(f"{'waiting':<9} {'':<5} ", "nothing waits for a person")
    for finding in seen.waiting:
        _print_finding("waiting", finding, "")


def _print_finding(part: str, finding: Any, grade: str) -> None:
    print_hanging(f"{part:<9} {grade:<5} ", finding.says)
    if finding.fix:
        print_hanging(f"{'':<15} → ", finding.fix)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def bundle(file: Path) -> None:
    """Write a support bundle to a new FILE, a zip.

    In it: what the doctor finds, settings, rules, releases, counts, the latest submissions with their
    history, and the end of the log. Keys, people, machines and names of files and folders are cut out.
    stlflow may run meanwhile.
    """
    from workflow.doctor import run_all_checks
    from workflow.doctor.bundle import make_bundle
    from workflow.operations import open_ledger_if_any
    from workflow.settings import load_settings

    _silence_log()
    settings = load_settings()
    with open_ledger_if_any(settings) as ledger:
        content = make_bundle(settings, ledger, run_all_checks())
    try:
        with file.open("xb") as new:
            new.write(content)
    except FileExistsError:
        raise SettingsError(f"{file} exists. Name a new file.") from None
    except OSError as error:
        raise SettingsError(f"{file} can't be written: {error_reason(error)}.") from None
    click.echo(f"{file} is written, {len(content) / 1000:,.0f} kB. Look through it before you send it.")


def _silence_log() -> None:
    """Log almost nothing: what matters is a finding."""
    from workflow.logs import set_up_logs

    set_up_logs("CRITICAL", as_json=False, folder=None)
