"""Running copies of stlflow, and how hard the cloud lets them work."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Backpressure:
    """How much a process is slowed down: complaints by Eiger about its load, and the rest of a pause."""

    complaints: int = 0
    pause_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Worker:
    """One running stlflow; times by the ledger's clock.

    `home` names its state folder and survives restarts; `name` is new at each start.
    """

    name: str
    home: str
    host: str
    pid: int
    release: str
    since: datetime
    seen_at: datetime
