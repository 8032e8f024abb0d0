"""Checks and their findings: a grade, one line, one fix.

Checks run in order, each with a time limit: a share or server that hangs does not block the checkup.
"""

import shlex
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from enum import StrEnum
from functools import partial
from subprocess import list2cmdline
from typing import TypeVar

from workflow.errors import (
    EXIT_CLOUD,
    EXIT_OK,
    EXIT_SOME_FAILED,
    EXIT_USAGE,
    StlflowError,
    catch_faults,
    error_reason,
)
from workflow.frozen import frozen


class Grade(StrEnum):
    """How serious a finding is."""

    OK = "ok"
    WARN = "warn"
    """The service runs, and someone should know."""
    FAIL = "fail"
    """The service does not start, stops, or waits forever."""
    SKIP = "skip"
    """Could not be checked, because of another finding."""


@frozen
class Finding:
    """One line about one check, and what to do where it is not well; never with a secret in it.

    `check` is the name that scripts rely on, `exit_code` what a failure means for the whole.
    """

    grade: Grade
    says: str
    fix: str = ""
    exit_code: int = EXIT_OK
    check: str = ""


def ok(says: str) -> Finding:
    """Return a finding that all is well, with what was found."""
    return Finding(Grade.OK, says)


def warn(says: str, fix: str) -> Finding:
    """Return a warning: the service runs, and a person should know."""
    return Finding(Grade.WARN, says, fix)


def fail(says: str, fix: str, exit_code: int = EXIT_SOME_FAILED) -> Finding:
    """Return a failure: something stops the service."""
    return Finding(Grade.FAIL, says, fix, exit_code)


def skip(says: str) -> Finding:
    """Return a finding for a check that could not run, with the reason."""
    return Finding(Grade.SKIP, says)


def quote_word(word: object) -> str:
    """Return a word as a shell reads it: people paste commands, and names of files come from anybody."""
    return list2cmdline([str(word)]) if sys.platform == "win32" else shlex.quote(str(word))


def shortened_list(names: Sequence[str], most: int) -> str:
    """Return the first names as one text, and … for the others."""
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")


def overall_exit_code(findings: Iterable[Finding]) -> int:
    """Return the exit code: wrong settings or rules come first, then the cloud, then any other failure."""
    codes = {finding.exit_code for finding in findings if finding.grade is Grade.FAIL}
    return next((code for code in (EXIT_USAGE, EXIT_CLOUD, EXIT_SOME_FAILED) if code in codes), EXIT_OK)


T = TypeVar("T")
CHECK_TIMEOUT_SECONDS = 15.0
_REPORT_BUG_FIX = "This is a fault in stlflow. Please report it with this line."
_TIMEOUT_FIX = "Something hangs. Check the mount, the disk or the server, then run the doctor again."


@frozen
class Check:
    """One check; `run` yields its findings. If a `gate` fails, the checks after it are skipped."""

    name: str
    asks: str
    run: Callable[[], Iterable[Finding]]
    gate: bool = False
    limit_seconds: float = CHECK_TIMEOUT_SECONDS
    silent_code: int = EXIT_SOME_FAILED
    """The exit code when there is no answer within the limit."""


def checks_of(subject: T, *rows: tuple[str, str, Callable[[T], Iterable[Finding]]]) -> tuple[Check, ...]:
    """Return checks of one subject. Each row: its name, what it asks, and what answers."""
    return tuple(Check(name, asks, partial(answer, subject)) for name, asks, answer in rows)


def run_checks(checks: Sequence[Check]) -> Iterator[Finding]:
    """Run checks one after the other; those after a failed gate are skipped, and say so."""
    closed_by = ""
    for check in checks:
        if closed_by:
            yield replace(skip(f"Not checked, because of {closed_by}."), check=check.name)
            continue
        findings = run_check(check)
        yield from findings
        if check.gate and any(finding.grade is not Grade.OK for finding in findings):
            closed_by = check.name


def run_check(check: Check) -> tuple[Finding, ...]:
    """Return what a check finds within its limit; its thread is left behind when it takes longer."""
    found: list[Finding] = []
    collect = partial(catch_faults, partial(_collect_findings, check, found), partial(_add_fault, found))
    thread = threading.Thread(target=collect, name=check.name, daemon=True)
    thread.start()
    thread.join(check.limit_seconds)
    findings = list(found)
    if thread.is_alive():
        findings.append(
            fail(f"{check.limit_seconds:g} s without an answer.", _TIMEOUT_FIX, check.silent_code)
        )
    return tuple(replace(finding, check=check.name) for finding in findings)


def _collect_findings(check: Check, found: list[Finding]) -> None:
    try:
        for finding in check.run():
            found.append(finding)  # one by one: what was found before a timeout is kept
    except StlflowError as error:
        found.append(fail(str(error), "Do what the line says, then run the doctor again.", error.exit_code))
    except OSError as error:
        place = f": {error.filename}" if error.filename else ""
        found.append(fail(f"{error_reason(error)}{place}.", "Correct that, then run the doctor again."))


def _add_fault(found: list[Finding], fault: Exception) -> None:
    found.append(fail(f"The check itself failed ({type(fault).__name__}).", _REPORT_BUG_FIX))
