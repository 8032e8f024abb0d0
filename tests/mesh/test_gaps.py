"""Open edges that meet within less than a printer sees are closed; real slits are not."""

import numpy as np
import pytest

from tests.mesh.solids import Corners, blocks, torus
from workflow.mesh.open_edges import OpenEdgeSummary, summarize_open_edges
from workflow.mesh.watertight import CornerHashes


def holes(corners: Corners, diagonal_mm: float = 100) -> OpenEdgeSummary:
    return summarize_open_edges(CornerHashes(lambda: blocks(corners)), len(corners), diagonal_mm)


def slit(width_mm: float, around: int = 40, across: int = 30) -> Corners:
    """Give a ring that was cut through, and one side of the cut moved along z."""
    corners = torus(around, across)
    cut = np.isclose(corners[..., 1], 0, atol=1e-4) & (corners[..., 0] > 0)
    one_side = (corners[..., 1].mean(axis=1) < 0)[:, None]
    corners[..., 2] += np.where(cut & one_side, np.float32(width_mm), np.float32(0))
    return corners


@pytest.mark.parametrize("width_mm", [2e-5, 1e-4, 1e-3, 9e-3])
def test_a_fine_slit_closes_and_its_width_is_told(width_mm: float) -> None:
    found = holes(slit(width_mm))
    assert found.open_edges == 60
    assert found.closing is not None
    assert found.closing.gap_mm == pytest.approx(width_mm, rel=0.2)
    assert found.closing.flipped_edges == 0


@pytest.mark.parametrize("width_mm", [0.05, 1])
def test_a_slit_that_prints_stays_open(width_mm: float) -> None:
    found = holes(slit(width_mm))
    assert found.open_edges == 60
    assert found.closing is None


def test_a_rim_of_near_corners_is_not_swallowed() -> None:
    """5,000 corners around a hole stand nearer to each other than the tolerance."""
    corners = torus(5_000, 3).reshape(2, 5_000, 3, 3, 3)[:, :, :2].reshape(-1, 3, 3)
    found = holes(corners, diagonal_mm=1000)
    assert found.open_edges == 10_000
    assert found.closing is None


def test_noise_on_every_corner_closes() -> None:
    corners = torus(40, 30)
    noise = np.random.default_rng(5).uniform(-2e-4, 2e-4, corners.shape).astype(np.float32)
    found = holes(np.add(corners, noise))
    assert found.open_edges == 3 * len(corners)
    assert found.closing is not None
    assert found.closing.gap_mm < 1e-3
