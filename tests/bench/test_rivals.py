"""The judge counts edges by hand, and whoever takes too long or dies is reported and replaced."""

import os
import threading
from pathlib import Path

import numpy as np
import pytest

from tests.bench.edge_count import corners_in, count_edges
from tests.bench.rivals import InItsOwnProcess, Opinion
from tests.mesh.solids import Corners, ascii_text, binary, box, merged, shifted

OPINION = Opinion(True, 1.0, (1.0, 1.0, 1.0))


def ask_by_name(file: Path) -> Opinion | str:
    """Take for ever, die or answer."""
    if file.name == "slow.stl":
        threading.Event().wait()
    if file.name == "deadly.stl":
        os._exit(3)
    return OPINION


def test_who_takes_too_long_or_dies_is_replaced() -> None:
    hasty, patient = (InItsOwnProcess(ask_by_name, limit_seconds) for limit_seconds in (0.5, 60))
    assert hasty(Path("slow.stl")) == "gives no answer in 0.5 s"
    assert patient(Path("deadly.stl")) == "dies of it"
    assert patient(Path("good.stl")) == OPINION


@pytest.mark.parametrize(
    ("corners", "odd", "shared", "turned"),
    [
        (box(), 0, 0, 0),
        (box()[1:], 3, 0, 0),
        (np.concatenate((box()[:1, ::-1], box()[1:])), 0, 0, 3),
        (merged(box(), box()[:1]), 3, 3, 0),
        (merged(box(), shifted(box(), 20, 20, 0)), 0, 1, 0),
    ],
)
def test_edges_are_counted(corners: Corners, odd: int, shared: int, turned: int) -> None:
    edges = count_edges(corners)
    assert (edges.odd, edges.shared, edges.turned) == (odd, shared, turned)
    assert edges.odd_when_single == edges.odd_when_split == (0 if shared == 3 else odd)
    if odd == turned == 0:
        assert edges.volume_mm3 == pytest.approx(8000 * len(corners) / 12)


def test_all_solids_of_a_text_are_loaded(tmp_path: Path) -> None:
    file = tmp_path / "part.stl"
    file.write_bytes(binary(box(), b"solid box"))
    assert np.array_equal(corners_in(file), box())
    file.write_bytes(ascii_text(box()) + ascii_text(shifted(box(), 50, 0, 0)))
    assert np.array_equal(corners_in(file), merged(box(), shifted(box(), 50, 0, 0)))


def test_an_edge_that_runs_past_a_corner_is_cut_there() -> None:
    a, b, c = box()[0]
    middle = (a + b) / 2
    edges = count_edges(np.concatenate((np.array([[a, middle, c], [middle, b, c]], np.float32), box()[1:])))
    assert (edges.odd, edges.odd_when_single, edges.odd_when_split) == (3, 3, 0)
