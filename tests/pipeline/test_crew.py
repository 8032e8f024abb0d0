"""Who is taken for dead: only whoever was silent while we could have heard."""

import pytest

from tests.eiger.turned import TurnedClock
from tests.postgres import Postgres
from workflow.ledger import Ledger, crew
from workflow.pipeline.crew import SIGN_SECONDS, SILENT_SECONDS, Crew, Silence


def test_silent_is_who_gives_no_new_sign_for_longer_than_the_limit() -> None:
    silence = Silence(8.0)
    assert silence.heard(0.0, {"a": "1", "b": "1"}) == ()
    assert silence.heard(8.0, {"a": "1", "b": "2"}) == ()
    assert silence.heard(8.1, {"a": "1", "b": "2"}) == ("a",)


def test_a_database_that_was_away_is_nobodys_death() -> None:
    silence = Silence(8.0)
    silence.heard(0.0, {"a": "1"})
    silence.disturbed()
    assert silence.heard(60.0, {"a": "1"}) == ()
    assert silence.heard(68.1, {"a": "1"}) == ("a",)


def test_one_that_left_and_came_back_is_heard_afresh() -> None:
    silence = Silence(8.0)
    silence.heard(0.0, {"a": "1"})
    silence.heard(1.0, {})
    assert silence.heard(60.0, {"a": "1"}) == ()


class Team:
    """Crews on one ledger, by a clock that is turned."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger, self.clock = ledger, TurnedClock()
        self.shares: dict[str, int] = {}

    def member(self, home: str) -> Crew:
        def share_rate(among: int) -> None:
            self.shares[home] = among

        return Crew(self.ledger, home, share_rate, lambda: self.clock.now)

    def names(self) -> set[str]:
        return {worker.name for worker in crew(self.ledger)}


@pytest.fixture
def team(ledger: Ledger) -> Team:
    return Team(ledger)


def test_the_silent_one_is_struck_off_and_the_rate_divided_anew(team: Team) -> None:
    first, second = team.member("one"), team.member("two")
    for _ in range(2 + int(SILENT_SECONDS / SIGN_SECONDS)):
        team.clock.now += SIGN_SECONDS
        first.look()
    assert team.names() == {first.me.name}
    first.look()
    assert team.shares["one"] == 1
    second.look()
    first.look()
    assert team.names() == {first.me.name, second.me.name}
    assert team.shares == {"one": 2, "two": 2}


def test_it_outlives_a_database_that_goes_and_comes_back(postgres: Postgres) -> None:
    if postgres.binaries is None:
        pytest.skip("only a server of our own can be stopped")
    ledger = Ledger(postgres.database())
    team = Team(ledger)
    first, second = team.member("one"), team.member("two")
    first.look()
    postgres.stop("immediate")
    try:
        for _ in range(10):
            team.clock.now += SIGN_SECONDS
            first.look()
    finally:
        postgres.start()
    first.look()
    assert team.names() == {first.me.name, second.me.name}
    ledger.close()
