"""The ledger: every change has its event, and nobody changes what is no longer theirs."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from tests.ledger.queue_worker import QueueWorker
from workflow.errors import StateFolderError, UnknownSubmission
from workflow.ledger import (
    Ledger,
    Superseded,
    list_abandoned_claims,
    list_steps_of,
)
from workflow.ledger import connections as module
from workflow.model import (
    Destination,
    EventKind,
    HoldReason,
    MeshReport,
    Step,
    Submission,
    SubmissionChanges,
    SubmissionState,
)

NOW = datetime.now(UTC)
REPORT = MeshReport(
    path="a.stl",
    verdict="accept",
    reason=None,
    warnings=("flipped",),
    format="binary",
    triangles=12,
    size_mm=(1.0, 2.0, 3.0),
    volume_cm3=0.006,
    area_cm2=0.22,
    watertight=True,
    open_edges=0,
    seconds=0.01,
    sha256="ab",
)


def claimed(ledger: Ledger, path: str = "rush/a.stl") -> Submission:
    number = ledger.open(path)
    ledger.claimed(number, f"processing/{number}~a.stl")
    return ledger.get(number)


def test_a_submission_shows_only_once_it_is_claimed(ledger: Ledger) -> None:
    number = ledger.open("a.stl")
    assert ledger.all() == ()
    assert [submission.id for submission in list_abandoned_claims(ledger)] == [number]
    ledger.claimed(number, "processing/1~a.stl")
    assert [submission.id for submission in ledger.all()] == [number]
    assert list_abandoned_claims(ledger) == ()


def test_a_forgotten_submission_is_gone_and_its_number_is_not_used_again(ledger: Ledger) -> None:
    number = ledger.open("a.stl")
    ledger.forget(number)
    with pytest.raises(
        UnknownSubmission, match=rf"There is no submission {number}\. `stlflow list` shows all\."
    ):
        ledger.get(number)
    assert ledger.open("b.stl") == number + 1


def test_a_claimed_submission_is_never_forgotten(ledger: Ledger) -> None:
    submission = claimed(ledger)
    ledger.forget(submission.id)
    assert ledger.get(submission.id) == submission


def test_what_is_written_is_read_back(ledger: Ledger) -> None:
    changes: SubmissionChanges = {
        "state": SubmissionState.INSPECTED,
        "mesh": REPORT,
        "destination": Destination.DEVICE_QUEUE,
        "hold": HoldReason.SEND,
        "due_date": date(2026, 12, 24),
        "uploaded_at": NOW,
        "passed": ("a rule", "grün"),
    }
    written = ledger.record_event(claimed(ledger), EventKind.ROUTED, "somewhere", **changes)
    read = ledger.get(written.id)
    assert read == written
    assert {name: getattr(read, name) for name in changes} == changes


def test_each_change_has_its_event(ledger: Ledger) -> None:
    submission = ledger.record_event(
        claimed(ledger), EventKind.INSPECTED, "12 triangles", state=SubmissionState.INSPECTED
    )
    ledger.schedule_next_step(
        submission, Step.POLL, NOW, EventKind.UPLOADED, "slice job 1", state=SubmissionState.SLICING
    )
    assert [(event.event, event.detail) for event in ledger.events(submission.id)] == [
        ("claimed", "processing/1~a.stl"),
        ("inspected", "12 triangles"),
        ("uploaded", "slice job 1"),
    ]


def test_a_write_on_an_old_turn_changes_nothing(ledger: Ledger) -> None:
    late = claimed(ledger)
    ledger.schedule_next_step(late, Step.FINISH, NOW, EventKind.CANCELED, state=SubmissionState.CANCELED)
    with pytest.raises(Superseded, match="Submission 1 has gone on without turn 0"):
        ledger.record_event(late, EventKind.INSPECTED, state=SubmissionState.INSPECTED)
    assert ledger.get(late.id).state is SubmissionState.CANCELED
    assert [event.event for event in ledger.events(late.id)] == ["claimed", "canceled"]


def test_what_is_due_is_taken_longest_due_first(ledger: Ledger) -> None:
    worker = QueueWorker(ledger)
    first, second, later = claimed(ledger), claimed(ledger), claimed(ledger)
    for submission, due_at in (
        (second, NOW - timedelta(seconds=2)),
        (first, NOW - timedelta(seconds=1)),
        (later, datetime.now(UTC) + timedelta(minutes=20)),
    ):
        ledger.schedule_next_step(submission, Step.DELIVER, due_at)
    assert [submission.id for submission in worker.take(Step.DELIVER)] == [second.id, first.id]
    assert worker.take(Step.DELIVER) == ()


def test_a_step_stays_in_progress_until_its_turn_ends(ledger: Ledger) -> None:
    worker = QueueWorker(ledger)
    submission = claimed(ledger)
    taken = worker.take(Step.INTAKE)
    assert taken == list_steps_of(ledger, worker.me) == (ledger.get(submission.id),)
    ledger.schedule_next_step(taken[0], None, None)
    assert list_steps_of(ledger, worker.me) == ()


def test_content_is_found_again(ledger: Ledger) -> None:
    first = ledger.update_submission(claimed(ledger), sha256="ab")
    second = ledger.update_submission(claimed(ledger), sha256="ab")
    assert [submission.id for submission in ledger.list_with_content("ab")] == [second.id, first.id]


def test_only_some_states_may_be_asked_for(ledger: Ledger) -> None:
    ledger.update_submission(claimed(ledger), state=SubmissionState.HELD)
    claimed(ledger)
    assert [submission.state for submission in ledger.all([SubmissionState.HELD])] == [SubmissionState.HELD]


def test_a_report_of_another_version_is_still_read(ledger: Ledger) -> None:
    submission = ledger.update_submission(claimed(ledger), mesh=REPORT)
    with ledger.write_transaction() as connection:
        connection.exec_driver_sql(
            "update submissions set mesh = replace(mesh, '{', '{\"colour\": \"blue\", ')"
        )
    assert ledger.get(submission.id).mesh == REPORT


def test_services_that_find_the_same_unknown_claim_make_one_row_of_it(ledger: Ledger) -> None:
    with ThreadPoolExecutor(4) as services:
        for number in range(100, 120):
            list(services.map(lambda _, number=number: ledger.claimed(number, "x", path="a.stl"), range(4)))
    assert len(ledger.all()) == 20
    assert {len(ledger.events(number)) for number in range(100, 120)} == {1}


def test_a_database_that_hangs_with_all_connections_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whoever finds none free must not take that for a fault of stlflow, which holds a file in the end."""
    monkeypatch.setattr(
        module, "open_database", lambda url: create_engine(url, pool_size=1, max_overflow=0, pool_timeout=0)
    )
    with closing(Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")) as ledger, ledger.read_connection():
        with pytest.raises(StateFolderError, match="can't be written: all connections to it are in use"):
            ledger.open("a.stl")
        with pytest.raises(StateFolderError, match="can't be read: all connections to it are in use"):
            ledger.all()
