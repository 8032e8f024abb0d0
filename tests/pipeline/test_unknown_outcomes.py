"""Effects whose outcome is not known: asked for in the cloud, or settled by a person with one command."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from urllib3.connection import HTTPConnection

from tests.pipeline.conftest import Shop, dispatched, held
from tests.stl import box
from workflow.errors import WrongSubmissionState
from workflow.ledger import SendIntent
from workflow.ledger.tables import sends
from workflow.model import HoldReason, Step, Submission, SubmissionEvent, SubmissionState
from workflow.pipeline.commands import confirm_send
from workflow.pipeline.context import now
from workflow.pipeline.reconcile import find_earlier_send
from workflow.pipeline.upload import first_upload_attempt


def uploads(context: Shop, submission: Submission) -> int:
    versions = context.cloud.world()["part_versions"]
    return sum(version["sha256"] == submission.sha256 for version in versions)


def in_doubt(context: Shop, path: str, content: bytes) -> Submission:
    context.cloud.fault("sendBuildToJobRequestQueue", "cut_before", times=3)
    context.drop(path, content)
    waiting = context.wait(path, held)
    assert waiting.hold is HoldReason.SEND
    return waiting


def test_a_machine_that_was_suspended_while_it_connected_sends_nothing_late(
    context: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had the right to send when it began to connect; when it wakes, another one has sent."""
    ledger = context.service.ledger
    woken: list[Submission] = []

    connect = HTTPConnection.connect

    def connecting(connection: HTTPConnection) -> None:
        late = context.submission("late.stl")
        if late is not None and _is_begun(context) and not woken:
            woken.append(late)
            _take_over_and_send(context, late)
        connect(connection)

    monkeypatch.setattr(HTTPConnection, "connect", connecting)
    context.drop("late.stl", box(61))
    done = context.wait("late.stl", dispatched)
    assert len(woken) == 1
    assert (context.sent(done), done.receipt_id) == (1, ledger.sends.list_receipts(done.id)[0])


def _is_begun(context: Shop) -> bool:
    with context.service.ledger.read_connection() as connection:
        return connection.execute(select(sends.c.token)).first() is not None


def _take_over_and_send(context: Shop, late: Submission) -> None:
    ledger = context.service.ledger
    with ledger.write_transaction() as connection:  # the time that the first one reserved is over
        connection.execute(update(sends).where(sends.c.submission == late.id).values(deadline=0.0))
    heir = ledger.schedule_next_step(late, Step.DELIVER, now() + timedelta(seconds=1))
    intent = ledger.sends.begin(heir, 1, 60)
    assert isinstance(intent, SendIntent)
    with context.client() as client:
        made = client.send_build_to_job_request_queue(str(heir.build_id))
    ledger.sends.complete(heir, 1, intent, made.id)


def test_an_upload_whose_reply_was_lost_is_found_and_not_repeated(context: Shop) -> None:
    context.cloud.fault("uploadStl", "cut_after")
    context.drop("arrived.stl", box(41))
    done = context.wait("arrived.stl", dispatched)
    assert (uploads(context, done), context.sent(done)) == (1, 1)
    told = [event.detail for event in context.history("arrived.stl") if event.event == "uploaded"]
    assert len(told) == 1
    assert f"part version {done.part_version_id}, found in the cloud by its build arrived~" in told[0]


def test_an_upload_that_did_not_arrive_is_repeated(context: Shop) -> None:
    context.cloud.fault("uploadStl", "cut_before")
    context.drop("again.stl", box(42))
    done = context.wait("again.stl", dispatched)
    assert (uploads(context, done), context.sent(done)) == (1, 1)


def test_an_upload_with_another_preset_is_another_upload() -> None:
    start = now()
    history = [
        SubmissionEvent(start + timedelta(seconds=place), word, detail)
        for place, (word, detail) in enumerate(
            [("decided", "Onyx"), ("uploading", "a"), ("decided", "Nylon"), ("uploading", "a"),
             ("retried", ""), ("decided", "Onyx")]
        )
    ]  # fmt: skip
    assert first_upload_attempt(history[:1]) is None
    assert first_upload_attempt(history[:3]) is None
    assert first_upload_attempt(history[:2]) == history[1].at
    assert first_upload_attempt(history) is None, "which of the two arrived can't be told"
    assert first_upload_attempt([*history, SubmissionEvent(start, "uploaded", "")]) is None


def test_a_person_says_that_a_doubtful_send_worked(context: Shop) -> None:
    waiting = in_doubt(context, "worked.stl", box(43))
    confirm_send(context.service.ledger, waiting.id, "job 7")
    done = context.wait("worked.stl", dispatched)
    assert (done.receipt_id, context.sent(done)) == ("job 7", 0)
    assert context.places("worked.stl") == {"done/worked.stl"}
    assert "sent as job 7, says a person" in [event.detail for event in context.history("worked.stl")]


def test_a_person_says_that_a_doubtful_send_did_not_work(context: Shop) -> None:
    waiting = in_doubt(context, "failed.stl", box(44))
    assert f"`stlflow settle {waiting.id} --sent RECEIPT`, or `--not-sent`" in (waiting.reason or "")
    confirm_send(context.service.ledger, waiting.id, None)
    assert context.sent(context.wait("failed.stl", dispatched)) == 1


def test_only_a_doubt_is_settled(context: Shop) -> None:
    context.drop("clear.stl", box(45))
    done = context.wait("clear.stl", dispatched)
    with pytest.raises(
        WrongSubmissionState, match=f"Submission {done.id} is dispatched: no send of it is in doubt"
    ):
        confirm_send(context.service.ledger, done.id, None)


def test_what_was_sent_is_found_however_wrong_the_clock_was_at_the_claim(context: Shop) -> None:
    context.drop("clock.stl", box(46))
    done = context.wait("clock.stl", dispatched)
    assert done.state is SubmissionState.DISPATCHED
    late = replace(done, opened_at=now() + timedelta(days=2))
    with context.client() as client:
        assert find_earlier_send(client, late) == done.receipt_id
