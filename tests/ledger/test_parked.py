"""What waits for slicing: counted, found by number and by part version, and gone on with once."""

from datetime import UTC, datetime, timedelta

import pytest

from workflow.ledger import (
    Ledger,
    Parked,
    Superseded,
    go_on_with,
    join,
    parked,
    parked_among,
    parked_with,
    take_due,
)
from workflow.model import State, Step, Submission

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def waits(ledger: Ledger, place: int) -> Submission:
    number = ledger.open(f"{place}.stl")
    ledger.claimed(number, f"processing/{number}~{place}.stl")
    return ledger.next_turn(
        ledger.get(number),
        Step.POLL,
        NOON,
        state=State.SLICING,
        part_version_id=f"version-{place}",
        uploaded_at=NOON + timedelta(minutes=place),
    )


def test_nothing_waits_at_first(ledger: Ledger) -> None:
    assert parked(ledger) == Parked(0, None)
    assert parked_among(ledger, [1]) == parked_with(ledger, ["version-1"]) == ()


def test_what_waits_is_counted_and_found(ledger: Ledger) -> None:
    first, second, third = (waits(ledger, place) for place in range(3))
    ledger.next_turn(first, Step.DELIVER, NOON, state=State.SLICED)
    canceled = ledger.open("canceled.stl")
    ledger.claimed(canceled, "processing/4~canceled.stl")
    assert parked(ledger) == Parked(2, second.uploaded_at)
    every = range(1, 2000)
    assert parked_among(ledger, every) == (second, third)
    assert parked_with(ledger, ["version-0", "version-2", "version-9"]) == (third,)


def test_one_that_is_just_being_asked_for_waits_too(ledger: Ledger) -> None:
    waits(ledger, 0)
    worker = join(ledger, "home", "host", 1, "1.0")
    (asked,) = take_due(ledger, worker, [Step.POLL], 1)
    assert parked_among(ledger, [asked.id]) == (asked,)
    go_on_with(ledger, asked, [("sliced", "")], state=State.SLICED)
    with pytest.raises(Superseded):
        ledger.change(asked, due_at=NOON, worker=None)


def test_going_on_is_one_change_with_all_its_news_and_happens_once(ledger: Ledger) -> None:
    submission = waits(ledger, 0)
    news = [("sliced", "after 3 s"), ("build found", "clip (b)")]
    go_on_with(ledger, submission, news, state=State.SLICED, build_id="b")
    with pytest.raises(Superseded):
        go_on_with(ledger, submission, news, state=State.SLICED, build_id="c")
    gone_on = ledger.get(submission.id)
    assert (gone_on.step, gone_on.turn, gone_on.build_id) == (Step.DELIVER, submission.turn + 1, "b")
    told = [(event.event, event.detail) for event in ledger.events(submission.id)]
    assert told[-2:] == news
    assert told.count(news[0]) == 1
    worker = join(ledger, "home", "host", 1, "1.0")
    assert [each.id for each in take_due(ledger, worker, [Step.DELIVER], 1)] == [submission.id]
