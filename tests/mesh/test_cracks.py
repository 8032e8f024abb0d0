"""Open edges that meet within less than a printer sees are closed; real slits are not."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mesh.solids import Corners, blocks, torus, with_corners_on_an_edge
from workflow.mesh.holes import OpenEdgeSummary, summarize_open_edges
from workflow.mesh.watertight import CornerHashes

CUBE = (57.7, 57.7, 57.7)
"""A size with a diagonal of 100 mm, so that the tolerance is 0.01 mm."""


def holes(corners: Corners, size_mm: tuple[float, float, float] = CUBE) -> OpenEdgeSummary:
    return summarize_open_edges(CornerHashes(lambda: blocks(corners)), len(corners), size_mm)


def slit(width_mm: float, around: int = 40, across: int = 30) -> Corners:
    """Return a ring that was cut through, with one side of the cut moved along z."""
    corners = torus(around, across)
    cut = np.isclose(corners[..., 1], 0, atol=1e-4) & (corners[..., 0] > 0)
    one_side = (corners[..., 1].mean(axis=1) < 0)[:, None]
    corners[..., 2] += np.where(cut & one_side, np.float32(width_mm), np.float32(0))
    return corners


@pytest.mark.parametrize("width_mm", [2e-5, 1e-4, 1e-3, 9e-3])
def test_a_fine_slit_closes_and_its_width_is_reported(width_mm: float) -> None:
    found = holes(slit(width_mm))
    assert found.count.open_edges == 60
    assert found.is_closed_without_cracks
    assert found.cracks is not None
    assert found.cracks.gap_mm == pytest.approx(width_mm, rel=0.2)
    assert (found.cracks.flipped_edges, found.all_cracks) == (0, ())


@pytest.mark.parametrize("width_mm", [0.05, 1])
def test_a_slit_that_prints_stays_open(width_mm: float) -> None:
    found = holes(slit(width_mm))
    assert found.count.open_edges == 60
    assert not found.is_closed_without_cracks


def test_a_rim_of_near_corners_is_not_swallowed() -> None:
    """5,000 corners around a hole are nearer to each other than twice the tolerance."""
    corners = torus(5_000, 3).reshape(2, 5_000, 3, 3, 3)[:, :, :2].reshape(-1, 3, 3)
    found = holes(corners, (577, 577, 577))
    assert found.count.open_edges == 10_000
    assert sum(hole.edges for hole in found.holes) == 10_000


def test_noise_on_every_corner_closes() -> None:
    corners = torus(40, 30)
    noise = np.random.default_rng(5).uniform(-2e-4, 2e-4, corners.shape).astype(np.float32)
    found = holes(np.add(corners, noise))
    assert found.count.open_edges == 3 * len(corners)
    assert found.is_closed_without_cracks
    assert found.cracks is not None
    assert found.cracks.gap_mm < 1e-3


@pytest.mark.parametrize("count", [1, 2, 50])
def test_t_junctions_of_width_0_close_and_are_cracks(count: int) -> None:
    found = holes(with_corners_on_an_edge([(each + 1) / (count + 1) for each in range(count)]))
    assert found.is_closed_without_cracks
    (crack,) = found.all_cracks
    assert crack.length_mm == pytest.approx(20)
    assert crack.width_mm < 1e-5
    assert crack.center_mm == pytest.approx((10, 0, 20))


def test_the_order_of_facets_changes_nothing() -> None:
    corners = with_corners_on_an_edge([0.25, 0.5])
    fan = len(corners) - 3
    for order in permutations(range(fan, len(corners))):
        assert holes(corners[[*range(fan), *order]]).all_cracks == holes(corners).all_cracks


@pytest.mark.parametrize(("offset_mm", "closes"), [(0.0007, True), (0.05, False)])
def test_a_sliver_closes_within_the_tolerance(offset_mm: float, closes: bool) -> None:
    found = holes(with_corners_on_an_edge([0.5], offset_mm))
    assert found.is_closed_without_cracks == closes
    if closes:
        assert found.all_cracks[0].width_mm == pytest.approx(offset_mm, rel=0.01)
    else:
        assert found.holes[0].width_mm == pytest.approx(offset_mm, rel=0.01)


@given(st.lists(st.floats(0.03125, 0.96875, width=32), min_size=1, max_size=8, unique=True))
def test_any_corners_on_an_edge_close(shares: list[float]) -> None:
    assert holes(with_corners_on_an_edge(shares)).is_closed_without_cracks


@given(st.lists(st.integers(1, 19), min_size=1, max_size=8, unique=True))
def test_corners_beside_an_edge_never_close(places: list[int]) -> None:
    found = holes(with_corners_on_an_edge([place / 20 for place in places], 0.1))
    assert not found.is_closed_without_cracks


def test_a_crack_that_meets_a_hole_keeps_the_hole() -> None:
    corners = with_corners_on_an_edge([0.5])
    found = holes(np.delete(corners, 0, axis=0))
    (hole,) = found.holes
    assert hole.length_mm == pytest.approx(20, rel=0.01)
    assert found.all_cracks[0].length_mm == pytest.approx(20)
