"""What every page works with: the ledger, the settings, the key that signs cookies, and the last checkup."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event, Lock, Thread

from workflow.assembly import share_from_ledger
from workflow.console.viewer_meshes import MESHES_FOLDER, ViewerMeshes
from workflow.console.waiting_files import InboxReader
from workflow.doctor import Finding, fail, run_checks_of
from workflow.errors import ShareError, catch_faults
from workflow.frozen import frozen
from workflow.inbox_files import read_inbox
from workflow.intake import InboxListing, Share
from workflow.ledger import Ledger
from workflow.pipeline.context import now
from workflow.pipeline.trouble_watch import TimedProbe
from workflow.routing import RuleTestResult
from workflow.settings import Settings
from workflow.state_folder import read_private_key

KEY_FILE = "console.key"
SHARE_SECONDS = 2.0
"""How long a page waits for the share."""
OLD_AFTER = timedelta(minutes=10)
"""Findings of a checkup that are older are made again in the background."""


def wake_nobody() -> None:
    """Do nothing: the service is another process, and finds changes by itself."""


def never_stalled() -> float:
    """Return 0: a console on its own has no loop but the one that answers."""
    return 0.0


@frozen
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


@dataclass(slots=True)
class Console:
    """One console. `wake` makes the service check at once, `stalled_seconds` says for how
    long its loop has not turned; `stop` is set when the server ends."""

    ledger: Ledger
    settings: Settings
    key: bytes
    wake: Callable[[], None] = wake_nobody
    stalled_seconds: Callable[[], float] = never_stalled
    stop: Event = field(default_factory=Event)
    viewer_meshes: ViewerMeshes = field(init=False)
    checkup: Checkup = field(init=False)
    share_probe: TimedProbe = field(init=False)
    inbox: InboxReader = field(init=False)
    rule_tests: dict[str, tuple[RuleTestResult, ...]] = field(default_factory=dict)
    """The results of the last revision of the rules that was shown."""
    shown_arrivals: deque[tuple[str, frozenset[str]]] = field(default_factory=lambda: deque(maxlen=4))
    """The bulk arrivals of the last questions, each with its digest."""

    def __post_init__(self) -> None:
        """Begin with no mesh being made, and nothing checked."""
        self.viewer_meshes = ViewerMeshes(self.settings.state.absolute() / MESHES_FOLDER)
        self.checkup = Checkup(self.run_checks)
        silence = f"The share {self.settings.share} does not answer. Check the mount and the file server."
        self.share_probe = TimedProbe(self.touch_share, silence, SHARE_SECONDS)
        self.inbox = InboxReader(self.read_inbox)

    def read_inbox(self) -> InboxListing:
        """Return what is in the inbox and not taken. Raises ShareError, OSError, StateFolderError."""
        return read_inbox(self.settings, self.ledger, self.share)

    def touch_share(self) -> None:
        """Return once the share, and the inbox, say something: that they are away is said elsewhere."""
        for place in filter(None, (self.settings.share, self.settings.read_only_inbox)):
            with suppress(OSError):
                place.stat()

    def run_checks(self) -> Iterator[Finding]:
        """Run the doctor's checks, one finding at a time."""
        return run_checks_of(self.settings)

    @property
    def share(self) -> Share:
        """Return the share as the ledger knows it now. Raises ShareError if it hangs.

        A call on a mount that hangs never ends, and each one would keep a thread of the server.
        """
        if silence := self.share_probe():
            raise ShareError(silence)
        return share_from_ledger(self.settings, self.ledger)


def read_key(state: Path) -> bytes:
    """Return the key that signs cookies, made at the first start. Raises StateFolderError."""
    return read_private_key(state.absolute() / KEY_FILE)
