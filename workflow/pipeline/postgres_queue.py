"""The shared queue: procrastinate runs the steps, on any number of machines over one Postgres.

A step that is due is a job, deferred in the transaction that made it due (`ledger/handover.py`), and Postgres
tells the workers (LISTEN/NOTIFY). A worker's death frees its jobs, and another begins their steps again under
new turns (`ledger/jobs.py`). Heartbeats and their timeout are in `heartbeat.py`.

Two threads: *jobs* runs procrastinate's event loop with a worker for each kind of stage, whose stages run on
threads of the executor; *queue* hands over what became due and restores what lost its job.
"""

import asyncio
import logging
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import procrastinate
import psycopg
from loguru import logger
from procrastinate import exceptions
from procrastinate.worker import Worker as JobWorker

from workflow.ledger import (
    DELIVER_QUEUE,
    INTAKE_QUEUE,
    STAGE_TASK,
    Ledger,
    Work,
    hand_over_due_steps,
    jobs_of,
    queue_of,
    read_queue_state,
    requeue_dropped_jobs,
    requeue_lost_steps,
    take_over_orphaned_steps,
)
from workflow.model import Step, Submission
from workflow.pipeline.executor import Executor
from workflow.pipeline.queue_app import RETRY_SECONDS, make_connector
from workflow.pipeline.submission_log import log_of
from workflow.pipeline.work_queue import FailureLog, QueueLimits, RunStage

CHECK_SECONDS = 2.0
DEBOUNCE_SECONDS = 0.02
"""Wake-ups come many at once: one check for all of them."""
AUDIT_SECONDS = 5.0
FETCH_SECONDS = 5.0
"""How late a job begins if its notification was lost, as behind pgbouncer in transaction mode."""
NEVER = 1e9
CLOSE_SECONDS = 5.0


