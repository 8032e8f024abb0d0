"""One call from start to end: questions are asked again, effects never, and trouble slows everybody."""

import pytest

from tests.eiger.server import ID, Answer, as_json, client_of, in_turn, serving
from tests.eiger.turned import TurnedClock
from workflow.eiger import EigerClient, RateLimiter, RetryPolicy
from workflow.errors import (
    BadRequest,
    CloudError,
    ContractBroken,
    OutcomeUnknown,
    RateLimited,
    ServerError,
    Unreachable,
)

GOOD = as_json({"status": "QUEUED"})
TROUBLE = [
    as_json({}, 500),
    as_json({}, 503),
    as_json({}, 429),
    None,
    Answer(200, b"{", {"Content-Length": "100"}, cut_at=1),
]


@pytest.mark.parametrize("trouble", TROUBLE)
def test_a_question_is_asked_again(trouble: Answer | None) -> None:
    with serving(in_turn(trouble, trouble, GOOD)) as server, client_of(server.url, attempts=3) as client:
        assert client.get_slice_status(ID).status == "QUEUED"
    assert len(server.asked) == 3


def test_a_broken_answer_is_asked_for_once_more() -> None:
    page = Answer(200, b"<html>")
    with serving(in_turn(page, GOOD)) as server, client_of(server.url, attempts=4) as client:
        assert client.get_slice_status(ID).status == "QUEUED"
    with (
        serving(lambda _: page) as server,
        client_of(server.url, attempts=4) as client,
        pytest.raises(ContractBroken),
    ):
        client.get_slice_status(ID)
    assert len(server.asked) == 2


def test_a_question_is_not_asked_for_ever() -> None:
    with (
        serving(lambda _: None) as server,
        client_of(server.url, attempts=3) as client,
        pytest.raises(Unreachable),
    ):
        client.get_slice_status(ID)
    assert len(server.asked) == 3


def test_an_answer_that_would_be_the_same_is_not_asked_for_again() -> None:
    with (
        serving(lambda _: as_json({}, 400)) as server,
        client_of(server.url, attempts=4) as client,
        pytest.raises(BadRequest),
    ):
        client.get_slice_status(ID)
    assert len(server.asked) == 1


@pytest.mark.parametrize("trouble", TROUBLE)
def test_an_effect_is_sent_once_whatever_happens(trouble: Answer | None) -> None:
    with serving(lambda _: trouble) as server, client_of(server.url, attempts=4) as client:
        for effect in (
            lambda: client.send_build_to_backlog(ID),
            lambda: client.send_build_to_job_request_queue(ID),
            lambda: client.append_to_device_queue(ID, ID),
            lambda: client.print_to_printer(ID, ID),
            lambda: client.approve_builds([ID]),
            client.disable_approved_builds,
            lambda: client.remove_from_device_queue(ID, ID),
            lambda: client.remove_build_from_job_request_queue(ID),
        ):
            before = len(server.asked)
            with pytest.raises((OutcomeUnknown, ServerError, RateLimited)):
                effect()
            assert len(server.asked) == before + 1


def turned_client(url: str) -> tuple[EigerClient, RateLimiter, TurnedClock]:
    clock = TurnedClock()
    budget = RateLimiter(10, clock=clock, sleep=clock.sleep)
    keys = client_of(url)._transport._keys
    client = EigerClient(
        url,
        keys._access_key,
        keys._secret_key,
        budget=budget,
        retry=RetryPolicy(attempts=3, total_seconds=60),
        clock=clock,
        sleep=clock.sleep,
        chance=lambda: 0.0,
    )
    return client, budget, clock


def test_the_wait_that_the_service_asks_for_is_kept_by_everybody() -> None:
    with serving(in_turn(as_json({}, 429, Retry_After="20"), GOOD)) as server:
        client, budget, clock = turned_client(server.url)
        started = clock.now
        with client:
            client.get_slice_status(ID)
        assert clock.now - started >= 20
        assert budget.rate < 10


def test_a_long_pause_is_reported_without_asking() -> None:
    with serving(in_turn(as_json({}, 503, Retry_After="600"), GOOD)) as server:
        client, _, clock = turned_client(server.url)
        started = clock.now
        with client:
            with pytest.raises(ServerError):
                client.get_slice_status(ID)
            with pytest.raises(RateLimited) as caught:
                client.send_build_to_backlog(ID)
    assert str(caught.value) == (
        "600 s until sendBuildToBacklog may go out: Eiger asked for a pause, or too many calls wait already. "
        "stlflow continues by itself."
    )
    assert caught.value.retry_after_seconds == pytest.approx(600)
    assert clock.now == started
    assert len(server.asked) == 1


def test_an_effect_does_not_wait_long_for_its_turn() -> None:
    """Whoever reserved the right to send counts on a limit; a question may wait longer."""
    with serving(lambda asked: GOOD if asked.method == "GET" else as_json({}, 204)) as server:
        client, budget, clock = turned_client(server.url)
        budget.pause(20)
        with client:
            with pytest.raises(RateLimited):
                client.disable_approved_builds()
            assert server.asked == []
            assert client.get_slice_status(ID).status == "QUEUED"
            assert client.max_effect_seconds == 5 + 1 + 10 + 2 * 30
        assert clock.now >= 1020


def test_an_effect_is_not_caused_by_a_machine_that_was_suspended_meanwhile() -> None:
    """The reserved time may be over, and somebody else may have caused it."""
    with serving(lambda asked: GOOD if asked.method == "GET" else as_json({}, 204)) as server:
        client, budget, clock = turned_client(server.url)
        budget._sleep = lambda seconds: clock.sleep(seconds + 30)  # a frozen process, a suspended machine
        budget.pause(1)
        with client:
            with pytest.raises(RateLimited, match="was not sent: this machine was suspended meanwhile"):
                client.disable_approved_builds()
            assert server.asked == []
            client.disable_approved_builds()
    assert len(server.asked) == 1


def test_a_check_that_took_too_long_is_void() -> None:
    """A machine that froze between the answer of the database and the body of the request."""
    answer = as_json({"id": ID, "state": "Backlogged"}, 201)
    with serving(lambda asked: answer if asked.body else None) as server:
        client, _, clock = turned_client(server.url)
        with client:
            with pytest.raises(RateLimited, match="was not sent: this machine was suspended meanwhile"):
                client.send_build_to_backlog(ID, before_send=lambda: clock.sleep(30))
            client.send_build_to_backlog(ID, before_send=lambda: clock.sleep(1))
    assert [asked.body for asked in server.asked if asked.body] == [b"{}"]


def test_trouble_of_an_effect_slows_everybody_too() -> None:
    with serving(lambda _: as_json({}, 429)) as server:
        client, budget, _ = turned_client(server.url)
        with client, pytest.raises(RateLimited):
            client.send_build_to_backlog(ID)
    assert budget.rate == 5


def test_a_missing_part_slows_nobody() -> None:
    with serving(lambda _: as_json({"message": "Part not found"}, 500)) as server:
        client, budget, _ = turned_client(server.url)
        with client, pytest.raises(CloudError):
            client.read_part(ID)
    assert budget.rate == 10
