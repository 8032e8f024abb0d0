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
from workflow.pipeline.patience import (
    FEW_PARKED,
    LISTING_SECONDS,
    LONGEST_POLL_SECONDS,
    LONGEST_WAIT_SECONDS,
    CallAPerson,
    Patience,
    WaitInLine,
    after_cloud_error,
    backoff,
)


@pytest.mark.parametrize(
    "kind", [Unauthorized, Unreachable, RateLimited, ServerError, OutcomeUnknown, ContractBroken]
)
@pytest.mark.parametrize("tries", [0, 1000])
def test_no_file_is_blamed_for_keys_network_load_or_faults_of_the_cloud(
    kind: type[CloudError], tries: int
) -> None:
    assert isinstance(after_cloud_error(kind("why", operation="uploadStl"), tries), WaitInLine)


@pytest.mark.parametrize("kind", [BadRequest, NotFound, Conflict])
def test_a_refusal_is_for_a_person_at_once(kind: type[CloudError]) -> None:
    assert after_cloud_error(kind("400: no", operation="uploadStl"), 0) == CallAPerson("400: no")


def test_the_cloud_may_say_how_long() -> None:
    error = RateLimited("429", operation="uploadStl", retry_after_seconds=42)
    assert after_cloud_error(error, 0) == WaitInLine(42, "429")


@given(st.integers(0, 10_000))
def test_waits_grow_and_are_capped(tries: int) -> None:
    assert 0 < backoff(tries) <= backoff(tries + 1) <= LONGEST_WAIT_SECONDS


@given(st.floats(0, 1e7), st.floats(0, 1e7))
def test_polls_stretch_with_age_and_are_capped(one: float, other: float) -> None:
    patience = Patience()
    younger, older = sorted((one, other))
    assert patience.first_poll_seconds <= patience.next_poll(younger) <= patience.next_poll(older)
    assert patience.next_poll(older) <= patience.longest_poll_seconds


@given(st.floats(0, 1e5), st.integers(0, 100_000), st.floats(0.01, 1000))
def test_many_that_wait_share_what_their_questions_may_cost(
    age: float, parked: int, per_second: float
) -> None:
    patience = Patience(polls_per_second=per_second)
    alone, wait = patience.next_poll(age), patience.next_poll(age, parked)
    assert wait >= alone
    if parked <= FEW_PARKED:
        assert wait == alone
    elif wait < min(LONGEST_POLL_SECONDS, patience.slice_limit_seconds - age):
        assert parked / wait <= per_second * (1 + 1e-9), "no more than that is asked in all"
    else:
        assert wait <= max(alone, LONGEST_POLL_SECONDS, patience.slice_limit_seconds - age)


def test_none_is_put_off_beyond_the_limit() -> None:
    patience = Patience(slice_limit_seconds=7200, polls_per_second=5)
    assert patience.next_poll(600, 5000) == 1000
    assert patience.next_poll(6700, 5000) == 500
    assert patience.next_poll(9000, 5000) == patience.longest_poll_seconds


def test_listings_rest_longer_the_more_pages_they_have_and_are_shared_among_workers() -> None:
    patience = Patience(polls_per_second=5)
    assert [patience.next_listing(pages, 1) for pages in (1, 5, 40)] == [LISTING_SECONDS, 5, 40]
    assert patience.next_listing(1, 4) == 4 * LISTING_SECONDS