class PostgresQueue:
    """Runs the steps of a ledger that several processes share."""

    def __init__(
        self,
        ledger: Ledger,
        home: str,
        run_stage: RunStage,
        limits: QueueLimits,
        on_interrupted: Callable[[Submission], None],
        on_workers: Callable[[frozenset[int]], None] = lambda _: None,
        audit: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger, self._clock = ledger, clock
        self._on_interrupted, self._on_workers, self._audit = on_interrupted, on_workers, audit
        self._executor = Executor(run_stage, limits, lambda: None)
        self._kinds = {
            (INTAKE_QUEUE, queue_of(Step.INTAKE, home)): limits.intake,
            (DELIVER_QUEUE,): limits.deliver,
        }
        self._job_workers: dict[tuple[str, ...], int] = {}
        self._connector = make_connector(ledger.url)
        self._wake, self._stop = threading.Event(), threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_stop = asyncio.Event()
        self._failures = FailureLog("The queue", "Submissions wait until then.")
        self._audited_at, self._checked_at = clock(), float("inf")
        self._threads = [
            threading.Thread(target=run, name=name, daemon=True)
            for name, run in (("jobs", self._run_jobs), ("queue", self._run_checks))
        ]

    def start(self) -> None:
        """Begin what is due, and take over what dead workers left."""
        for library in ("procrastinate", "psycopg.pool"):  # what matters is logged here
            logging.getLogger(library).setLevel(logging.CRITICAL)
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Check at once: a step may have become due."""
        self._wake.set()

    def running(self) -> tuple[Work, ...]:
        """Return what runs in this process."""
        return self._executor.running()

    def stalled_seconds(self) -> float:
        """Return how long ago the last check for due steps began."""
        return max(self._clock() - self._checked_at, 0.0)

    def stop(self, limit_seconds: float) -> bool:
        """Begin nothing new; True if everything that ran came to its end within the limit."""
        give_up_at = self._clock() + limit_seconds
        self._stop.set()
        self._stop_loop()
        self.wake()
        drained = self._executor.drain(limit_seconds)
        self._connector.gives_up = True
        for thread in self._threads:
            thread.join(timeout=CLOSE_SECONDS if drained else 0.0)
        drained = self._executor.drain(max(give_up_at - self._clock(), 0.0))  # one may just have begun
        self._executor.close()
        return drained

    def _stop_loop(self) -> None:
        """Stop the event loop's workers; a loop that starts only now checks by itself."""
        if self._loop is not None:
            with suppress(RuntimeError):  # it has ended already
                self._loop.call_soon_threadsafe(self._loop_stop.set)

    # -- the thread that hands over and restores --------------------------------------------------

    def _run_checks(self) -> None:
        while not self._stop.is_set():
            self._checked_at = self._clock()
            wait_seconds = CHECK_SECONDS
            with self._failures:
                wait_seconds = min(self._check(), CHECK_SECONDS)
            if self._wake.wait(max(wait_seconds, DEBOUNCE_SECONDS)):
                self._stop.wait(DEBOUNCE_SECONDS)
            self._wake.clear()

    def _check(self) -> float:
        """Hand over what is due, take over orphans; return in how many seconds the next step is due."""
        state = read_queue_state(self._ledger)
        if state.orphaned:
            for submission in take_over_orphaned_steps(self._ledger):
                log_of(submission).info("Submission {} ({}) taken over.", submission.id, submission.path)
                self._on_interrupted(submission)
        if state.next_seconds <= 0.0:
            hand_over_due_steps(self._ledger)
        if self._clock() - self._audited_at >= AUDIT_SECONDS:
            self._audited_at = self._clock()
            self._restart_dropped_steps()
            self._audit()
        return state.next_seconds

    def _restart_dropped_steps(self) -> None:
        """Restart rows in progress without a job, and jobs of ours that no thread runs."""
        for work in requeue_lost_steps(self._ledger):
            logger.info("Submission {} had lost its job: taken up again.", work.number)
        dropped = self._executor.find_dropped(jobs_of(self._ledger, self._job_workers.values()))
        for submission in requeue_dropped_jobs(self._ledger, dropped):
            log_of(submission).info("Submission {} ({}) taken up again.", submission.id, submission.path)

    # -- the thread of procrastinate's event loop -------------------------------------------------

    def _run_jobs(self) -> None:
        windows = sys.platform == "win32"  # psycopg can't use the loop that is the default there
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop if windows else None) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        """Run workers until the queue stops; a database that is away at the start is asked again."""
        self._loop = loop = asyncio.get_running_loop()
        loop.set_default_executor(self._executor.threads)
        loop.set_exception_handler(lambda _, fault: logger.debug("procrastinate: {}", fault))
        app = procrastinate.App(connector=self._connector)
        app.task(name=STAGE_TASK)(self._run_job)
        while not self._stop.is_set():
            with self._failures:
                async with app.open_async():
                    await asyncio.gather(*(self._work(app, queues) for queues in self._kinds))
            if not self._stop.is_set():
                await asyncio.sleep(RETRY_SECONDS)

    async def _work(self, app: procrastinate.App, queues: tuple[str, ...]) -> None:
        """Run one worker after another: a new one follows one that failed, or was removed by others."""
        failures = FailureLog("The queue", "Submissions wait until then.")
        while not self._stop.is_set():
            worker = JobWorker(
                app, queues=list(queues), name=queues[0], concurrency=self._kinds[queues],
                delete_jobs="always", fetch_job_polling_interval=FETCH_SECONDS,
                abort_job_polling_interval=NEVER, update_heartbeat_interval=NEVER,
                stalled_worker_timeout=NEVER, install_signal_handlers=False,
            )  # fmt: skip  # heartbeats are ours: procrastinate's stop while a worker drains
            follower = asyncio.create_task(self._follow(worker, queues))
            try:
                with failures:
                    await _run_until_removed(worker)
                if not self._stop.is_set():
                    await asyncio.sleep(RETRY_SECONDS)
            finally:
                follower.cancel()
                self._job_workers.pop(queues, None)
                self._on_workers(frozenset(self._job_workers.values()))

    async def _follow(self, worker: JobWorker, queues: tuple[str, ...]) -> None:
        """Report the id that the worker gets, and stop it when the queue stops."""
        while worker.worker_id is None:
            await asyncio.sleep(DEBOUNCE_SECONDS)
        self._job_workers[queues] = worker.worker_id
        self._on_workers(frozenset(self._job_workers.values()))
        await self._loop_stop.wait()
        stop: Callable[[], None] = worker.stop
        stop()

    def _run_job(self, number: int, turn: int, step: str) -> None:
        """Run the stage of one job, on a thread of the executor."""
        self._executor.run(Work(number, turn, Step(step)))


async def _run_until_removed(worker: JobWorker) -> None:
    """Run a worker until it is stopped, or others have removed it because it was silent for too long."""
    try:
        run: Callable[[], Awaitable[None]] = worker.run
        await run()
    except exceptions.ConnectorException as error:
        if not isinstance(error.__cause__, psycopg.errors.ForeignKeyViolation):
            raise
