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


def test_the_whole_time_may_be_used_up() -> None:
    assert isinstance(POLICY.after(failed(), 1, 59.5, 0.0), RetryLater)
    assert POLICY.after(failed(), 1, 59.75, 0.0) == GiveUp("60 s would be more than 60 s")


def test_after_the_last_attempt_it_is_enough() -> None:
    assert POLICY.after(failed(), 4, 0.0, 0.0) == GiveUp("4 attempts failed")


def test_a_broken_reply_is_asked_for_once_more_only() -> None:
    assert POLICY.after(failed(ContractBroken), 2, 0.0, 0.0) == GiveUp("2 attempts failed")


def test_retry_after_is_honoured_and_never_cut_short() -> None:
    assert POLICY.after(failed(RateLimited, 20.0), 1, 0.0, 0.0) == RetryLater(20.0, "as the service asks")
    assert POLICY.after(failed(RateLimited, 20.0), 1, 50.0, 0.0) == GiveUp("70 s would be more than 60 s")


def test_chance_shortens_a_wait_by_up_to_half_and_lengthens_what_was_asked_for_by_up_to_a_tenth() -> None:
    for chance, own, asked_for in ((0.0, 0.5, 20.0), (0.5, 0.375, 21.0), (1.0, 0.25, 22.0)):
        for retry_after, seconds in ((None, own), (20.0, asked_for)):
            verdict = POLICY.after(failed(RateLimited, retry_after), 1, 0.0, chance)
            assert isinstance(verdict, RetryLater)
            assert verdict.seconds == pytest.approx(seconds)


@given(st.floats(0.01, 1e4), st.integers(1, 40), st.floats(0, 1))
def test_retry_after_is_never_cut_short(asked: float, attempt: int, chance: float) -> None:
    patient = RetryPolicy(attempts=99, total_seconds=1e9)
    verdict = patient.after(failed(RateLimited, asked), attempt, 0.0, chance)
    assert isinstance(verdict, RetryLater)
    assert asked <= verdict.seconds <= max(patient.longest_wait_seconds, asked * 1.1)
    assert verdict.reason == "as the service asks"


@given(st.integers(1, 40), st.floats(0, 1))
def test_without_retry_after_the_waits_grow(attempt: int, chance: float) -> None:
    patient = RetryPolicy(attempts=99, total_seconds=1e9)
    waits = [patient.after(failed(), number, 0.0, chance) for number in (attempt, attempt + 1)]
    shorter, longer = (wait.seconds for wait in waits if isinstance(wait, RetryLater))
    grows = patient.first_wait_seconds * 2.0 ** (attempt - 1) < patient.longest_wait_seconds
    assert longer > shorter if grows else longer == shorter
    assert shorter >= patient.first_wait_seconds / 2


@given(st.integers(1, 6), st.floats(0, 70), st.floats(0, 1), st.none() | st.floats(0, 70))
def test_a_wait_never_passes_the_limit_for_all_attempts(
    attempt: int, elapsed: float, chance: float, retry_after: float | None
) -> None:
    verdict = POLICY.after(failed(RateLimited, retry_after), attempt, elapsed, chance)
    if isinstance(verdict, RetryLater):
        assert elapsed + verdict.seconds <= POLICY.total_seconds
        assert attempt < POLICY.attempts
    else:
        assert attempt >= POLICY.attempts or elapsed + (retry_after or 0.0) * 1.1 + 8 > POLICY.total_seconds
