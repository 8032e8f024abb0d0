"""The durable engine: DBOS behind a small port. Nothing else imports it.

A step that is due becomes one short workflow, named after submission and turn, so that enqueuing
it twice is harmless. DBOS keeps the queue through kill -9 and runs again what was cut off; what a
submission *is*, and which of its steps are done, stands in the ledger alone. The engine's own
checkpoints would say the same once more, at about 4 ms each.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dbos import DBOS, DBOSConfig, SetWorkflowID

from workflow.model import Step, Submission

APPLICATION_VERSION = "stlflow-1"
"""Pinned: the engine's own default changes with every edit and strands what waits."""
QUEUE_POLL_SECONDS = 0.2
LISTENER_SECONDS = 0.5
"""stlflow sends no notifications; the engine's listener only has to notice a stop soon."""
MAX_RECOVERIES = 20


Stage = Callable[[int, int], None]
"""One short workflow: takes a submission (number, turn) as far as it can go."""


@dataclass(frozen=True, slots=True)
class EngineLimits:
    """How many stages of each kind run side by side."""

    intake: int = 8
    deliver: int = 8


class Engine:
    """The queue of stages. One per process, since the engine underneath is one per process."""

    def __init__(self, database_url: str, stages: Mapping[Step, Stage], limits: EngineLimits) -> None:
        self._active: set[str] = set()
        self._running = 0
        self._lock = threading.Lock()
        self._stages = stages
        DBOS(config=_configuration(database_url, limits))
        _RUNNING[0] = self
        DBOS.listen_queues([step.value for step in _QUEUES])
        DBOS.launch()
        for step in _QUEUES:
            width = limits.intake if step is Step.INTAKE else limits.deliver
            DBOS.register_queue(step.value, worker_concurrency=width, polling_interval_sec=QUEUE_POLL_SECONDS)
        self._active.update(_unfinished())

    def begin(self, submission: Submission) -> None:
        """Enqueue the stage that is due. Harmless when it stands in the queue already."""
        name = _name(submission)
        with self._lock:
            self._active.add(name)
        queue = Step.DELIVER if submission.step is Step.FINISH else submission.step
        try:
            with SetWorkflowID(name):
                DBOS.enqueue_workflow(
                    str(queue), _stage, str(submission.step), submission.id, submission.turn
                )
        except BaseException:  # raised again: what is not queued must not look as if it were
            with self._lock:
                self._active.discard(name)
            raise

    def knows(self, submission: Submission) -> bool:
        """Tell whether the submission's present stage is queued or running here."""
        with self._lock:
            return _name(submission) in self._active

    def load(self) -> int:
        """Count the stages queued or running."""
        with self._lock:
            return len(self._active)

    def stop(self, drain_seconds: int) -> None:
        """Take no more from the queue, let what runs end within the limit."""
        with self._lock:
            idle = self._running == 0
        DBOS.destroy(workflow_completion_timeout_sec=0 if idle else drain_seconds)
        _RUNNING[0] = None

    def run_stage(self, step: str, number: int, turn: int) -> None:
        """Run one stage to its end."""
        name = f"{step}:{number}:{turn}"
        with self._lock:
            self._active.add(name)
            self._running += 1
        try:
            self._stages[Step(step)](number, turn)
        finally:
            with self._lock:
                self._active.discard(name)
                self._running -= 1


_QUEUES = (Step.INTAKE, Step.DELIVER)
_RUNNING: list[Engine | None] = [None]


@DBOS.workflow(name="stage", max_recovery_attempts=MAX_RECOVERIES)
def _stage(step: str, number: int, turn: int) -> None:
    engine = _RUNNING[0]
    if engine is not None:
        engine.run_stage(step, number, turn)


def _name(submission: Submission) -> str:
    return f"{submission.step}:{submission.id}:{submission.turn}"


def _unfinished() -> set[str]:
    waiting = DBOS.list_workflows(status=["PENDING", "ENQUEUED"], load_input=False, load_output=False)
    return {workflow.workflow_id for workflow in waiting}


def _configuration(database_url: str, limits: EngineLimits) -> DBOSConfig:
    threads = 2 * (limits.intake + limits.deliver) + 4
    return {
        "name": "stlflow",
        "system_database_url": database_url,
        "executor_id": "stlflow-0",
        "application_version": APPLICATION_VERSION,
        "max_executor_threads": threads,
        "sys_db_pool_size": 16,
        "notification_listener_polling_interval_sec": LISTENER_SECONDS,
        "log_level": "CRITICAL",
    }
