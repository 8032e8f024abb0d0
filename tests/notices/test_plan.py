"""When notices are sent, and with which others, with the clock turned."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta, timezone

from workflow.model import Notice, NoticeEvent
from workflow.notices import GIVE_UP_AFTER, NoticePolicy, plan_messages, retry_seconds

NIGHT = datetime(2026, 11, 27, 23, tzinfo=UTC)
QUIET = NoticePolicy(
    quiet=(time(19), time(6, 30)), urgent=frozenset({NoticeEvent.HELD, NoticeEvent.TROUBLE}), zone=UTC
)
ALWAYS = NoticePolicy(zone=UTC)


def notice(number: int, event: NoticeEvent, at: datetime, target: str = "shop") -> Notice:
    return Notice(number, event, f"event {number}", at, target, submission=number, due_at=at)


def numbers(waiting: list[Notice], now: datetime, policy: NoticePolicy = ALWAYS) -> list[list[int]]:
    """Return the numbers in each message that is sent now."""
    return [[each.id for each in batch] for batch in plan_messages(waiting, now, policy).batches]


def after(seconds: float) -> datetime:
    return NIGHT + timedelta(seconds=seconds)


def test_five_hundred_at_once_are_one_digest() -> None:
    burst = [notice(at, NoticeEvent.REJECTED, after(at * 0.1)) for at in range(500)]
    assert numbers(burst, after(50)) == [], "more may come"
    assert numbers(burst, after(80)) == [[each.id for each in burst]]


def test_a_few_are_a_message_each() -> None:
    some = [notice(at, NoticeEvent.HELD, after(0)) for at in range(3)]
    assert numbers(some, after(29)) == []
    assert numbers(some, after(30)) == [[0], [1], [2]]


def test_of_the_same_event_of_the_same_file_only_the_latest_is_told() -> None:
    copies = [replace(notice(at, NoticeEvent.PRINTED, after(at)), submission=7) for at in range(3)]
    failed = replace(notice(3, NoticeEvent.FAILED, after(3)), submission=7)
    elsewhere = replace(notice(4, NoticeEvent.PRINTED, after(3), "other"), submission=7)
    plan = plan_messages([*copies, failed, elsewhere], after(60), ALWAYS)
    assert [[each.id for each in batch] for batch in plan.batches] == [[2], [3], [4]]
    assert [each.id for each in plan.superseded] == [0, 1]
    sending = replace(copies[0], message="m", tries=1, due_at=after(0))
    assert plan_messages([sending, *copies[1:]], after(60), ALWAYS).superseded == (copies[1],)
    troubles = [replace(notice(at, NoticeEvent.TROUBLE, after(0)), submission=None) for at in range(2)]
    assert plan_messages(troubles, after(60), ALWAYS).superseded == ()


def test_a_stream_that_never_pauses_is_told_every_five_minutes() -> None:
    stream = [notice(at, NoticeEvent.SENT, after(10 * at)) for at in range(31)]
    assert numbers(stream, after(299)) == []
    assert len(numbers(stream, after(300))[0]) == 31


def test_quiet_hours_hold_back_what_needs_nobody_now_and_a_digest_follows() -> None:
    waiting = [notice(at, NoticeEvent.SENT, after(60 * at)) for at in range(5)]
    waiting.append(notice(9, NoticeEvent.HELD, after(0)))
    assert numbers(waiting, after(3600), QUIET) == [[9]]
    assert numbers(waiting[:5], datetime(2026, 11, 28, 6, 29, tzinfo=UTC), QUIET) == []
    assert numbers(waiting[:5], datetime(2026, 11, 28, 6, 30, tzinfo=UTC), QUIET) == [[0, 1, 2, 3, 4]]


def test_quiet_hours_are_in_the_time_of_the_shop() -> None:
    waiting = [notice(1, NoticeEvent.SENT, NIGHT)]
    elsewhere = replace(QUIET, zone=timezone(timedelta(hours=-8)))  # 15:00 there
    assert numbers(waiting, after(60), elsewhere) == [[1]]


def test_quiet_hours_may_be_within_a_day() -> None:
    noon = replace(QUIET, quiet=(time(12), time(13)))
    waiting = [notice(1, NoticeEvent.SENT, datetime(2026, 11, 27, 12, tzinfo=UTC))]
    assert numbers(waiting, datetime(2026, 11, 27, 12, 59, tzinfo=UTC), noon) == []
    assert numbers(waiting, datetime(2026, 11, 27, 13, 0, tzinfo=UTC), noon) == [[1]]


def test_trouble_waits_for_no_others() -> None:
    waiting = [notice(at, NoticeEvent.SENT, after(0)) for at in range(9)]
    trouble = notice(10, NoticeEvent.TROUBLE, after(0))
    assert numbers([*waiting, trouble], after(1)) == [[10]]
    over = notice(11, NoticeEvent.TROUBLE_OVER, after(0))
    assert numbers([over], after(1), QUIET) == [[11]], "who was woken hears that it is over"


def test_a_target_that_fails_gets_nothing_until_its_next_try_and_then_everything_at_once() -> None:
    tried = replace(notice(1, NoticeEvent.SENT, after(0)), tries=3, due_at=after(600))
    new = [notice(at, NoticeEvent.SENT, after(400)) for at in range(2, 6)]
    other = notice(7, NoticeEvent.SENT, after(0), "anna@example.com")
    assert numbers([tried, *new, other], after(599)) == [[7]]
    assert numbers([tried, *new], after(600)) == [[1, 2, 3, 4, 5]]


def test_what_a_wrong_clock_has_dated_into_the_future_is_sent_all_the_same() -> None:
    """The clock was a year ahead for an hour, and was put right."""
    year = 365 * 86_400
    tried = replace(notice(1, NoticeEvent.SENT, after(year)), tries=3, due_at=after(year + 600))
    assert numbers([tried], after(0)) == [[1]]
    assert numbers([notice(2, NoticeEvent.SENT, after(year))], after(0)) == [[2]]


def test_a_message_that_may_have_arrived_is_repeated_as_it_was() -> None:
    begun = [
        replace(notice(at, NoticeEvent.SENT, after(0)), message="m1", unconfirmed=1, tries=1)
        for at in range(5)
    ]
    new = [notice(at, NoticeEvent.SENT, after(0)) for at in range(6, 8)]
    assert numbers([*begun, *new], after(60)) == [[0, 1, 2, 3, 4], [6], [7]]


def test_after_a_day_of_tries_it_is_given_up() -> None:
    old = replace(notice(1, NoticeEvent.SENT, NIGHT), tries=30)
    assert plan_messages([old], NIGHT + GIVE_UP_AFTER, ALWAYS).expired == (old,)
    assert plan_messages([old], NIGHT + GIVE_UP_AFTER, ALWAYS).batches == ()
    untried = notice(2, NoticeEvent.SENT, NIGHT)
    assert plan_messages([untried], NIGHT + GIVE_UP_AFTER, ALWAYS).expired == (), "stlflow was stopped"


def test_tries_come_ever_later_up_to_one_an_hour() -> None:
    waits = [retry_seconds(tries) for tries in range(1, 40)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (10.0, 3600.0)
    assert 20 < sum(1 for at in range(len(waits)) if sum(waits[:at]) < GIVE_UP_AFTER.total_seconds()) < 40
