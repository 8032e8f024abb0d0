"""How far a print is by the clock. A print takes what its build's estimate says."""

from dataclasses import dataclass
from datetime import datetime
from math import ceil

from workflow.simulator.things import Build

DOWNLOADED_AFTER_SECONDS = 30.0
HEATED_AFTER_SECONDS = 240.0
COOLING_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Progress:
    """What a device shows of a running print; `current_layer` is None before the first layer."""

    printing_state: str
    current_layer: int | None
    layer_count: int
    percent: float
    seconds_remaining: int


def progress_of(build: Build, started_at: datetime, now: datetime) -> Progress:
    """Give the progress of a print. The percentage follows the time, not the layers (as measured)."""
    elapsed = min(max((now - started_at).total_seconds(), 0.0), build.print_seconds)
    layering = build.print_seconds - HEATED_AFTER_SECONDS - COOLING_SECONDS
    share = (elapsed - HEATED_AFTER_SECONDS) / max(layering, 1.0)
    layer = min(ceil(share * build.layers), build.layers)
    return Progress(
        printing_state=_phase(elapsed, build.print_seconds),
        current_layer=layer if layer >= 1 else None,
        layer_count=build.layers,
        percent=round(100 * elapsed / build.print_seconds, 1),
        seconds_remaining=round(build.print_seconds - elapsed),
    )


def _phase(elapsed: float, total: float) -> str:
    if elapsed < DOWNLOADED_AFTER_SECONDS:
        return "Downloading"
    if elapsed < HEATED_AFTER_SECONDS:
        return "Heating"
    return "Printing" if elapsed < total - COOLING_SECONDS else "Cooling Down"
