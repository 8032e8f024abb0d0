"""The rate of the whole process, by a clock that only sleeping turns."""

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.eiger.turned import TurnedClock
from workflow.eiger import RateLimiter
from workflow.eiger.rate_limit import (
    MAX_PAUSE_SECONDS,
    MIN_RATE_FRACTION,
    RECOVERY_SECONDS,
    SHARED_COMPLAINT_WINDOW_SECONDS,
)
from workflow.model import Backpressure


def budget_of(per_second: float) -> tuple[RateLimiter, TurnedClock]:
    clock = TurnedClock()
    return RateLimiter(per_second, clock=clock, sleep=clock.sleep), clock


def test_a_second_of_burst_then_the_rate() -> None:
    budget, clock = budget_of(10)
    started = clock.now
    for _ in range(10):
        budget.acquire()
    assert clock.now == pytest.approx(started)
    for _ in range(20):
        budget.acquire()
    assert clock.now - started == pytest.approx(2.0)


@given(st.floats(0.1, 1000), st.lists(st.floats(0, 5), min_size=1, max_size=60))
def test_never_more_than_the_burst_and_the_rate(per_second: float, idle: list[float]) -> None:
    """In any stretch of time, however the requests come."""
    budget, clock = budget_of(per_second)
    granted: list[float] = []
    for seconds in idle:
        clock.now += seconds
        budget.acquire()
        granted.append(clock.now)
    for first, begin in enumerate(granted):
        for last in range(first, len(granted)):
            most = max(1.0, per_second) + per_second * (granted[last] - begin)
            assert last - first + 1 <= most + 1e-6


def test_a_complaint_halves_the_rate_and_it_comes_back_slowly() -> None:
    budget, clock = budget_of(10)
    budget.slow_down()
    assert budget.rate == 5
    clock.now += RECOVERY_SECONDS / 4
    assert budget.rate == pytest.approx(7.5)
    clock.now += RECOVERY_SECONDS
    assert budget.rate == 10


def test_complaints_of_requests_that_were_under_way_together_count_once() -> None:
    budget, _ = budget_of(10)
    for _ in range(24):
        budget.slow_down()
    assert budget.rate == 5


def test_something_still_goes_out_however_often_the_cloud_complains() -> None:
    budget, clock = budget_of(10)
    for _ in range(100):
        budget.slow_down()
        clock.now += 1.0
    assert budget.rate >= 10 * MIN_RATE_FRACTION
    before = clock.now
    budget.acquire()
    budget.acquire()
    assert clock.now - before < 10


def test_a_pause_slows_everybody() -> None:
    budget, clock = budget_of(10)
    started = clock.now
    budget.pause(30)
    budget.pause(5)
    assert budget.acquire() == 0
    assert clock.now - started >= 30


def test_a_pause_that_is_too_long_is_reported_instead_of_waited_for() -> None:
    budget, clock = budget_of(10)
    started = clock.now
    budget.pause(300)
    assert budget.acquire(max_wait_seconds=60) == pytest.approx(300)
    assert clock.now == started


def test_no_stampede_follows_a_pause() -> None:
    """Also of those who were asleep already when the pause came."""
    budget, clock = budget_of(10)
    budget.slow_down()
    started = clock.now
    sleep_before = clock.sleep

    def sleep_into_a_pause(seconds: float) -> None:
        if clock.now < started + 30:
            budget.pause(started + 30 - clock.now)
        sleep_before(seconds)

    budget._sleep = sleep_into_a_pause
    granted = []
    for _ in range(5):
        budget.acquire()
        granted.append(clock.now)
    assert granted[1] >= started + 30
    assert all(later - earlier > 0.09 for earlier, later in pairwise(granted[1:]))


def test_a_pause_is_kept_whole_however_long() -> None:
    budget, clock = budget_of(10)
    started = clock.now
    budget.pause(7200)
    assert budget.acquire(900) == pytest.approx(7200)
    assert clock.now == started
    budget.acquire()
    assert clock.now - started == pytest.approx(7200)


def test_an_endless_pause_ends() -> None:
    budget, clock = budget_of(10)
    started = clock.now
    budget.pause(10**9)
    budget.acquire()
    assert clock.now - started == pytest.approx(MAX_PAUSE_SECONDS)


def test_threads_share_one_rate() -> None:
    budget, clock = budget_of(5)
    started, counted = clock.now, threading.Lock()
    granted: list[float] = []

    def worker(_: int) -> None:
        budget.acquire()
        with counted:
            granted.append(clock.now - started)

    with ThreadPoolExecutor(24) as threads:
        list(threads.map(worker, range(105)))
    assert len(granted) == 105
    assert clock.now - started == pytest.approx(20.0, abs=0.5)


@pytest.mark.parametrize("wrong", [0, -1, float("nan")])
def test_no_rate_is_a_mistake(wrong: float) -> None:
    with pytest.raises(ValueError, match="more than 0 per second"):
        RateLimiter(wrong)


def test_several_processes_share_one_rate() -> None:
    budget, clock = budget_of(10)
    budget.slow_down()
    budget.share(4)
    assert budget.rate == pytest.approx(10 / 2 / 4)
    clock.now += RECOVERY_SECONDS
    assert budget.rate == pytest.approx(10 / 4)
    started = clock.now
    for _ in range(30):
        budget.acquire()
    assert 30 / (clock.now - started) <= 10 / 4 * 1.1
    budget.share(1)
    clock.now += RECOVERY_SECONDS
    assert budget.rate == pytest.approx(10)


def test_what_others_heard_slows_down_and_is_not_told_on() -> None:
    budget, _ = budget_of(10)
    budget.apply_backpressure(Backpressure(complaints=3, pause_seconds=20.0))
    assert budget.rate == 5
    assert budget.acquire(max_wait_seconds=1) == pytest.approx(20.0)
    assert budget.strain() == Backpressure()


def test_a_complaint_that_others_report_again_counts_once() -> None:
    budget, clock = budget_of(10)
    budget.slow_down()
    budget.pause(8.0)
    assert budget.strain() == Backpressure(1, 8.0)
    clock.now += SHARED_COMPLAINT_WINDOW_SECONDS / 2
    before = budget.rate
    budget.apply_backpressure(Backpressure(complaints=1))
    assert budget.rate == before
    clock.now += SHARED_COMPLAINT_WINDOW_SECONDS
    before = budget.rate
    budget.apply_backpressure(Backpressure(complaints=1))
    assert budget.rate == pytest.approx(before / 2)
    assert budget.strain().complaints == 1


def test_nothing_new_from_others_changes_nothing() -> None:
    budget, clock = budget_of(10)
    budget.apply_backpressure(Backpressure())
    assert budget.rate == 10
    assert budget.acquire() == 0.0
    assert clock.now == budget_of(10)[1].now
