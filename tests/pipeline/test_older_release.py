"""A ledger of the release that ran on DBOS and leases goes on, whatever its submissions were doing.

`older_release.sql` was written by commit 7539e70, whose service was killed at work and with a send open, and
`older_release_postgres.sql` by its `move-ledger` from there.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest
from sqlalchemy import Connection, inspect, text

from tests.pipeline.test_work_queue import Floor
from tests.postgres import Postgres
from tests.waiting import until
from workflow.errors import StateFolderError
from workflow.ledger import Ledger, Work, postpone_due_polls
from workflow.ledger.database import open_database
from workflow.ledger.integrity import check_integrity
from workflow.model import HoldReason, Step, SubmissionState
from workflow.pipeline import local_queue, postgres_queue
from workflow.pipeline.context import now

QUEUED, CUT, PARKED, ASKED, SENDING, HELD, NO_DEVICE, DONE, OPENED = range(1, 10)
KINDS = {kind: number for number, kind in enumerate(HoldReason, OPENED + 1)}
FOLDER = Path(__file__).parent
_LATER = text("update submissions set due_at = :later where id in (:parked, :waiting)")
_HELD = text(
    "insert into submissions (id, path, state, opened_at, claimed_as, left_in_place, released, turn, tries, "
    "hold) values (:id, 'part.stl', 'held', 1795889024, 'held/part.stl', false, false, 3, 0, :kind)"
)
_WORKER = text(
    "insert into workers (name, home, host, pid, release, since, seen_at, beat) values ('host-f9ed28', "
    "'home', 'host', 1, '0.1.0', 1795889024, extract(epoch from clock_timestamp()) - :ago, '1')"
)


def complete(connection: Connection) -> None:
    """Let whatever waits for a time wait for ten minutes more, and hold a submission of each kind."""
    later = now().timestamp() + 600
    connection.execute(_LATER, {"later": later, "parked": PARKED, "waiting": NO_DEVICE})
    connection.execute(_HELD, [{"id": number, "kind": kind.value} for kind, number in KINDS.items()])


@contextmanager
def old_postgres(server: Postgres) -> Iterator[str]:
    """Yield the URL of the Postgres database that the older release wrote."""
    url = server.database()
    engine = open_database(url)
    with engine.begin() as connection:
        connection.connection.cursor().execute((FOLDER / "older_release_postgres.sql").read_text("utf-8"))
        connection.exec_driver_sql("set search_path = public")
        complete(connection)
    engine.dispose()
    yield url
    server.drop(url)


@contextmanager
def old_sqlite(folder: Path) -> Iterator[str]:
    with closing(sqlite3.connect(folder / "stlflow.db")) as database:
        database.executescript((FOLDER / "older_release.sql").read_text("utf-8"))
    url = f"sqlite:///{folder / 'stlflow.db'}"
    engine = open_database(url)
    with engine.begin() as connection:
        complete(connection)
    engine.dispose()
    yield url


@pytest.fixture(params=["sqlite", "postgres"])
def floor(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Floor]:
    """A queue over that ledger."""
    for module in (local_queue, postgres_queue):
        monkeypatch.setattr(module, "AUDIT_SECONDS", 0.2)
    on_sqlite = request.param == "sqlite"
    with old_sqlite(tmp_path) if on_sqlite else old_postgres(request.getfixturevalue("postgres")) as url:
        floor = Floor(Ledger(url))
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
    for number in (CUT, ASKED, SENDING):
        assert [event.event for event in floor.ledger.events(number)].count("taken over") == 1
    for number in (PARKED, HELD, NO_DEVICE, DONE, *KINDS.values()):
        assert floor.ledger.get(number) == before[number]
    assert {floor.ledger.get(number).hold for number in KINDS.values()} == set(HoldReason)
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


@pytest.mark.parametrize("floor", ["sqlite"], indirect=True)
def test_the_tables_of_dbos_are_left_alone_and_named(floor: Floor) -> None:
    report = check_integrity(floor.ledger.url)
    assert report.complete
    assert report.newer == ()
    assert len(report.drop_unused) == 12
    assert "drop table workflow_status;" in report.drop_unused


def test_the_schema_of_dbos_is_left_alone_and_named(postgres: Postgres) -> None:
    with old_postgres(postgres) as url:
        engine = open_database(url)
        with engine.begin() as connection:
            connection.exec_driver_sql("create schema dbos")
        engine.dispose()
        Ledger(url).close()
        report = check_integrity(url)
        assert report.complete
        assert report.drop_unused == ("drop schema dbos cascade;",)


def test_a_live_worker_of_the_older_release_is_named_and_nothing_is_changed(postgres: Postgres) -> None:
    done = Event()
    with old_postgres(postgres) as url:
        engine = open_database(url)

        def beat() -> None:
            while not done.wait(0.05):
                with engine.begin() as connection:
                    connection.exec_driver_sql("update workers set beat = clock_timestamp()::text")

        with engine.begin() as connection:
            connection.execute(_WORKER, {"ago": 1.0})
        beating = Thread(target=beat)
        beating.start()
        try:
            with pytest.raises(StateFolderError) as refused:
                Ledger(url)
        finally:
            done.set()
            beating.join()
        assert str(refused.value) == (
            "An older release of stlflow works on this database: host-f9ed28. Stop it, then start this one."
        )
        assert "worker" in {column["name"] for column in inspect(engine).get_columns("submissions")}
        engine.dispose()


def test_a_dead_worker_of_the_older_release_is_waited_for_and_that_release_is_refused_from_then_on(
    postgres: Postgres,
) -> None:
    """It adds columns that a table lacks, but none that may not be null: it refuses such a table in words."""
    with old_postgres(postgres) as url:
        engine = open_database(url)
        with engine.begin() as connection:
            connection.execute(_WORKER, {"ago": 9.8})
        Ledger(url).close()
        assert {column["name"] for column in inspect(engine).get_columns("workers")} == {"replaced_by_peers"}
        assert "worker" not in {column["name"] for column in inspect(engine).get_columns("submissions")}
        Ledger(url).close()
        engine.dispose()


def test_the_older_release_is_refused_by_a_new_database_too(postgres_url: str) -> None:
    engine = open_database(postgres_url)
    assert [column["name"] for column in inspect(engine).get_columns("workers")] == ["replaced_by_peers"]
    engine.dispose()
