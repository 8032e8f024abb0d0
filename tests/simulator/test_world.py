from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.simulator.world import AdjustableClock

START = datetime(2026, 1, 31, 8, tzinfo=UTC)


class Ticks:
    """The real time, set by the test."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def test_it_runs_with_the_real_time() -> None:
    ticks = Ticks()
    clock = AdjustableClock(START, ticks)
    ticks.seconds += 1.5
    assert clock.now() == START + timedelta(seconds=1.5)


def test_it_has_whole_milliseconds() -> None:
    ticks = Ticks()
    clock = AdjustableClock(START, ticks)
    ticks.seconds += 0.0129
    assert clock.now().microsecond == 12_000


def test_it_can_be_advanced() -> None:
    clock = AdjustableClock(START, Ticks())
    clock.advance(3600)
    assert clock.now() == START + timedelta(hours=1)


def test_a_new_rate_counts_from_now_on() -> None:
    ticks = Ticks()
    clock = AdjustableClock(START, ticks)
    ticks.seconds += 10
    clock.set_rate(60)
    ticks.seconds += 10
    assert clock.now() == START + timedelta(seconds=610)


def test_rate_0_stops_it() -> None:
    ticks = Ticks()
    clock = AdjustableClock(START, ticks)
    clock.set_rate(0)
    ticks.seconds += 10
    assert clock.now() == START


@pytest.mark.parametrize("turn", ["advance", "set_rate"])
def test_it_never_goes_back(turn: str) -> None:
    with pytest.raises(ValueError, match="The clock can't go back"):
        getattr(AdjustableClock(START), turn)(-1)


turns = st.tuples(st.sampled_from(["wait", "advance", "rate"]), st.floats(0, 1e5))


@given(st.lists(turns, max_size=20))
def test_time_never_goes_back_whatever_is_changed(made: list[tuple[str, float]]) -> None:
    ticks = Ticks()
    clock = AdjustableClock(START, ticks)
    seen = [clock.now()]
    for turn, amount in made:
        if turn == "wait":
            ticks.seconds += amount
        elif turn == "advance":
            clock.advance(amount)
        else:
            clock.set_rate(amount / 1e4)
        seen.append(clock.now())
    assert seen == sorted(seen)
