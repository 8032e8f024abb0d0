"""The durable engine: DBOS behind a small port. Nothing else imports it.

A stage becomes one short workflow, named after submission and turn, so that beginning it twice is
harmless. Who has a stage in hands, and which of its steps are done, stands in the ledger alone: a
stage that was cut off begins anew as another turn, on whichever worker takes it. The engine's queues
would say the same once more and have to be asked several times a second, its checkpoints at about
4 ms each.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dbos import DBOS, DBOSConfig, SetWorkflowID
from loguru import logger

from workflow.errors import DatabaseUnavailable
from workflow.model import Step, Submission

APPLICATION_VERSION = "stlflow-1"
"""Pinned: the engine's own default changes with every edit and strands what waits."""
LISTENER_SECONDS = 2.0
"""stlflow sends no notifications; the engine's listener only has to notice a stop some time."""
CLOSING_SECONDS = 30.0
"""So long the next engine waits for one that could not start and still closes."""
CONNECTIONS = 10
ROWS_AT_ONCE = 1000

StageFunction = Callable[[int, int], None]
"""One short workflow: takes a submission (number, turn) as far as it can go."""


@dataclass(frozen=True, slots=True)
class ExecutorLimits:
    """How many stages of each kind run side by side."""

    intake: int = 8
    deliver: int = 8


class Executor:
    """Runs stages. One per process, since the engine underneath is one per process."""

    def __init__(
        self,
        database_url: str,
        worker: str,
        stages: Mapping[Step, StageFunction],
        limits: ExecutorLimits,
        ended: Callable[[], None],
    ) -> None:
        self._limits = limits
        self._active: dict[str, Step] = {}
        self._changed = threading.Condition()
        self._stages, self._ended = stages, ended
        _wait_for_previous_executor()
        dbos = DBOS(config=_configuration(database_url, worker, limits))
        _RUNNING[0] = self
        DBOS.listen_queues([])
        try:
            DBOS.launch()
            _stop_unused_threads(dbos)
        except Exception as error:  # raised again, in one word: the engine has its own names for each way
            logger.opt(exception=True).debug("The engine did not start")
            closing = _CLOSING[0] = threading.Thread(target=self.stop, daemon=True)
            closing.start()  # not waited for here: it may itself wait for what is not there
            raise DatabaseUnavailable(_UNUSABLE) from error

    def begin(self, submission: Submission) -> None:
        """Begin the stage that the submission's worker took. Harmless when it has begun already."""
        name, step = _workflow_id(submission), submission.step or Step.FINISH
        with self._changed:
            self._active[name] = step
        try:
            with SetWorkflowID(name):
                DBOS.start_workflow(_stage, str(step), submission.id, submission.turn)
        except BaseException:  # raised again: what has not begun must not look as if it had
            self._mark_ended(name)
            raise

    def is_running(self, submission: Submission) -> bool:
        """Tell whether the submission's present stage is running here."""
        with self._changed:
            return _workflow_id(submission) in self._active

    def free_slots(self, step: Step) -> int:
        """Give how many more stages of this kind may begin now."""
        early = step is Step.INTAKE
        with self._changed:
            busy = sum((each is Step.INTAKE) == early for each in self._active.values())
        return max((self._limits.intake if early else self._limits.deliver) - busy, 0)

    def running_stages(self) -> tuple[str, ...]:
        """Name the stages that run: step, submission and turn."""
        with self._changed:
            return tuple(self._active)

    def drain(self, limit_seconds: float) -> bool:
        """Wait until no stage runs; tells whether that came within the limit."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._active, limit_seconds)

    def stop(self) -> None:
        """Close the engine; a stage that still runs is left to itself."""
        DBOS.destroy()
        _RUNNING[0] = None

    def delete_old_rows(self, older_than_seconds: float) -> int:
        """Delete the engine's own rows of stages begun so long ago; gives how many there were.

        None of them is needed: what became of a stage stands in the ledger.
        """
        before = datetime.now(UTC) - timedelta(seconds=older_than_seconds)
        deleted = 0
        while old := DBOS.list_workflows(
            end_time=before.isoformat(), limit=ROWS_AT_ONCE, load_input=False, load_output=False
        ):
            names = [workflow.workflow_id for workflow in old]
            DBOS.delete_workflows(names)
            deleted += len(names)
        return deleted

    def run_stage(self, step: str, number: int, turn: int) -> None:
        """Run one stage to its end."""
        name = f"{step}:{number}:{turn}"
        with self._changed:
            self._active[name] = Step(step)
        try:
            self._stages[Step(step)](number, turn)
        finally:
            self._mark_ended(name)
            self._ended()

    def _mark_ended(self, name: str) -> None:
        with self._changed:
            self._active.pop(name, None)
            self._changed.notify_all()


_RUNNING: list[Executor | None] = [None]
_CLOSING: list[threading.Thread | None] = [None]
_UNUSABLE = "The engine's database can't be used: it went away, or is broken."


def _wait_for_previous_executor() -> None:
    """One that could not start and still closes would close the next one with it. Raises DatabaseAway."""
    closing = _CLOSING[0]
    if closing is not None:
        closing.join(CLOSING_SECONDS)
        if closing.is_alive():
            raise DatabaseUnavailable(_UNUSABLE)


@DBOS.workflow(name="stage")
def _stage(step: str, number: int, turn: int) -> None:
    engine = _RUNNING[0]
    if engine is not None:
        engine.run_stage(step, number, turn)


def _workflow_id(submission: Submission) -> str:
    return f"{submission.step}:{submission.id}:{submission.turn}"


def _stop_unused_threads(dbos: DBOS) -> None:
    """End the threads that look for queues, delays, timeouts and schedules: stlflow has none of them.

    They would ask the database several times a second for ever. The engine has no setting for it (3.4), so
    they are told to stop as at its end; should a release call them otherwise, they run on and do no harm.
    """
    for stop in (
        *getattr(dbos, "background_thread_stop_events", ()),
        *filter(None, [getattr(dbos, "_background_jobs_stop_event", None)]),
    ):
        stop.set()


def _configuration(database_url: str, worker: str, limits: ExecutorLimits) -> DBOSConfig:
    return {
        "name": "stlflow",
        "system_database_url": database_url,
        "executor_id": worker,
        "application_version": APPLICATION_VERSION,
        "max_executor_threads": limits.intake + limits.deliver + 4,
        "sys_db_pool_size": CONNECTIONS,
        "use_listen_notify": False,
        "notification_listener_polling_interval_sec": LISTENER_SECONDS,
        "log_level": "CRITICAL",
    }
