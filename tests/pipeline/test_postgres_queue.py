"""What only the shared queue has to stand: lost connections, a lost server, lost jobs, several processes."""

import asyncio
import inspect
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread

import procrastinate
import psycopg
import pytest
from loguru import logger
from procrastinate.exceptions import ConnectorException
from procrastinate.worker import Worker as JobWorker
from sqlalchemy import text

from tests.eiger.turned import TurnedClock
from tests.pipeline.rates import Rate
from tests.pipeline.test_work_queue import Floor
from tests.postgres import Postgres
from tests.waiting import until
from workflow.errors import StateFolderError
from workflow.ledger import Ledger, Work, list_steps_of, list_workers
from workflow.model import Step
from workflow.pipeline import postgres_queue, queue_app
from workflow.pipeline.heartbeat import HEARTBEAT_SECONDS, HEARTBEAT_TIMEOUT_SECONDS, Heartbeat
from workflow.pipeline.queue_app import PatientConnection
from workflow.pipeline.work_queue import QueueLimits

QUEUE = "stlflow_queue"
LIMIT_SECONDS = 60.0


@pytest.fixture
def floor(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Floor]:
    """One process on a fresh database."""
    monkeypatch.setattr(postgres_queue, "AUDIT_SECONDS", 0.2)
    monkeypatch.setattr(postgres_queue, "CHECK_SECONDS", 0.2)
    floor = Floor(Ledger(postgres_url))
    yield floor
    if floor.queue is not None:
        floor.queue.stop(10)
    floor.ledger.close()


def execute(ledger: Ledger, statement: str) -> None:
    with ledger.write_transaction() as connection:
        connection.execute(text(statement))


def count(ledger: Ledger, table: str) -> int:
    with ledger.read_connection() as connection:
        return int(connection.execute(text(f"select count(*) from {QUEUE}.{table}")).scalar_one())


def ended(floor: Floor, numbers: list[int]) -> Callable[[], bool]:
    return lambda: all(map(floor.has_ended, numbers))


def test_nothing_grows(floor: Floor) -> None:
    numbers = floor.claim(30)
    queue = floor.start()
    assert until(ended(floor, numbers), LIMIT_SECONDS)
    assert queue.stop(10)
    tables = ("procrastinate_jobs", "procrastinate_events", "procrastinate_workers")
    assert [count(floor.ledger, table) for table in tables] == [0, 0, 0]


def test_killed_connections_end_no_worker_and_lose_no_job(floor: Floor) -> None:
    kill = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'stlflow queue'"
    floor.start()
    numbers: list[int] = []
    for _ in range(5):
        numbers += floor.claim(6)
        execute(floor.ledger, kill)
    assert until(ended(floor, numbers), LIMIT_SECONDS)
    assert {work.turn for work in floor.begun} <= {0, 1}


def test_jobs_that_were_deleted_are_made_again_under_new_turns(floor: Floor) -> None:
    numbers = floor.claim(20)
    execute(floor.ledger, f"truncate {QUEUE}.procrastinate_jobs cascade")
    floor.start()
    assert until(ended(floor, numbers), LIMIT_SECONDS)
    assert {(work.turn, work.step) for work in floor.begun} == {(1, Step.INTAKE)}


def test_a_job_that_this_process_has_and_no_thread_runs_gets_a_new_turn(floor: Floor) -> None:
    """The answer to its end was lost."""
    hold = Event()

    def stage(work: Work) -> None:
        hold.wait(30)
        floor.end(work)

    first, second = floor.claim(2)
    floor.start(stage, QueueLimits(intake=1, deliver=1))
    try:
        assert until(lambda: floor.begun)
        waiting = second if floor.begun[0].number == first else first
        execute(
            floor.ledger,
            f"update {QUEUE}.procrastinate_jobs set status = 'doing', worker_id = "
            f"(select worker_id from {QUEUE}.procrastinate_jobs where status = 'doing') "
            f"where queueing_lock = '{waiting}:0:intake'",
        )
        assert until(lambda: floor.ledger.get(waiting).turn == 1, LIMIT_SECONDS)
    finally:
        hold.set()
    assert until(ended(floor, [first, second]), LIMIT_SECONDS)


def test_a_server_that_goes_and_comes_back_ends_no_worker_and_runs_nothing_twice(postgres: Postgres) -> None:
    if postgres.binaries is None:
        pytest.skip("only a server of our own can be stopped")
    hold, floor = Event(), Floor(Ledger(postgres.ledger_database()))

    def stage(work: Work) -> None:
        hold.wait(LIMIT_SECONDS)
        until(lambda: written(work), LIMIT_SECONDS)

    def written(work: Work) -> bool:
        try:
            floor.end(work)
        except StateFolderError:
            return False
        return True

    numbers = floor.claim(4)
    queue = floor.start(stage)
    assert until(lambda: len(floor.begun) == 4, LIMIT_SECONDS)
    postgres.stop("immediate")
    hold.set()
    postgres.start()
    assert until(ended(floor, numbers), LIMIT_SECONDS)
    (late,) = floor.claim()
    assert until(lambda: floor.has_ended(late), LIMIT_SECONDS)
    assert len(floor.begun) == 5
    assert floor.interrupted == []
    assert queue.stop(10)
    floor.ledger.close()


