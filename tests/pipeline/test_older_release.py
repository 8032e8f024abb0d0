"""A SQLite ledger of the release that ran on DBOS goes on, whatever its submissions were doing.

`older_release.sql` was written by commit 7539e70, whose service was killed at work and with a send open.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.pipeline.test_work_queue import Floor
from tests.waiting import until
from workflow.ledger import Ledger, Work, check_integrity, postpone_due_polls
from workflow.model import HoldReason, Step, SubmissionState
from workflow.pipeline import local_queue
from workflow.pipeline.context import now

QUEUED, CUT, PARKED, ASKED, SENDING, HELD, NO_DEVICE, DONE, OPENED = range(1, 10)
DUMP = Path(__file__).with_name("older_release.sql")


@pytest.fixture
def floor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Floor]:
    """A queue over that ledger, where whatever waits for a time waits for ten minutes more."""
    monkeypatch.setattr(local_queue, "AUDIT_SECONDS", 0.2)
    with closing(sqlite3.connect(tmp_path / "stlflow.db")) as database:
        database.executescript(DUMP.read_text("utf-8"))
        later = now().timestamp() + 600
        database.execute("update submissions set due_at = ? where id in (?, ?)", (later, PARKED, NO_DEVICE))
        database.commit()
    floor = Floor(Ledger(f"sqlite:///{tmp_path / 'stlflow.db'}"))
    yield floor
    if floor.queue is not None:
        floor.queue.stop(10)
    floor.ledger.close()


def test_what_was_in_progress_gets_a_new_turn_and_everything_else_stays(floor: Floor) -> None:
    before = {submission.id: submission for submission in floor.ledger.all()}
    queue = floor.start()
    assert until(lambda: all(map(floor.has_ended, (QUEUED, CUT, SENDING))))
    assert queue.stop(10)
    assert set(floor.begun) == {
        Work(QUEUED, 0, Step.INTAKE), Work(CUT, 1, Step.INTAKE), Work(SENDING, 2, Step.DELIVER)
    }  # fmt: skip
    assert sorted(floor.interrupted) == [CUT, ASKED, SENDING]
    for number in (PARKED, HELD, NO_DEVICE, DONE):
        assert floor.ledger.get(number) == before[number]
    held = floor.ledger.get(NO_DEVICE)
    assert (held.state, held.hold, held.step) == (SubmissionState.HELD, HoldReason.DEVICE, Step.DELIVER)


def test_a_poll_that_was_cut_off_is_taken_again_and_parked_ones_wait(floor: Floor) -> None:
    floor.start()
    assert [submission.id for submission in postpone_due_polls(floor.ledger, 10)] == [ASKED]
    assert postpone_due_polls(floor.ledger, 10) == ()
    assert floor.ledger.get(ASKED).turn == 2


def test_an_open_send_keeps_its_lease(floor: Floor) -> None:
    with floor.ledger.read_connection() as connection:
        open_sends = connection.exec_driver_sql("select submission, times, receipt_id from sends").all()
    assert [tuple(row) for row in open_sends] == [(SENDING, 1, None)]


def test_the_tables_of_dbos_are_left_alone_and_named(floor: Floor) -> None:
    report = check_integrity(floor.ledger.url)
    assert report.complete
    assert len(report.drop_unused) == 12
    assert "drop table workflow_status;" in report.drop_unused
