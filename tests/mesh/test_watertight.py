"""Corners by their hashes: the same whether they are kept or worked out again."""

from collections.abc import Iterator

import numpy as np
import pytest

from workflow.mesh.format import BLOCK_FACETS, Block
from workflow.mesh.watertight import CornerHashes, chain_terms, hash_corners


def some_blocks(facets: int) -> list[Block]:
    coordinates = np.random.default_rng(facets).random((9, facets), np.float32)
    return [coordinates[:, at : at + BLOCK_FACETS].copy() for at in range(0, facets, BLOCK_FACETS)]


@pytest.mark.parametrize("facets", [1, 2, BLOCK_FACETS + 1])
@pytest.mark.parametrize("too_few", [0, 1])
def test_corners_that_are_kept_are_not_worked_out_again(facets: int, too_few: int) -> None:
    blocks, asked = some_blocks(facets), list[Block]()

    def again() -> Iterator[Block]:
        for block in blocks:
            asked.append(block)
            yield block

    hashes = [hash_corners(block, np.empty(block.shape, np.uint64)) for block in blocks]
    corners, expected = CornerHashes(again, facets - too_few), np.concatenate(hashes, axis=1)
    for each in hashes:
        corners.add(each)
    assert np.array_equal(np.concatenate([piece.copy() for piece in corners.pieces()], axis=1), expected)
    assert np.array_equal(corners.all_hashes(facets), expected)
    assert len(asked) == 2 * too_few * len(blocks)


def test_the_terms_of_the_facets_leave_the_corners_as_they_are() -> None:
    (block,) = some_blocks(9)
    scratch = np.empty(block.shape, np.uint64)
    corners = hash_corners(block, scratch)
    a, b, c = before = corners.copy()
    assert np.array_equal(chain_terms(corners, scratch), (b - a) * (c - b) * (c - a))
    assert np.array_equal(corners, before)


def test_each_coordinate_of_a_corner_tells() -> None:
    block = np.zeros((9, 4), np.float32)
    block[0:3, 1:] = np.eye(3)
    assert np.unique(hash_corners(block, np.empty(block.shape, np.uint64))[0]).size == 4
