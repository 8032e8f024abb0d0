"""When to try again: pure decisions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.errors import (
    BadRequest,
    CloudError,
    Conflict,
    ContractBroken,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    ServerError,
    Unauthorized,
    Unreachable,
)
from workflow.ledger.changes import MAX_DUE_AHEAD_SECONDS
from workflow.pipeline.retry import (
    LISTING_SECONDS,
    LONGEST_POLL_SECONDS,
    MAX_BACKOFF_SECONDS,
    MAX_REQUESTED_WAIT_SECONDS,
    MAX_SINGLE_POLLS,
    NeedsOperator,
    RetryAfter,
    RetrySchedule,
    backoff_seconds,
    classify_cloud_error,
)


@pytest.mark.parametrize(
    "kind", [Unauthorized, Unreachable, RateLimited, ServerError, OutcomeUnknown, ContractBroken]
)
@pytest.mark.parametrize("tries", [0, 1000])
def test_no_file_is_blamed_for_keys_network_load_or_faults_of_the_cloud(
    kind: type[CloudError], tries: int
) -> None:
    assert isinstance(classify_cloud_error(kind("why", operation="uploadStl"), tries), RetryAfter)


@pytest.mark.parametrize("kind", [BadRequest, NotFound, Conflict])
def test_a_refusal_is_for_a_person_at_once(kind: type[CloudError]) -> None:
    assert classify_cloud_error(kind("400: no", operation="uploadStl"), 0) == NeedsOperator("400: no")


def test_the_cloud_may_say_how_long() -> None:
    error = RateLimited("429", operation="uploadStl", retry_after_seconds=42)
    assert classify_cloud_error(error, 0) == RetryAfter(42, "429")


def test_a_step_wakes_before_the_ledger_would_take_its_time_for_a_wrong_clock() -> None:
    error = RateLimited("429", operation="uploadStl", retry_after_seconds=86_400)
    assert classify_cloud_error(error, 0) == RetryAfter(MAX_REQUESTED_WAIT_SECONDS, "429")
    assert max(MAX_REQUESTED_WAIT_SECONDS, LONGEST_POLL_SECONDS) < MAX_DUE_AHEAD_SECONDS


def test_waits_double_up_to_the_longest() -> None:
    waits = [backoff_seconds(tries) for tries in range(10)]
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, MAX_BACKOFF_SECONDS, MAX_BACKOFF_SECONDS]
    assert backoff_seconds(10**6) == MAX_BACKOFF_SECONDS
    assert classify_cloud_error(ServerError("503", operation="uploadStl"), 3) == RetryAfter(16, "503")
    assert classify_cloud_error(
        ServerError("503", operation="uploadStl", retry_after_seconds=0), 3
    ) == RetryAfter(16, "503")


@given(st.floats(0, 1e7), st.floats(0, 1e7))
def test_polls_stretch_with_age_and_are_capped(one: float, other: float) -> None:
    schedule = RetrySchedule()
    younger, older = sorted((one, other))
    assert schedule.first_poll_seconds <= schedule.poll_delay(younger) <= schedule.poll_delay(older)
    assert schedule.poll_delay(older) <= schedule.longest_poll_seconds


@given(st.floats(0, 1e5), st.integers(0, 100_000), st.floats(0.01, 1000))
def test_many_that_wait_share_what_their_questions_may_cost(
    age: float, parked: int, per_second: float
) -> None:
    schedule = RetrySchedule(polls_per_second=per_second)
    alone, wait = schedule.poll_delay(age), schedule.poll_delay(age, parked)
    assert wait >= alone
    if parked <= MAX_SINGLE_POLLS:
        assert wait == alone
    elif wait < min(LONGEST_POLL_SECONDS, schedule.slice_limit_seconds - age):
        assert parked / wait <= per_second * (1 + 1e-9), "no more than that is asked in all"
    else:
        assert wait <= max(alone, LONGEST_POLL_SECONDS, schedule.slice_limit_seconds - age)


def test_none_is_put_off_beyond_the_limit() -> None:
    schedule = RetrySchedule(slice_limit_seconds=7200, polls_per_second=5)
    assert schedule.poll_delay(600, 5000) == 1000
    assert schedule.poll_delay(6700, 5000) == 500
    assert schedule.poll_delay(9000, 5000) == schedule.longest_poll_seconds


def test_waits_are_a_quarter_of_the_age() -> None:
    schedule = RetrySchedule()
    assert (
        schedule.poll_delay(100),
        schedule.build_search_delay(100),
        schedule.device_search_delay(100),
    ) == (25, 25, 25)


def test_few_polls_are_not_spread() -> None:
    schedule = RetrySchedule(polls_per_second=0.01)
    assert schedule.poll_delay(0, MAX_SINGLE_POLLS) == schedule.first_poll_seconds
    assert schedule.poll_delay(0, MAX_SINGLE_POLLS + 1) == LONGEST_POLL_SECONDS


def test_listings_rest_longer_the_more_pages_they_have_and_are_shared_among_workers() -> None:
    schedule = RetrySchedule(polls_per_second=10)
    assert [schedule.listing_delay(pages, 1) for pages in (1, 10, 80)] == [LISTING_SECONDS, 5, 40]
    assert schedule.listing_delay(1, 4) == 4 * LISTING_SECONDS


@pytest.mark.parametrize(
    ("per_second", "among", "expected"),
    [
        (5, 1, (15, 3.0)),
        (5, 2, (7, 2.8)),
        (0.2, 1, (1, 5.0)),
        (50, 1, (16, 0.32)),
        (float("inf"), 1, (16, 0.0)),
    ],
)
def test_polls_of_many_begin_in_rounds_at_the_rate_that_they_may_cost(
    per_second: float, among: int, expected: tuple[int, float]
) -> None:
    assert RetrySchedule(polls_per_second=per_second).poll_round(16, among) == expected
