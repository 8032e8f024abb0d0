"""When a question is asked again: pure, so every case is one line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.eiger import GiveUp, RetryLater, RetryPolicy
from workflow.errors import (
    BadRequest,
    CloudError,
    Conflict,
    ContractBroken,
    NotFound,
    RateLimited,
    ServerError,
    Unauthorized,
    Unreachable,
)

POLICY = RetryPolicy(attempts=4, first_wait_seconds=0.5, longest_wait_seconds=8.0, total_seconds=60.0)


def failed(kind: type[CloudError] = ServerError, retry_after_seconds: float | None = None) -> CloudError:
    return kind("x", operation="readBuild", retry_after_seconds=retry_after_seconds)


@pytest.mark.parametrize("kind", [Unauthorized, BadRequest, NotFound, Conflict])
def test_an_answer_that_would_be_the_same_is_not_asked_for_again(kind: type[CloudError]) -> None:
    assert POLICY.after(failed(kind), 1, 0.0, 0.0) == GiveUp("the answer would be the same")


@pytest.mark.parametrize("kind", [RateLimited, ServerError, Unreachable, ContractBroken])
def test_trouble_is_waited_out(kind: type[CloudError]) -> None:
    assert POLICY.after(failed(kind), 1, 0.0, 0.0) == RetryLater(0.5, "attempt 1 failed")


def test_waits_double_up_to_the_longest() -> None:
    patient = RetryPolicy(attempts=99, total_seconds=1e9)
    waits = [patient.after(failed(), attempt, 0.0, 0.0) for attempt in range(1, 8)]
    assert [wait.seconds for wait in waits if isinstance(wait, RetryLater)] == [0.5, 1, 2, 4, 8, 8, 8]


def test_after_the_last_attempt_it_is_enough() -> None:
    assert POLICY.after(failed(), 4, 0.0, 0.0) == GiveUp("4 attempts failed")


def test_a_broken_reply_is_asked_for_once_more_only() -> None:
    assert POLICY.after(failed(ContractBroken), 2, 0.0, 0.0) == GiveUp("2 attempts failed")


def test_retry_after_is_honoured_and_never_cut_short() -> None:
    assert POLICY.after(failed(RateLimited, 20.0), 1, 0.0, 0.0) == RetryLater(20.0, "as the service asks")
    assert POLICY.after(failed(RateLimited, 20.0), 1, 50.0, 0.0) == GiveUp("70 s would be more than 60 s")


@given(
    st.integers(1, 10**6),
    st.floats(0, 1e6),
    st.floats(0, 1),
    st.none() | st.floats(0, 86_400),
)
def test_never_longer_than_the_total_nor_shorter_than_asked(
    attempt: int, elapsed: float, chance: float, retry_after: float | None
) -> None:
    policy = RetryPolicy(attempts=10**9)
    verdict = policy.after(failed(RateLimited, retry_after), attempt, elapsed, chance)
    if isinstance(verdict, RetryLater):
        assert elapsed + verdict.seconds <= policy.total_seconds
        assert verdict.seconds >= (retry_after or 0.0)
        assert verdict.seconds >= policy.first_wait_seconds / 2
        assert verdict.seconds <= max(policy.longest_wait_seconds, (retry_after or 0.0) * 1.1)
    else:
        assert "would be more than 60 s" in verdict.reason
