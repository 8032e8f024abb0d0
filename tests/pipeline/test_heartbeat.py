"""A worker is taken for dead only if it was silent while its heartbeats could have been seen."""

import pytest

from tests.eiger.turned import TurnedClock
from tests.pipeline.rates import Rate
from tests.postgres import Postgres
from workflow.ledger import Ledger, list_workers
from workflow.model import Backpressure
from workflow.pipeline.heartbeat import (
    HEARTBEAT_SECONDS,
    HEARTBEAT_TIMEOUT_SECONDS,
    FailureDetector,
    Heartbeat,
    new_backpressure,
)


def test_silent_is_who_gives_no_new_sign_for_longer_than_the_limit() -> None:
    silence = FailureDetector(8.0)
    assert silence.find_silent(0.0, {"a": 1.0, "b": 1.0}) == ()
    assert silence.find_silent(8.0, {"a": 1.0, "b": 2.0}) == ()
    assert silence.find_silent(8.1, {"a": 1.0, "b": 2.0}) == ("a",)


def test_a_database_that_was_away_is_nobodys_death() -> None:
    silence = FailureDetector(8.0)
    silence.find_silent(0.0, {"a": 1.0})
    silence.reset()
    assert silence.find_silent(60.0, {"a": 1.0}) == ()
    assert silence.find_silent(68.1, {"a": 1.0}) == ("a",)


def test_one_that_left_and_came_back_is_heard_afresh() -> None:
    silence = FailureDetector(8.0)
    silence.find_silent(0.0, {"a": 1.0})
    silence.find_silent(1.0, {})
    assert silence.find_silent(60.0, {"a": 1.0}) == ()


class Team:
    """Crews on one ledger, by a clock that is turned."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger, self.clock = ledger, TurnedClock()
        self.rates: dict[str, Rate] = {}

    def member(self, home: str) -> Heartbeat:
        self.rates[home] = Rate()
        return Heartbeat(self.ledger, home, self.rates[home], lambda: self.clock.now)

    def names(self) -> set[str]:
        return {worker.name for worker in list_workers(self.ledger)}


@pytest.fixture
def team(ledger: Ledger) -> Team:
    return Team(ledger)


def test_a_silent_worker_is_removed_and_the_rate_is_shared_again(team: Team) -> None:
    first, second = team.member("one"), team.member("two")
    for _ in range(2 + int(HEARTBEAT_TIMEOUT_SECONDS / HEARTBEAT_SECONDS)):
        team.clock.now += HEARTBEAT_SECONDS
        first.beat()
    assert team.names() == {first.me.name}
    first.beat()
    assert team.rates["one"].among == first.among == 1
    second.beat()
    first.beat()
    assert team.names() == {first.me.name, second.me.name}
    assert [team.rates[home].among for home in ("one", "two")] == [2, 2]


def test_what_the_cloud_tells_one_is_heeded_by_the_others_once(team: Team) -> None:
    first, second = team.member("one"), team.member("two")
    first.beat()
    second.beat()
    team.rates["one"].heard = Backpressure(complaints=1, pause_seconds=30.0)
    first.beat()
    second.beat()
    told = team.rates["two"].heeded[-1]
    assert told.complaints == 1
    assert told.pause_seconds == pytest.approx(30.0, abs=5.0)
    team.rates["one"].heard = Backpressure(complaints=1)
    first.beat()
    second.beat()
    assert team.rates["two"].heeded[-1] == Backpressure()
    assert all(strain == Backpressure() for strain in team.rates["one"].heeded)


def test_complaints_of_before_we_came_are_no_news() -> None:
    told = {"old": Backpressure(7, 0.0), "new": Backpressure(3, 4.0), "me": Backpressure(9, 60.0)}
    assert new_backpressure({"old": 7}, told, "me") == Backpressure(0, 4.0)
    assert new_backpressure({"old": 6, "me": 8}, told, "me") == Backpressure(1, 4.0)
    assert new_backpressure({"old": 6, "new": 1}, told, "me") == Backpressure(2, 4.0)
    assert new_backpressure({}, {}, "me") == Backpressure()


def test_it_outlives_a_database_that_goes_and_comes_back(postgres: Postgres) -> None:
    if postgres.binaries is None:
        pytest.skip("only a server of our own can be stopped")
    ledger = Ledger(postgres.database())
    team = Team(ledger)
    first, second = team.member("one"), team.member("two")
    first.beat()
    postgres.stop("immediate")
    try:
        for _ in range(10):
            team.clock.now += HEARTBEAT_SECONDS
            first.beat()
    finally:
        postgres.start()
    first.beat()
    assert team.names() == {first.me.name, second.me.name}
    ledger.close()


def test_one_worker_at_a_time_is_the_first(team: Team) -> None:
    workers = [team.member(home) for home in ("one", "two", "three")]
    while workers:
        for worker in workers:
            worker.beat()
        (first,) = (worker for worker in workers if worker.is_first)
        first.deregister()
        workers.remove(first)
