"""Effects whose outcome is not known: asked for in the cloud, or settled by a person with one command."""

from dataclasses import replace
from datetime import timedelta

import pytest
import requests
from sqlalchemy import update

from tests.pipeline.conftest import Shop, dispatched, held
from tests.stl import box
from workflow.eiger.session import new_session
from workflow.errors import NotNow
from workflow.ledger import Intent, begin_send, receipts_of, settle_send
from workflow.ledger.tables import sends
from workflow.model import Event, Hold, State, Step, Submission
from workflow.pipeline.clock import now
from workflow.pipeline.earlier import tried_since
from workflow.pipeline.orders import settle
from workflow.pipeline.reconcile import already_sent


def uploads(shop: Shop, submission: Submission) -> int:
    versions = shop.cloud.world()["part_versions"]
    return sum(version["sha256"] == submission.sha256 for version in versions)


def in_doubt(shop: Shop, path: str, content: bytes) -> Submission:
    shop.cloud.fault("sendBuildToJobRequestQueue", "cut_before", times=3)
    shop.drop(path, content)
    waiting = shop.wait(path, held)
    assert waiting.hold is Hold.SEND
    return waiting


def test_a_machine_that_stood_still_while_it_connected_sends_nothing_late(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had the right to send when it began to connect; when it wakes, another one has sent."""
    ledger = shop.service.ledger
    woken: list[Submission] = []

    def connecting(url: str) -> requests.Session:
        late = shop.submission("late.stl")
        if late is not None and late.state is State.ROUTED and _is_announced(shop) and not woken:
            woken.append(late)
            _take_over_and_send(shop, late)
        return new_session(url)

    monkeypatch.setattr("workflow.eiger.transport.new_session", connecting)
    shop.drop("late.stl", box(61))
    done = shop.wait("late.stl", dispatched)
    assert len(woken) == 1
    assert (shop.sent(done), done.receipt_id) == (1, receipts_of(ledger, done.id)[0])


def _is_announced(shop: Shop) -> bool:
    return any(event.event == "sending" for event in shop.history("late.stl"))


def _take_over_and_send(shop: Shop, late: Submission) -> None:
    ledger = shop.service.ledger
    with ledger.writing() as connection:  # the time that the first one reserved is over
        connection.execute(update(sends).where(sends.c.submission == late.id).values(deadline=0.0))
    heir = ledger.next_turn(late, Step.DELIVER, now() + timedelta(seconds=1))
    intent = begin_send(ledger, heir, 1, 60)
    assert isinstance(intent, Intent)
    with shop.client() as client:
        made = client.send_build_to_job_request_queue(str(heir.build_id))
    settle_send(ledger, heir, 1, intent, made.id, reconciled=False)


def test_an_upload_whose_reply_was_lost_is_found_and_not_repeated(shop: Shop) -> None:
    shop.cloud.fault("uploadStl", "cut_after")
    shop.drop("arrived.stl", box(41))
    done = shop.wait("arrived.stl", dispatched)
    assert (uploads(shop, done), shop.sent(done)) == (1, 1)
    told = [event.detail for event in shop.history("arrived.stl") if event.event == "uploaded"]
    assert len(told) == 1
    assert f"part version {done.part_version_id}, found in the cloud by its build arrived~" in told[0]


def test_an_upload_that_did_not_arrive_is_repeated(shop: Shop) -> None:
    shop.cloud.fault("uploadStl", "cut_before")
    shop.drop("again.stl", box(42))
    done = shop.wait("again.stl", dispatched)
    assert (uploads(shop, done), shop.sent(done)) == (1, 1)


def test_an_upload_with_another_preset_is_another_upload() -> None:
    start = now()
    history = [
        Event(start + timedelta(seconds=place), word, detail)
        for place, (word, detail) in enumerate(
            [("decided", "Onyx"), ("uploading", "a"), ("decided", "Nylon"), ("uploading", "a"),
             ("retried", ""), ("decided", "Onyx")]
        )
    ]  # fmt: skip
    assert tried_since(history[:1]) is None
    assert tried_since(history[:3]) is None
    assert tried_since(history[:2]) == history[1].at
    assert tried_since(history) is None, "which of the two arrived can't be told"
    assert tried_since([*history, Event(start, "uploaded", "")]) is None


def test_a_person_says_that_a_doubtful_send_worked(shop: Shop) -> None:
    waiting = in_doubt(shop, "worked.stl", box(43))
    settle(shop.service.ledger, waiting.id, "job 7")
    done = shop.wait("worked.stl", dispatched)
    assert (done.receipt_id, shop.sent(done)) == ("job 7", 0)
    assert shop.places("worked.stl") == {"done/worked.stl"}
    assert "sent as job 7, says a person" in [event.detail for event in shop.history("worked.stl")]


def test_a_person_says_that_a_doubtful_send_did_not_work(shop: Shop) -> None:
    waiting = in_doubt(shop, "failed.stl", box(44))
    assert f"`stlflow settle {waiting.id} --sent RECEIPT`, or `--not-sent`" in (waiting.reason or "")
    settle(shop.service.ledger, waiting.id, None)
    assert shop.sent(shop.wait("failed.stl", dispatched)) == 1


def test_only_a_doubt_is_settled(shop: Shop) -> None:
    shop.drop("clear.stl", box(45))
    done = shop.wait("clear.stl", dispatched)
    with pytest.raises(NotNow, match=f"Submission {done.id} is dispatched: no send of it is in doubt"):
        settle(shop.service.ledger, done.id, None)


def test_what_was_sent_is_found_however_wrong_the_clock_was_at_the_claim(shop: Shop) -> None:
    shop.drop("clock.stl", box(46))
    done = shop.wait("clock.stl", dispatched)
    assert done.state is State.DISPATCHED
    late = replace(done, opened_at=now() + timedelta(days=2))
    with shop.client() as client:
        assert already_sent(client, late) == done.receipt_id
