"""When people hear of trouble, with the clock turned."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from workflow.model import NoticeEvent, TroubleState
from workflow.notices import advance_trouble

START = datetime(2026, 11, 27, 9, tzinfo=UTC)
STEP = timedelta(seconds=10)


def told(kind: str, is_away: list[bool]) -> list[tuple[NoticeEvent, float]]:
    """Return what people hear, and when in seconds, if a check every ten seconds finds this."""
    state, heard = TroubleState(kind), []
    for at, away in enumerate(is_away):
        present = START + at * STEP
        state, event = advance_trouble(state, "No reply." if away else None, present)
        if event is not None:
            heard.append((event, (present - START).total_seconds()))
    return heard


def test_a_cloud_is_told_after_two_minutes_once_and_once_when_it_is_back() -> None:
    assert told("cloud", [True] * 90 + [False] * 90) == [
        (NoticeEvent.TROUBLE, 120.0),
        (NoticeEvent.TROUBLE_OVER, 1020.0),
    ]


def test_a_share_is_told_after_five_minutes() -> None:
    assert told("share 1f2e", [True] * 31) == [(NoticeEvent.TROUBLE, 300.0)]
    assert told("share", [True] * 30) == []


def test_a_trouble_is_told_although_the_clock_was_a_year_ahead_before() -> None:
    ahead = START + timedelta(days=365)
    before, _ = advance_trouble(TroubleState("cloud", told_at=ahead), "No reply.", ahead)
    went_back, told_then = advance_trouble(before, "No reply.", START)
    assert told_then is None
    _, told_later = advance_trouble(went_back, "No reply.", START + timedelta(minutes=3))
    assert told_later is NoticeEvent.TROUBLE


def test_a_short_outage_is_told_to_nobody() -> None:
    assert told("cloud", [True] * 11 + [False] * 60) == []


def test_a_cloud_that_flaps_sixty_times_in_an_hour_is_told_at_most_twice() -> None:
    for down in range(1, 6):
        flapping = ([True] * down + [False] * (6 - down)) * 60
        assert len(told("cloud", flapping + [False] * 30)) == 2, f"down for {10 * down} s of each minute"
    assert told("cloud", ([True] * 3 + [False] * 3) * 60)[0] == (NoticeEvent.TROUBLE, 120.0)


def test_a_trouble_that_comes_back_is_told_at_most_hourly() -> None:
    comes_and_goes = ([True] * 20 + [False] * 20) * 27  # three hours, each outage longer than two minutes
    heard = told("cloud", comes_and_goes)
    begun = [at for event, at in heard if event is NoticeEvent.TROUBLE]
    assert len(begun) == 3
    assert min(later - earlier for earlier, later in pairwise(begun)) >= 3600


def test_its_end_is_told_only_to_those_who_heard_of_it() -> None:
    heard = [event for event, _ in told("cloud", ([True] * 20 + [False] * 20) * 27)]
    assert heard == [NoticeEvent.TROUBLE, NoticeEvent.TROUBLE_OVER] * 3
