"""Slicing: how far it is by the clock, and what comes out of it.

The figures are invented but follow the mesh: layers of 0.1 mm, material by volume, and
300 s + 8 s per layer + 250 s per cm³ of printing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from workflow.simulator.things import NO_FIBER, Measured, PartVersion, SliceJob

LAYER_MM = 0.1
SETUP_SECONDS = 300.0
SECONDS_PER_LAYER = 8.0
SECONDS_PER_CM3 = 250.0
FIBER_SHARE = 0.1

PHASES = ((0.25, "IN_PROGRESS"), (0.1, "QUEUED"), (0.0, "REQUESTED"))
"""From which share of the slicing time on each status shows."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a slicer says of parts printed together."""

    layers: int
    primary_cm3: float
    fiber_cm3: float
    print_seconds: float


def status(slicing: SliceJob, measured: Measured, slice_seconds: float, now: datetime) -> str:
    """Give the slice job's status at a moment; the words stand only in the contract's prose."""
    if slicing.ended_as:
        return slicing.ended_as
    elapsed = (now - slicing.requested_at).total_seconds()
    if elapsed >= slice_seconds:
        return "ERROR" if measured.flaw else "COMPLETED"
    return next(word for share, word in PHASES if elapsed >= share * slice_seconds)


def estimate(versions: Sequence[PartVersion]) -> Estimate:
    """Estimate the print of these parts side by side: the tallest decides the layers."""
    volume_cm3 = sum(version.measured.volume_cm3 for version in versions)
    layers = max(layers_of(version.measured.size_mm[2]) for version in versions)
    fiber = any(version.preset.secondary != NO_FIBER for version in versions)
    return Estimate(
        layers=layers,
        primary_cm3=round(volume_cm3, 3),
        fiber_cm3=round(volume_cm3 * FIBER_SHARE, 3) if fiber else 0.0,
        print_seconds=round(SETUP_SECONDS + SECONDS_PER_LAYER * layers + SECONDS_PER_CM3 * volume_cm3, 1),
    )


def layers_of(height_mm: float) -> int:
    """How many layers a height takes; a float's last digit makes no layer of its own."""
    return max(1, ceil(height_mm / LAYER_MM - 1e-3))
