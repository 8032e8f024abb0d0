"""From the change of a submission to the receiver: once, through failures and kills, on both databases."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from tests.notices.outbox import Clock, notifier, reject_at_once, submit, target, work
from tests.notices.receivers import Receiver, http_receiver
from tests.waiting import until
from workflow.ledger import Ledger
from workflow.model import EventKind, Notice, NoticeText, SubmissionState
from workflow.pipeline import notifier as sending
from workflow.pipeline.compose_notice import Composer, Submissions
from workflow.pipeline.notifier import Notifier


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with http_receiver() as receiver:
        yield receiver


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgres"])
def any_ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    url = f"sqlite:///{tmp_path / 'any.db'}"
    ledger = Ledger(request.getfixturevalue("postgres_url") if request.param == "postgres" else url)
    yield ledger
    ledger.close()


def waits(ledger: Ledger) -> int:
    return len(ledger.notices.list_waiting())


def test_a_held_file_is_told_once(any_ledger: Ledger, receiver: Receiver, clock: Clock) -> None:
    sender = notifier(any_ledger, clock, shop=target(receiver.url))
    number = submit(any_ledger, "anna/bracket.stl", EventKind.HELD, "3 holes, the largest 4 mm.")
    work(sender)
    assert receiver.got == [], "more may come"
    clock.turn(31)
    for _ in range(3):
        work(sender)
    (document,) = receiver.documents()
    assert document["title"] == "bracket.stl: held"
    assert document["events"] == ["held"]
    assert document["submissions"] == [number]
    assert {"title": "Why", "text": "3 holes, the largest 4 mm."} in document["paragraphs"]
    assert document["may_be_a_repeat"] is False


def test_five_hundred_rejected_at_once_are_one_digest(
    ledger: Ledger, receiver: Receiver, clock: Clock
) -> None:
    sender = notifier(ledger, clock, shop=target(receiver.url))
    reject_at_once(ledger, 500)
    for _ in range(5):
        clock.turn(31)
        work(sender)
    (document,) = receiver.documents()
    assert document["title"] == "500 files: 500 rejected"
    assert len(document["submissions"]) == 500
    assert '400 for "… holes"' in document["paragraphs"][0]["text"]
    assert '100 for "Longer than … mm"' in document["paragraphs"][0]["text"]
    assert "and 488 more" in document["paragraphs"][0]["text"]


def test_what_a_person_decided_meanwhile_is_not_told(
    ledger: Ledger, receiver: Receiver, clock: Clock
) -> None:
    sender = notifier(ledger, clock, shop=target(receiver.url))
    number = submit(ledger, "a.stl", EventKind.HELD)
    submit(ledger, "b.stl", EventKind.HELD)
    ledger.record_event(ledger.get(number), EventKind.CANCELED, state=SubmissionState.CANCELED)
    clock.turn(31)
    work(sender)
    assert [each["title"] for each in receiver.documents()] == ["b.stl: held"]


def test_a_receiver_that_is_down_gets_it_when_it_is_back(
    ledger: Ledger, receiver: Receiver, clock: Clock
) -> None:
    sender = notifier(ledger, clock, shop=target(receiver.url))
    submit(ledger, "a.stl", EventKind.HELD)
    receiver.behavior = "503"
    clock.turn(31)
    for _ in range(60):
        work(sender)
        clock.turn(60)
    assert 5 < receiver.asked < 15, "ever later"
    assert ledger.notices.condition(clock() - timedelta(days=1)).problems == {
        "shop": "127.0.0.1 answered 503"
    }
    receiver.behavior = "take"
    clock.turn(3600)
    work(sender)
    work(sender)
    assert len(receiver.got) == 1
    assert ledger.notices.condition(clock() - timedelta(days=1)).waiting == 0


def test_after_a_day_it_is_given_up_and_said(ledger: Ledger, receiver: Receiver, clock: Clock) -> None:
    sender = notifier(ledger, clock, shop=target(receiver.url))
    submit(ledger, "a.stl", EventKind.HELD)
    receiver.behavior = "404"
    clock.turn(31)
    for _ in range(30):
        work(sender)
        clock.turn(3601)
    asked = receiver.asked
    work(sender)
    assert receiver.asked == asked
    condition = ledger.notices.condition(clock() - timedelta(days=7))
    assert (condition.waiting, condition.given_up) == (0, 1)


def test_a_webhook_that_sends_no_reply_gets_the_same_id_again(
    ledger: Ledger, receiver: Receiver, clock: Clock
) -> None:
    sender = notifier(ledger, clock, shop=target(receiver.url))
    submit(ledger, "a.stl", EventKind.HELD)
    receiver.behavior = "cut"
    clock.turn(31)
    for _ in range(4):
        work(sender)
        clock.turn(601)
    receiver.behavior = "take"
    work(sender)
    work(sender)
    documents = receiver.documents()
    assert len(documents) == 5
    assert len({document["id"] for document in documents}) == 1
    assert [document["may_be_a_repeat"] for document in documents] == [False, True, True, True, True]
    assert {headers["Idempotency-Key"] for headers, _ in receiver.got} == {documents[0]["id"]}


def test_slack_that_sends_no_reply_gets_it_twice_at_most(
    ledger: Ledger, receiver: Receiver, clock: Clock
) -> None:
    sender = notifier(ledger, clock, shop=target(receiver.url, "slack"))
    submit(ledger, "a.stl", EventKind.HELD)
    receiver.behavior = "cut"
    clock.turn(31)
    for _ in range(10):
        work(sender)
        clock.turn(3601)
    first, second = receiver.documents()
    assert "may have come before" not in str(first)
    assert "may have come before" in str(second)
    assert ledger.notices.condition(clock() - timedelta(days=1)).unconfirmed == 1


@pytest.mark.parametrize("channel", ["webhook", "slack"])
def test_a_kill_while_it_is_sent_loses_nothing_and_says_that_it_may_be_a_repeat(
    channel: str, ledger: Ledger, receiver: Receiver, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process is gone after the receiver took the message, and before that was recorded."""
    sender = notifier(ledger, clock, shop=target(receiver.url, channel))
    submit(ledger, "a.stl", EventKind.HELD)
    clock.turn(31)
    with monkeypatch.context() as patch:
        patch.setattr(Notifier, "_settle", lambda *_: None)
        work(sender)
    assert len(receiver.got) == 1
    work(sender)
    assert len(receiver.got) == 1, "it may still be being sent"
    clock.turn(sending.LEASE.total_seconds() + 1)
    sender.clean()
    work(sender)
    work(sender)
    first, second = receiver.documents()
    assert len(receiver.got) == 2
    assert "may have come before" in str(second)
    assert first.get("id") == second.get("id"), "a webhook's receiver sees by the id that it has it"


