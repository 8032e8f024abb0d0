"""The last seen state of a printer or furnace. None where Eiger says nothing: no news is not "0 left"."""

from collections.abc import Mapping
from datetime import datetime

from workflow.frozen import frozen

_NEEDED_ACTIONS: Mapping[str, str] = {
    "print finished": "clear the bed",
    "print bed needs clearing": "clear the bed",
    "purge strip removal needed": "remove the purge strip",
    "print paused": "resume or cancel it",
    "utility finished": "confirm it at the printer",
}


def needed_action(state: str | None) -> str | None:
    """Return what a person has to do before a printer in this state prints; None if that is not known."""
    return None if state is None else _NEEDED_ACTIONS.get(state.casefold())


def describe_printer_state(state: str | None) -> str:
    """Return Eiger's word for the state, with what a person has to do."""
    action = needed_action(state)
    return (state or "state unknown") + (f" ({action})" if action else "")


@frozen
class RunningPrint:
    """The print that a printer shows as running; `percent` is 0 to 100, and moves about once per layer."""

    job_id: str
    name: str | None = None
    """The title of its build."""
    build_id: str | None = None
    percent: float | None = None
    seconds_left: float | None = None
    submission: int | None = None
    """Our submission that it prints; None for a print of others, and while that is not known."""


@frozen
class LoadedMaterial:
    """A plastic, metal or fiber in a printer, and how many cm³ of it are left."""

    kind: str
    """"material" or "fiber"."""
    name: str
    left_cm3: float | None = None


@frozen
class PrinterSnapshot:
    """A printer as Eiger listed it at `seen_at`; one that is no longer listed keeps its last state."""

    id: str
    name: str
    model: str
    series: str
    seen_at: datetime
    state: str | None = None
    """Eiger's own word, such as Ready, Printing or Offline; new words may come."""
    running: RunningPrint | None = None
    queue_length: int | None = None
    queue_seconds: float | None = None
    queued: tuple[int, ...] = ()
    """Our submissions that wait in its queue, one entry for each copy."""
    loaded: tuple[LoadedMaterial, ...] = ()


@frozen
class PrinterOutage:
    """A printer that a person took out of choice: no rule picks it until then, or until it is put back."""

    device_id: str
    reason: str
    by: str
    since: datetime
    until: datetime | None = None
    """None until someone puts it back."""
