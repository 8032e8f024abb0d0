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