def test_two_workers_send_each_once(any_ledger: Ledger, receiver: Receiver, clock: Clock) -> None:
    workers = [notifier(any_ledger, clock, shop=target(receiver.url)) for _ in range(2)]
    for at in range(3):
        submit(any_ledger, f"{at}.stl", EventKind.HELD)
    clock.turn(31)
    for sender in workers:
        sender.address()
    seen = any_ledger.notices.list_waiting()
    assert len(seen) == 3
    for sender in workers:  # both have read the same rows before either sends
        for each in seen:
            sender.send([each])
    assert len(receiver.got) == 3


def test_without_targets_the_outbox_is_emptied(ledger: Ledger, clock: Clock) -> None:
    submit(ledger, "a.stl", EventKind.HELD)
    work(notifier(ledger, clock))
    assert (waits(ledger), ledger.notices.list_unaddressed()) == (0, ())


def test_a_notice_goes_with_its_submission(ledger: Ledger, receiver: Receiver, clock: Clock) -> None:
    sender = notifier(ledger, clock, shop=target(receiver.url))
    number = submit(ledger, "a.stl", EventKind.REJECTED)
    sender.address()
    ledger.record_event(ledger.get(number), EventKind.REJECTED, ended_at=clock(), step=None)
    assert ledger.retention.delete_ended(clock() + timedelta(days=1), None) == 1
    assert waits(ledger) == 0


