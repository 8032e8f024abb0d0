"""What a check found: a grade, one line, and one fix."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from workflow.errors import EXIT_CLOUD, EXIT_OK, EXIT_SOME_FAILED, EXIT_USAGE


class Grade(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    """The service runs, and somebody should know."""
    FAIL = "fail"
    """The service does not start, or stops, or waits for ever."""
    SKIP = "skip"
    """Could not be looked at, because of another finding."""


@dataclass(frozen=True, slots=True)
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
    """Say that all is well, with what was seen."""
    return Finding(Grade.OK, says)


def warn(says: str, fix: str) -> Finding:
    """Say what somebody should know."""
    return Finding(Grade.WARN, says, fix)


def fail(says: str, fix: str, exit_code: int = EXIT_SOME_FAILED) -> Finding:
    """Say what stops the service."""
    return Finding(Grade.FAIL, says, fix, exit_code)


def skip(says: str) -> Finding:
    """Say why something could not be looked at."""
    return Finding(Grade.SKIP, says)


def outcome(findings: Iterable[Finding]) -> int:
    """Give the exit code: wrong settings or rules come first, then the cloud, then any other failure."""
    codes = {finding.exit_code for finding in findings if finding.grade is Grade.FAIL}
    return next((code for code in (EXIT_USAGE, EXIT_CLOUD, EXIT_SOME_FAILED) if code in codes), EXIT_OK)
