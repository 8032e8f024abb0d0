"""The options of a simulator, its quirks, and the options that imitate a real account."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

QUIRKS = {
    "open-enums": "An FX10 and a furnace of type Sinter-1: outside the contract's enums.",
    "stale-printing": "42 jobs of the last four months stay `Printing` in the list of print jobs forever.",
    "null-device": "Jobs that are `Printing` in the list of print jobs have no device.",
    "progress-per-layer": "The progress of a running print moves once per layer, as does the time left.",
    "queue-keeps-id": "A started entry of a queue becomes a print job with the same id.",
    "request-makes-job": "A started job request or backlog entry is removed, and a new print job made.",
    "progress-on-device-only": "A running job shows its progress at the device, never in the print jobs.",
    "past-jobs": "195 print jobs that ended in the last 90 days: completed, canceled, failed, unknown.",
    "extra-fields": "Fields that the contract does not name, among them personal data.",
    "deaf-printer": "A printer replies 201 to a job and never starts it.",
    "other-titles": "A build that comes by itself has another title than its part.",
    "one-part": "Every upload makes a new version of the part that the first upload made.",
    "no-units": "A part version says nothing of its unit and scale.",
}
"""Behavior beyond the contract, by name: seen on the real service, or possible there."""

REALISTIC_QUIRKS = frozenset(QUIRKS) - {
    "deaf-printer", "other-titles", "one-part", "no-units", "queue-keeps-id", "request-makes-job",
}  # fmt: skip
"""The quirks that were seen on the real service."""


MAX_NUMBER = 1_000_000_000
"""Of seconds and factors: beyond it a clock would leave the calendar."""


@dataclass(frozen=True, slots=True)
class SimulatorOptions:
    """How the simulated Eiger behaves. Raises ValueError, with the choices, for an unknown name.

    `builds`: "auto" makes a one-part build when slicing completes, "manual" leaves builds to a person.
    `slice_seconds` 0 slices at once. `seed` decides ids and chance. `port` 0 picks a free one.
    `units` and `scale`: how an uploaded STL is read. Units are any word: the API has no list of them.
    `take_seconds`: how long until a printer shows the job that it was sent.
    `operator_seconds`: how long until an operator clears a bed and starts the next print of a queue.
    `date_ahead_seconds`: how far `Date` is ahead of the times in the replies' bodies; below 0, behind.
    """

    access_key: str = field(default="demo", repr=False)
    secret_key: str = field(default="demo", repr=False)
    builds: str = "auto"
    slice_seconds: float = 2.0
    build_delay_seconds: float = 0.0
    take_seconds: float = 0.0
    operator_seconds: float = 300.0
    units: str = "mm"
    scale: float = 1.0
    date_ahead_seconds: float = 0.0
    seed: int = 1
    quirks: frozenset[str] = frozenset()
    host: str = "127.0.0.1"
    port: int = 0

    def __post_init__(self) -> None:
        if self.builds not in {"auto", "manual"}:
            raise ValueError(f"builds is auto or manual, not {self.builds!r}.")
        if unknown := sorted(self.quirks - set(QUIRKS)):
            raise ValueError(f"No quirk {unknown[0]!r}; there are {', '.join(sorted(QUIRKS))}.")
        seconds = (self.slice_seconds, self.build_delay_seconds, self.take_seconds, self.operator_seconds)
        if not all(0 <= each <= MAX_NUMBER for each in seconds):
            raise ValueError(f"Seconds are 0 or more, up to {MAX_NUMBER:,}.")
        if not 0 < self.scale <= MAX_NUMBER:
            raise ValueError(f"The scale is above 0, up to {MAX_NUMBER:,}.")


_NUMBERS = {"slice_seconds", "build_delay_seconds", "scale", "date_ahead_seconds"}
_WORDS = {"builds", "units"}


def options_like(file: Path) -> dict[str, object]:
    """Return the options that an observed.json gives, without what it does not know. Raises ValueError."""
    try:
        observed = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{file} can't be read as JSON: {error}") from None
    if not isinstance(observed, dict) or "observed_at" not in observed:
        raise ValueError(f"{file} was not written by `stlflow first-contact`.")
    known = {name: observed[name] for name in (*_NUMBERS, *_WORDS) if observed.get(name) is not None}
    wrong = [
        name
        for name, value in known.items()
        if not isinstance(value, str if name in _WORDS else int | float) or isinstance(value, bool)
    ]
    if wrong:
        raise ValueError(f"{file}: {wrong[0]} is {known[wrong[0]]!r}.")
    return {**known, "quirks": frozenset(_quirks(observed))}


def _quirks(observed: Mapping[str, object]) -> set[str]:
    jobs = observed.get("print_jobs")
    counts = jobs if isinstance(jobs, dict) else {}
    seen = {
        "other-titles": observed.get("build_title") == "other",
        "no-units": observed.get("uploaded") is not None and observed.get("units") is None,
        "stale-printing": bool(counts.get("stale")),
        "null-device": bool(counts.get("without_device")),
        "open-enums": bool(observed.get("unlisted_types")),
    }
    return {name for name, there in seen.items() if there}
