"""What waits for slicing: counted, found by number and by part version, and gone on with once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.ledger.queue_worker import QueueWorker
from tests.states import put_in_state
from workflow.ledger import (
    Ledger,
    NextPoll,
    Superseded,
    count_waiting_for_slicing,
    filter_waiting_for_slicing,
    find_oldest_upload,
    find_waiting_by_part_version,
    next_poll_seconds,
    postpone_due_polls,
    schedule_next_polls,
    start_delivery,
)
from workflow.ledger.statements import LIST_RESUMED_FROM_HELD
from workflow.model import EventKind, Step, Submission, SubmissionState

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def waits(ledger: Ledger, place: int) -> Submission:
    number = ledger.open(f"{place}.stl")
    ledger.claimed(number, f"processing/{number}~{place}.stl")
    slicing = put_in_state(ledger, ledger.get(number), state=SubmissionState.SLICING)
    return ledger.schedule_next_step(
        slicing,
        Step.POLL,
        NOON,
        part_version_id=f"version-{place}",
        uploaded_at=NOON + timedelta(minutes=place),
    )


def test_nothing_waits_at_first(ledger: Ledger) -> None:
    assert (count_waiting_for_slicing(ledger), find_oldest_upload(ledger)) == (0, None)
    assert (
        filter_waiting_for_slicing(ledger, [1]) == find_waiting_by_part_version(ledger, ["version-1"]) == ()
    )


def test_a_time_that_was_written_while_the_clock_was_wrong_is_due_now(ledger: Ledger) -> None:
    assert next_poll_seconds(ledger) == float("inf")
    first = waits(ledger, 1)
    soon = datetime.now(UTC) + timedelta(seconds=50)
    ledger.update_submission(first, due_at=soon)
    assert 40 < next_poll_seconds(ledger) < 60
    ledger.update_submission(first, due_at=soon + timedelta(hours=1))
    assert next_poll_seconds(ledger) == 0
    assert [each.id for each in postpone_due_polls(ledger, 5)] == [first.id]


def test_what_waits_is_counted_and_found(ledger: Ledger) -> None:
    first, second, third = (waits(ledger, place) for place in range(3))
    ledger.schedule_next_step(first, Step.DELIVER, NOON, state=SubmissionState.SLICED)
    canceled = ledger.open("canceled.stl")
    ledger.claimed(canceled, "processing/4~canceled.stl")
    assert (count_waiting_for_slicing(ledger), find_oldest_upload(ledger)) == (2, second.uploaded_at)
    every = range(1, 2000)
    assert filter_waiting_for_slicing(ledger, every) == (second, third)
    assert find_waiting_by_part_version(ledger, ["version-0", "version-2", "version-9"]) == (third,)


def test_one_that_is_just_being_asked_for_waits_too(ledger: Ledger) -> None:
    waits(ledger, 0)
    (asked,) = postpone_due_polls(ledger, 1)
    assert filter_waiting_for_slicing(ledger, [asked.id]) == (asked,)
    start_delivery(ledger, asked, [(EventKind.SLICED, "")], state=SubmissionState.SLICED)
    with pytest.raises(Superseded):
        ledger.update_submission(asked, due_at=NOON)


def test_the_longest_due_are_asked_for_and_their_answers_are_written_together(
    ledger: Ledger,
) -> None:
    parked = [waits(ledger, place) for place in range(4)]
    for place, submission in enumerate(parked):
        ledger.update_submission(submission, due_at=NOON - timedelta(minutes=place))
    asked = postpone_due_polls(ledger, 3)
    assert {each.id for each in asked} == {each.id for each in parked[1:]}
    gone_on = next(each for each in asked if each.id == parked[3].id)
    start_delivery(ledger, gone_on, [(EventKind.SLICED, "")], state=SubmissionState.SLICED)
    later = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=10)
    schedule_next_polls(ledger, [NextPoll(each, later, "IN_PROGRESS", tries=1) for each in asked])
    for each in parked[1:3]:
        seen = ledger.get(each.id)
        assert (seen.due_at, seen.slice_status, seen.tries, seen.turn) == (later, "IN_PROGRESS", 1, each.turn)
    assert ledger.get(gone_on.id).slice_status is None, "it has gone on meanwhile"
    assert ledger.get(gone_on.id).step is Step.DELIVER
    assert [each.id for each in postpone_due_polls(ledger, 9)] == [parked[0].id]


def test_going_on_is_one_change_with_all_its_news_and_happens_once(ledger: Ledger) -> None:
    submission = waits(ledger, 0)
    news = [(EventKind.SLICED, "after 3 s"), (EventKind.BUILD_FOUND, "clip (b)")]
    start_delivery(ledger, submission, news, state=SubmissionState.SLICED, build_id="b")
    with pytest.raises(Superseded):
        start_delivery(ledger, submission, news, state=SubmissionState.SLICED, build_id="c")
    gone_on = ledger.get(submission.id)
    assert (gone_on.step, gone_on.turn, gone_on.build_id) == (Step.DELIVER, submission.turn + 1, "b")
    told = [(event.event, event.detail) for event in ledger.events(submission.id)]
    assert told[-2:] == news
    assert told.count(news[0]) == 1
    assert [each.id for each in QueueWorker(ledger).take(Step.DELIVER)] == [submission.id]


def test_what_goes_on_from_held_is_found_without_a_look_at_what_waits(ledger: Ledger) -> None:
    """Asked for every second, beside thousands that wait for slicing: an index has just these."""
    resumed = waits(ledger, 1)
    assert ledger.list_resumed_from_held() == ()
    ledger.update_submission(resumed, claimed_as="held/1.stl")
    assert [each.id for each in ledger.list_resumed_from_held()] == [resumed.id]
    statement: Any = LIST_RESUMED_FROM_HELD._statement
    with ledger.write_transaction() as connection:
        query = statement.compile(connection.engine, compile_kwargs={"literal_binds": True})
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("set local enable_seqscan = off")  # one row is quicker read without
            plan = connection.exec_driver_sql(f"explain {query}")
        else:
            plan = connection.exec_driver_sql(f"explain query plan {query}")
        assert "submissions_resumed" in str(plan.all())