@pytest.mark.parametrize("library", ["procrastinate", "psycopg.pool"])
def test_an_outage_is_logged_once_and_not_by_libraries_at_each_attempt(
    floor: Floor, caplog: pytest.LogCaptureFixture, library: str
) -> None:
    floor.start()
    logging.getLogger(library).warning("error connecting")
    assert caplog.records == []


def test_a_queue_that_gets_no_connection_for_long_says_so_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ledger's own connections may work all the time, and log nothing."""
    said: list[str] = []
    failures = iter([True] * 5 + [False] + [True] * 5)

    async def ask(_self: object, _query: str) -> None:
        if next(failures, False):
            raise ConnectorException from psycopg.OperationalError("too many clients already\nmore")

    monkeypatch.setattr(procrastinate.PsycopgConnector, "execute_query_async", ask)
    monkeypatch.setattr(queue_app, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr(queue_app, "SILENT_SECONDS", 0.0)
    sink = logger.add(lambda message: said.append(message.record["message"]), level="WARNING")
    connector = queue_app.make_connector("postgresql://nobody@127.0.0.1/none")
    asyncio.run(connector.execute_query_async("select 1"))
    assert said == ["The queue gets no connection to the database: too many clients already. It waits."]
    asyncio.run(connector.execute_query_async("select 1"))
    logger.remove(sink)
    assert len(said) == 2


def test_who_drains_for_longer_than_the_timeout_is_not_taken_over(floor: Floor) -> None:
    """Its heartbeats go on while it stops, unlike those of procrastinate's own worker."""
    hold, clock = Event(), TurnedClock()
    mine, theirs = (Heartbeat(floor.ledger, home, Rate(), lambda: clock.now) for home in ("here", "there"))

    def stage(work: Work) -> None:
        hold.wait(LIMIT_SECONDS)
        floor.end(work)

    floor.on_workers = mine.set_queue_workers
    (number,) = floor.claim()
    queue = floor.start(stage)
    assert until(lambda: floor.begun)
    stopping = Thread(target=queue.stop, args=(LIMIT_SECONDS,))
    stopping.start()
    try:
        for _ in range(2 + int(HEARTBEAT_TIMEOUT_SECONDS / HEARTBEAT_SECONDS)):
            clock.now += HEARTBEAT_SECONDS
            mine.beat()
            theirs.beat()
        assert {worker.name for worker in list_workers(floor.ledger)} >= {mine.me.name, theirs.me.name}
        assert [each.id for each in list_steps_of(floor.ledger, mine.me)] == [number]
    finally:
        hold.set()
        stopping.join()
    assert [work.turn for work in floor.begun] == [0]


def test_workers_of_the_queue_that_belong_to_nobody_are_removed_after_a_while(floor: Floor) -> None:
    clock = TurnedClock()
    heartbeat = Heartbeat(floor.ledger, "there", Rate(), lambda: clock.now)
    execute(floor.ledger, f"select {QUEUE}.procrastinate_register_worker_v1()")
    heartbeat.beat()
    assert count(floor.ledger, "procrastinate_workers") == 1
    clock.now += HEARTBEAT_TIMEOUT_SECONDS + 1
    heartbeat.beat()
    assert count(floor.ledger, "procrastinate_workers") == 0


def test_procrastinates_own_commands_see_the_queue(floor: Floor) -> None:
    floor.claim(3)
    environment = {**os.environ, "STLFLOW_DATABASE_URL": floor.ledger.url}
    tool = Path(sys.executable).with_name("procrastinate")
    command = [str(tool), "--app", "workflow.pipeline.queue_app.app", "shell", "list_queues"]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert "intake: 3 jobs (todo: 3, doing: 0," in ran.stdout, ran.stderr


def test_procrastinates_worker_takes_what_is_asked_of_it() -> None:
    """It is not exported at the top of the package: a release that changes it is noticed here."""
    known = inspect.signature(JobWorker).parameters.keys()
    assert {"queues", "name", "concurrency", "delete_jobs", "install_signal_handlers"} <= known
    assert {"fetch_job_polling_interval", "abort_job_polling_interval"} <= known
    assert {"update_heartbeat_interval", "stalled_worker_timeout"} <= known


def test_a_connection_that_listens_sleeps_until_something_comes(postgres_url: str) -> None:
    """psycopg's own connection wakes ten times in this time."""
    resource = pytest.importorskip("resource")
    mine = getattr(resource, "RUSAGE_THREAD", resource.RUSAGE_SELF)

    async def listen() -> tuple[int, list[str]]:
        conninfo = postgres_url.replace("+psycopg", "", 1)
        async with await PatientConnection.connect(conninfo, autocommit=True) as connection:
            await connection.execute("listen nothing")
            before = resource.getrusage(mine).ru_nvcsw
            assert [each async for each in connection.notifies(timeout=1.0)] == []
            woken = resource.getrusage(mine).ru_nvcsw - before
            await connection.execute("notify nothing, 'heard'")
            return woken, [each.payload async for each in connection.notifies(stop_after=1)]

    woken, heard = asyncio.run(listen())
    assert woken <= 5
    assert heard == ["heard"]
