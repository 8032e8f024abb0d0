from datetime import UTC, datetime, timedelta

import pytest

from workflow.simulator.models import PartVersion, Preset, SliceJob, StlMeasurement
from workflow.simulator.parts import PrintEstimate, estimate_print, layer_count, slice_status_at

START = datetime(2026, 1, 31, tzinfo=UTC)
GOOD = StlMeasurement("binary", 12, (10, 10, 10), 1.0, flaw=None)
OPEN = StlMeasurement("binary", 11, (10, 10, 10), 0.0, flaw="an open surface")


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "REQUESTED"), (0.3, "QUEUED"), (0.9, "IN_PROGRESS"), (1.9, "IN_PROGRESS"), (2, "COMPLETED")],
)
def test_a_slicing_of_2_seconds(seconds: float, expected: str) -> None:
    slicing = SliceJob("s", "v", START)
    assert slice_status_at(slicing, GOOD, 2.0, START + timedelta(seconds=seconds)) == expected


def test_with_0_seconds_it_is_completed_at_once() -> None:
    assert slice_status_at(SliceJob("s", "v", START), GOOD, 0, START) == "COMPLETED"


def test_what_cannot_be_sliced_ends_as_error() -> None:
    assert slice_status_at(SliceJob("s", "v", START), OPEN, 2.0, START + timedelta(seconds=2)) == "ERROR"


def test_an_end_by_hand_stays() -> None:
    slicing = SliceJob("s", "v", START, ended_as="CANCELED")
    assert slice_status_at(slicing, GOOD, 2.0, START + timedelta(days=1)) == "CANCELED"


@pytest.mark.parametrize(("height_mm", "layers"), [(10, 100), (1.1, 11), (0.7, 7), (0.75, 8), (0.01, 1)])
def test_layers_of_a_tenth_of_a_millimetre(height_mm: float, layers: int) -> None:
    assert layer_count(height_mm) == layers


def version(volume_cm3: float, height_mm: float, fiber: str) -> PartVersion:
    measured = StlMeasurement("binary", 12, (10, 10, height_mm), volume_cm3, flaw=None)
    preset = Preset("i", "Onyx", "Desktop Series", "Onyx", fiber)
    return PartVersion("v", "p", "t", preset, measured, "s", stl=None)


def test_the_estimate_follows_the_mesh() -> None:
    assert estimate_print([version(2.0, 15, "None")]) == PrintEstimate(
        150, 2.0, 0.0, 0.0, 300 + 8 * 150 + 250 * 2
    )


def test_parts_side_by_side_share_the_layers_of_the_tallest() -> None:
    both = estimate_print([version(2.0, 15, "None"), version(1.0, 40, "Carbon Fiber")])
    assert both == PrintEstimate(400, 3.0, 0.3, 0.0, 300 + 8 * 400 + 250 * 3)