def test_nothing_of_a_change_that_is_undone_is_told(ledger: Ledger, clock: Clock) -> None:
    number = submit(ledger, "a.stl", EventKind.CLAIMED)
    old = ledger.get(number)
    ledger.schedule_next_step(old, None, None)
    with pytest.raises(Exception, match="has gone on"):
        ledger.record_event(old, EventKind.HELD, "late", state=SubmissionState.HELD)
    assert ledger.notices.list_unaddressed() == ()


@pytest.mark.parametrize(
    ("event", "title"),
    [
        (EventKind.HELD, "a.stl: held"),
        (EventKind.REJECTED, "a.stl: rejected"),
        (EventKind.DISPATCHED, "a.stl: sent"),
        (EventKind.PRINTED, "a.stl: printed"),
        (EventKind.PRINT_FAILED, "a.stl: failed"),
        (EventKind.LATE, "a.stl: late"),
    ],
)
def test_each_event_of_a_file_is_told(
    event: EventKind, title: str, ledger: Ledger, receiver: Receiver, clock: Clock
) -> None:
    sender = notifier(ledger, clock, shop=target(receiver.url))
    submit(ledger, "a.stl", event)
    clock.turn(31)
    work(sender)
    assert [document["title"] for document in receiver.documents()] == [title]


def test_a_message_that_can_not_be_written_stops_no_other(
    ledger: Ledger, receiver: Receiver, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = notifier(ledger, clock, first=target(receiver.url), second=target(receiver.url))
    submit(ledger, "a.stl", EventKind.HELD)
    clock.turn(31)
    compose = Composer.compose

    def broken(composer: Composer, told: Sequence[Notice], known: Submissions) -> NoticeText:
        if told[0].target == "first":
            raise KeyError("s3cret")
        return compose(composer, told, known)

    monkeypatch.setattr(Composer, "compose", broken)
    work(sender)
    assert len(receiver.got) == 1
    problems = ledger.notices.condition(clock() - timedelta(days=1)).problems
    assert problems == {"first": "a fault of stlflow (KeyError)"}


def test_many_notices_for_one_target_hide_no_other_target(ledger: Ledger, clock: Clock) -> None:
    sender = notifier(ledger, clock, down=target("http://127.0.0.1:9/"), up=target("http://127.0.0.1:9/"))
    reject_at_once(ledger, 30)
    sender.address()
    shown = ledger.notices.list_waiting(limit=5)
    assert [each.target for each in shown] == ["down"] * 5 + ["up"] * 5


def test_receivers_that_hang_delay_no_other(
    ledger: Ledger, receiver: Receiver, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "PATIENCE_SECONDS", 0.2)
    with http_receiver() as first, http_receiver() as second:
        first.behavior = second.behavior = "hang"
        targets = {"a": target(first.url), "b": target(second.url), "c": target(receiver.url)}
        sender = notifier(ledger, clock, **targets)
        submit(ledger, "a.stl", EventKind.HELD)
        clock.turn(31)
        work(sender)
        assert until(lambda: len(receiver.got) == 1, 60)
        submit(ledger, "b.stl", EventKind.HELD)
        work(sender)
        clock.turn(31)
        work(sender)
        assert until(lambda: len(receiver.got) == 2, 60)
        assert (first.asked, second.asked) == (1, 1), "each still has the first message"
        first.released.set()
        second.released.set()
        assert until(lambda: not any(each.is_alive() for each in sender._sending.values()), 60)
