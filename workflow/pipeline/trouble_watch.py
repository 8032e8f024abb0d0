"""Watches for trouble that is no submission's own: the cloud, the share, the rules, hanging calls."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from workflow.errors import CloudError, catch_faults, error_reason
from workflow.ledger import RULES_ERROR_KEY, Ledger, list_hanging
from workflow.model import NoticeEvent, TroubleState
from workflow.notices import ARRIVAL, CLOUD, HANGING, RULES, SHARE, advance_trouble
from workflow.pipeline.context import Context, now
from workflow.pipeline.work_queue import FailureLog
from workflow.settings import NoticeSettings, default_events

CHECK_SECONDS = 20.0
PROBE_SECONDS = 10.0
Probe = Callable[[], str | None]
"""Returns what is wrong; None if all is well."""


@dataclass
class TroubleWatch:
    """Checks every kind of trouble in turn, in a thread of its own.

    `own` are those of this machine; of the others, which all workers share, only the one that `leads` checks.
    """

    ledger: Ledger
    shared: Mapping[str, Probe]
    own: Mapping[str, Probe] = field(default_factory=dict)
    leads: Callable[[], bool] = lambda: True
    clock: Callable[[], datetime] = now
    _failures: FailureLog = field(
        default_factory=lambda: FailureLog("The watch over troubles", "It goes on then.")
    )

    def run(self, stop: threading.Event) -> None:
        """Check until told to stop."""
        while not stop.is_set():
            with self._failures:
                self.check()
            stop.wait(CHECK_SECONDS)

    def check(self) -> None:
        """Check once. Raises StateFolderError."""
        for kind, probe in {**self.own, **(self.shared if self.leads() else {})}.items():
            self.ledger.troubles.update(kind, partial(self._advance, catch_faults(probe, error_reason)))

    def _advance(self, found: str | None, state: TroubleState) -> tuple[TroubleState, NoticeEvent | None]:
        return advance_trouble(state, found, self.clock())


class TimedProbe:
    """A probe that may hang, as a share does: that it does not answer is what is wrong then."""

    def __init__(self, probe: Probe, silence: str, seconds: float = PROBE_SECONDS) -> None:
        self._probe, self._silence, self._seconds = probe, silence, seconds
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._begun = 0.0
        self._found: str | None = None

    def __call__(self) -> str | None:
        """Return what the probe finds; one that hangs is not started a second time."""
        with self._lock:  # several pages may ask at once
            if self._thread is None or not self._thread.is_alive():
                self._begun = time.monotonic()
                self._thread = threading.Thread(target=self._run, name="trouble probe", daemon=True)
                self._thread.start()
            thread = self._thread
        thread.join(max(self._begun + self._seconds - time.monotonic(), 0.0))
        return self._silence if thread.is_alive() else self._found

    def _run(self) -> None:
        self._found = catch_faults(self._probe, error_reason)


def make_trouble_watch(context: Context, host: str, leads: Callable[[], bool]) -> TroubleWatch:
    """Return the watch of a service; `host` names this machine where several work together."""
    ledger, share = context.ledger, context.share
    of_share = f"{SHARE} {host}" if ledger.is_shared else SHARE
    silence = f"{share.root} does not answer{f' on {host}' if ledger.is_shared else ''}."
    shared: dict[str, Probe] = {
        CLOUD: partial(_probe_cloud, context),
        RULES: lambda: ledger.metadata.read(RULES_ERROR_KEY) or None,
        HANGING: lambda: list_hanging(ledger) or None,
        ARRIVAL: partial(_probe_arrival, ledger),
    }
    return TroubleWatch(ledger, shared, {of_share: TimedProbe(share.absence_reason, silence)}, leads)


def hears_trouble(settings: NoticeSettings) -> bool:
    """True if any target hears of trouble: nothing is checked for nobody."""
    return any(
        NoticeEvent.TROUBLE in (default_events(name) if target.events is None else target.events)
        for name, target in settings.targets.items()
    )


def _probe_cloud(context: Context) -> str | None:
    try:
        context.client.ping()
    except CloudError as error:
        return str(error)
    return None


def _probe_arrival(ledger: Ledger) -> str | None:
    waiting = [path for path, accepted in ledger.mass_arrival.read_paths().items() if not accepted]
    return f"{len(waiting):,} files wait, {min(waiting)} among them." if waiting else None
