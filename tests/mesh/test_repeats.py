"""What comes up more than once is counted as the plain way does."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.mesh.format import Hashes
from workflow.mesh.watertight import _match_by_table, find_matches


def counts(keys: Hashes) -> tuple[int, int]:
    """Return how many values come up more than once, and how many copies there are beyond the first."""
    before = keys.copy()
    matches = find_matches(keys)
    assert np.array_equal(keys, before)
    assert np.array_equal(keys[matches.copy], keys[matches.original])
    assert np.unique(matches.copy).size == matches.copy.size
    assert not np.isin(matches.original, matches.copy).any()
    return matches.values, matches.copy.size


def plainly(keys: Hashes) -> tuple[int, int]:
    there = Counter(keys.tolist()).values()
    return sum(count > 1 for count in there), sum(count - 1 for count in there)


@given(st.integers(0, 2**32), st.integers(0, 30_000), st.integers(1, 40_000))
def test_random_numbers(seed: int, count: int, different: int) -> None:
    random = np.random.default_rng(seed)
    keys = random.integers(0, 2**64, different, np.uint64)[random.integers(0, different, count)]
    assert counts(keys) == plainly(keys)


@pytest.mark.parametrize("count", [0, 1, 2, 4096, 4097, 200_000])
def test_all_the_same(count: int) -> None:
    assert counts(np.full(count, 7, np.uint64)) == (count > 1, max(0, count - 1))


def test_numbers_that_choose_the_same_slots() -> None:
    keys = np.arange(300_000, dtype=np.uint64)  # all have the same highest bits
    assert counts(keys) == (0, 0)
    assert counts(np.concatenate((keys, keys[:5], keys[:5]))) == (5, 10)


def test_numbers_that_share_a_slot_are_left_to_the_next_table_and_never_matched() -> None:
    """Their highest bits, which choose the slot, are the same."""
    keys = np.array([1 << 63, (1 << 63) + 1, (1 << 63) + 1, 5], np.uint64)
    matches, left = _match_by_table(keys)
    assert keys[matches.copy].tolist() == keys[matches.original].tolist() == [keys[1]]
    assert left.tolist() == [0]
