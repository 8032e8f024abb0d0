"""The doctor's findings as the console shows them: made in the background, kept, and made again when old."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock, Thread

from workflow.doctor import Finding, fail
from workflow.errors import catch_faults
from workflow.pipeline.context import now

OLD_AFTER = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class CheckupState:
    """The last findings, when they were made, and whether new ones are being made."""

    findings: tuple[Finding, ...] = ()
    at: datetime | None = None
    is_running: bool = False


class Checkup:
    """One per console; at most one checkup runs."""

    def __init__(self, run: Callable[[], Iterator[Finding]]) -> None:
        self._run = run
        self._lock = Lock()
        self._state = CheckupState()

    def state(self, *, again: bool = False) -> CheckupState:
        """Return what is known; new findings are begun if those are old, or if they are asked for."""
        with self._lock:
            at = self._state.at
            if not self._state.is_running and (again or at is None or now() - at > OLD_AFTER):
                self._state = CheckupState(self._state.findings, at, is_running=True)
                Thread(target=self._check, name="checkup", daemon=True).start()
            return self._state

    def _check(self) -> None:
        findings = catch_faults(lambda: tuple(self._run()), _fault_finding)
        with self._lock:
            self._state = CheckupState(findings, now())


def _fault_finding(fault: Exception) -> tuple[Finding, ...]:
    why = f"The checkup itself failed ({type(fault).__name__})."
    return (fail(why, "This is a fault in stlflow. Please report it with this line."),)
