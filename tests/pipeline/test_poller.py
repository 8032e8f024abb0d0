"""Polls of many that wait begin in rounds, at the rate that they may cost; their answers come together."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from threading import Event, Thread
from typing import Any, cast

import pytest
from pydantic import SecretStr

from tests.cloud import Cloud, simulated
from tests.eiger.server import ID, Answer, Asked, as_json, client_of, serving
from tests.pipeline.test_slice_listing import Rooms, operations, park
from tests.stl import box
from tests.waiting import until
from workflow.eiger import EigerClient, RateLimiter, Timeouts
from workflow.ledger import Ledger
from workflow.pipeline import slice_listing
from workflow.pipeline.context import Context
from workflow.pipeline.poller import Poller
from workflow.pipeline.retry import RetrySchedule
from workflow.pipeline.upload import upload_name

POLL, POLL_PATH = "getSliceStatus", "/parts/slice_status/"


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with simulated(slice_seconds=3600, builds="manual") as cloud:
        yield cloud


@pytest.fixture
def rooms(tmp_path: Path, cloud: Cloud) -> Iterator[Rooms]:
    ledger, keys = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}"), (SecretStr("demo"), SecretStr("demo"))
    with EigerClient(cloud.url, *keys, budget=RateLimiter(1000), timeouts=Timeouts(2, 5, 5)) as client:
        yield Rooms(ledger, client, RetrySchedule(polls_per_second=2.5))
    ledger.close()


def test_many_are_asked_for_in_rounds_and_the_answers_are_kept_at_a_stop(
    rooms: Rooms, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slice_listing, "MAX_SINGLE_POLLS", 0)
    parked = [park(rooms.ledger) for _ in range(20)]
    for submission in parked:
        sent = rooms.client.upload_stl(BytesIO(box()), upload_name(submission))
        due_at = datetime.now(UTC) - timedelta(minutes=1)
        rooms.ledger.update_submission(submission, due_at=due_at, slice_job_id=sent.slice_job_id)
    stop, due = Event(), list[int]()
    poller = Poller(cast(Context, cast(Any, rooms)), lambda: due.append(1))
    thread = Thread(target=poller.run, args=(stop,))
    thread.start()
    assert until(lambda: operations(cloud)[POLL] >= 5)
    asked = operations(cloud)[POLL]
    stop.set()
    poller.wake()
    thread.join(timeout=30)
    assert asked < len(parked), "the others wait for the next rounds"
    answered = [each for each in rooms.ledger.among([each.id for each in parked]) if each.slice_status]
    assert len(answered) == operations(cloud)[POLL]
    assert all(each.due_at is not None and each.due_at > datetime.now(UTC) for each in answered)


@pytest.mark.parametrize("many", [True, False])
def test_a_question_that_hangs_keeps_no_other_from_being_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, many: bool
) -> None:
    if many:
        monkeypatch.setattr(slice_listing, "MAX_SINGLE_POLLS", 0)
    asked, answered = list[str](), Event()

    def answer(question: Asked) -> Answer:
        if POLL_PATH not in question.path:
            return as_json([])
        asked.append(question.path)
        if len(asked) == 1:
            assert answered.wait(60)
        return as_json({"status": "QUEUED"})

    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    with serving(answer) as server, client_of(server.url, timeouts=Timeouts(60, 60, 60)) as client:
        for number in range(6):
            due_at = datetime.now(UTC) - timedelta(minutes=1)
            ledger.update_submission(park(ledger), due_at=due_at, slice_job_id=f"{ID[:-1]}{number}")
        rooms = Rooms(ledger, client, RetrySchedule(polls_per_second=10))
        stop = Event()
        poller = Poller(cast(Context, cast(Any, rooms)), lambda: None)
        thread = Thread(target=poller.run, args=(stop,))
        thread.start()
        assert until(lambda: len(set(asked)) == 6)
        answered.set()
        stop.set()
        poller.wake()
        thread.join(timeout=60)
    ledger.close()
