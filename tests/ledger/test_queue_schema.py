"""procrastinate's tables: made once, brought up to date, refused when newer; jobs beside their rows."""

from contextlib import suppress
from importlib import resources
from threading import Barrier, Thread

import pytest
from sqlalchemy import Engine, text

from tests.ledger.queue_worker import QueueWorker, take_over
from tests.postgres import Postgres
from workflow.errors import StateFolderError
from workflow.ledger import Ledger
from workflow.ledger.database import open_database
from workflow.ledger.handover import hand_over
from workflow.ledger.integrity import check_integrity
from workflow.ledger.queue_schema import applied_migration, migrate_queue, queue_mismatch, shipped_migrations
from workflow.ledger.work import Work
from workflow.model import Step

RELEASE_3_2 = [name for name in shipped_migrations() if name < "03.03"]
OBJECTS = (
    "select p.oid::regprocedure::text, md5(regexp_replace(prosrc, '\\s+', ' ', 'g')), proconfig::text "
    "from pg_proc p join pg_namespace n on n.oid = p.pronamespace where nspname = 'stlflow_queue'",
    "select indexname, indexdef, '' from pg_indexes where schemaname = 'stlflow_queue'",
    "select table_name, column_name, data_type || is_nullable from information_schema.columns "
    "where table_schema = 'stlflow_queue'",
    "select tgname, pg_get_triggerdef(oid), '' from pg_trigger where not tgisinternal",
)


def objects(engine: Engine) -> set[tuple[str, ...]]:
    """Return every function, index, column and trigger of the queue."""
    with engine.connect() as connection:
        return {tuple(row) for query in OBJECTS for row in connection.execute(text(query))}


def jobs(ledger: Ledger) -> list[tuple[str, str]]:
    """Return the locks and states of all jobs."""
    with ledger.read_connection() as connection:
        rows = connection.execute(
            text("select queueing_lock, status::text from stlflow_queue.procrastinate_jobs order by id")
        )
        return [tuple(row) for row in rows]


def test_services_that_start_at_once_make_the_tables_once(postgres: Postgres) -> None:
    url, together, faults = postgres.database(), Barrier(4), list[StateFolderError]()

    def start() -> None:
        together.wait()
        try:
            Ledger(url).close()
        except StateFolderError as fault:
            faults.append(fault)

    threads = [Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    engine = open_database(url)
    with engine.connect() as connection:
        assert applied_migration(connection) == shipped_migrations()[-1]
        assert queue_mismatch(connection) is None
    engine.dispose()
    postgres.drop(url)


def test_tables_of_an_older_procrastinate_become_those_of_a_fresh_one(postgres: Postgres) -> None:
    fresh, old = (open_database(postgres.database()) for _ in range(2))
    migrate_queue(fresh.begin)
    with old.begin() as connection:
        connection.exec_driver_sql("create schema stlflow_queue")
    for name in RELEASE_3_2:
        with old.begin() as connection:
            connection.exec_driver_sql("set local search_path = stlflow_queue")
            file = resources.files("procrastinate.sql") / "migrations" / name
            connection.connection.cursor().execute(file.read_text("utf-8"))
            connection.exec_driver_sql(f"comment on schema stlflow_queue is '{name}'")
    with old.connect() as connection:
        assert queue_mismatch(connection) == (
            f"The queue's tables are of an older procrastinate: migration {RELEASE_3_2[-1]}, and "
            f"{shipped_migrations()[-1]} here."
        )
    migrate_queue(old.begin)
    assert objects(old) == objects(fresh)
    for engine in (fresh, old):
        engine.dispose()


def test_tables_of_a_newer_procrastinate_are_refused_and_told_by_the_checkup(postgres_url: str) -> None:
    engine = open_database(postgres_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("comment on schema stlflow_queue is '99.00.00_01_later.sql'")
    with pytest.raises(StateFolderError, match=r"of a newer procrastinate: its migration is 99\.00"):
        Ledger(postgres_url)
    report = check_integrity(postgres_url)
    assert report.queue is not None
    assert "99.00.00_01_later.sql" in report.queue
    engine.dispose()


def test_a_job_comes_and_goes_with_the_transaction_of_its_row(postgres_url: str) -> None:
    ledger = Ledger(postgres_url)
    number = ledger.open("a.stl")
    with suppress(ZeroDivisionError), ledger.write_transaction() as connection:
        hand_over(connection, Work(number, 0, Step.INTAKE))
        raise ZeroDivisionError
    assert jobs(ledger) == []
    ledger.claimed(number, "processing/1~a.stl")
    assert jobs(ledger) == [("1:0:intake", "todo")]
    assert ledger.get(number).due_at is None
    ledger.close()


def test_a_job_that_is_there_already_aborts_nothing(postgres_url: str) -> None:
    ledger = Ledger(postgres_url)
    number = ledger.open("a.stl")
    ledger.claimed(number, "processing/1~a.stl")
    with ledger.write_transaction() as connection:
        hand_over(connection, Work(number, 0, Step.INTAKE))
        connection.exec_driver_sql("update submissions set reason = 'written after it'")
    assert ledger.get(number).reason == "written after it"
    assert jobs(ledger) == [("1:0:intake", "todo")]
    ledger.close()


def test_a_job_that_was_taken_over_is_gone_so_that_a_frozen_worker_can_end_nothing(postgres_url: str) -> None:
    ledger = Ledger(postgres_url)
    frozen, heir = QueueWorker(ledger), QueueWorker(ledger, "elsewhere")
    number = ledger.open("a.stl")
    ledger.claimed(number, "processing/1~a.stl")
    (late,) = frozen.take(Step.INTAKE)
    frozen.die()
    assert take_over(ledger) == (late,)
    heir.take(Step.INTAKE)
    assert jobs(ledger) == [("1:1:intake", "doing")]
    ledger.close()
