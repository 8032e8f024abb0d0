"""Checks in order, each with a limit of time: a share or a server that is silent holds nobody up."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from workflow.doctor.finding import Finding, Grade, fail, skip
from workflow.errors import EXIT_SOME_FAILED, StlflowError

LIMIT_SECONDS = 15.0
_REPORT = "This is a fault of stlflow's own: please report it with this line."
_SILENT = "Something behind it hangs: look at the mount, the disk or the server, then ask again."


@dataclass(frozen=True, slots=True)
class Check:
    """One question; `look` answers it. Behind a `gate` that is not well, the rest can't be looked at."""

    name: str
    asks: str
    look: Callable[[], Iterable[Finding]]
    gate: bool = False
    limit_seconds: float = LIMIT_SECONDS
    silent_code: int = EXIT_SOME_FAILED
    """The exit code when there is no answer within the limit."""


def examined(checks: Sequence[Check]) -> Iterator[Finding]:
    """Look at one after the other; what stands behind a closed gate is skipped, and says so."""
    closed_by = ""
    for check in checks:
        if closed_by:
            yield replace(skip(f"Not looked at, because of {closed_by}."), check=check.name)
            continue
        findings = observed(check)
        yield from findings
        if check.gate and any(finding.grade is not Grade.OK for finding in findings):
            closed_by = check.name


def observed(check: Check) -> tuple[Finding, ...]:
    """Give what a check finds within its limit; its thread is left behind when it takes longer."""
    found: list[Finding] = []
    thread = threading.Thread(target=_look, args=(check, found), name=check.name, daemon=True)
    thread.start()
    thread.join(check.limit_seconds)
    findings = list(found)
    if thread.is_alive():
        findings.append(fail(f"{check.limit_seconds:g} s without an answer.", _SILENT, check.silent_code))
    return tuple(replace(finding, check=check.name) for finding in findings)


def _look(check: Check, found: list[Finding]) -> None:
    try:
        for finding in check.look():
            found.append(finding)  # one by one: what was found before a silence counts
    except StlflowError as error:
        found.append(fail(str(error), "Do what the line says, then ask again.", error.exit_code))
    except OSError as error:
        place = f": {error.filename}" if error.filename else ""
        found.append(fail(f"{error.strerror or error}{place}.", "Put that right, then ask again."))
    except Exception as fault:  # noqa: BLE001  # a checkup that breaks down helps nobody
        found.append(fail(f"The check itself broke down ({type(fault).__name__}).", _REPORT))
