"""The threads that run stages, with a limit for each kind.

Nothing durable is here: only the ledger says which stages are in progress and which steps are done.
"""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial

from loguru import logger

from workflow.errors import catch_faults
from workflow.ledger import Work
from workflow.model import Step
from workflow.pipeline.work_queue import QueueLimits, RunStage

STAGE_GROUPS = ((Step.INTAKE,), (Step.DELIVER, Step.FINISH))
"""Stages that share a limit: many new files never hold up what is sliced."""


class Executor:
    """Runs stages on a thread pool, and knows which of them run."""

    def __init__(self, run_stage: RunStage, limits: QueueLimits, on_stage_end: Callable[[], None]) -> None:
        self._run_stage, self._limits, self._on_stage_end = run_stage, limits, on_stage_end
        self.threads = ThreadPoolExecutor(limits.intake + limits.deliver, thread_name_prefix="stage")
        self._active: set[Work] = set()
        self._dropped: frozenset[Work] = frozenset()
        self._changed = threading.Condition()

    def begin(self, work: Work) -> None:
        """Begin a stage on a free thread. Harmless when it runs already."""
        if not self.mark_begun(work):
            return
        with ExitStack() as undo:
            undo.callback(self._mark_ended, work)  # what has not begun must not look as if it had
            self.threads.submit(self._run, work)
            undo.pop_all()

    def run(self, work: Work) -> None:
        """Run a stage to its end on this thread. Harmless when it runs already."""
        if self.mark_begun(work):
            self._run(work)

    def mark_begun(self, work: Work) -> bool:
        """Count a stage as running; False if it runs already."""
        with self._changed:
            begins = work not in self._active
            self._active.add(work)
        return begins

    def free_slots(self, group: tuple[Step, ...]) -> int:
        """Return how many more stages of this group may begin now."""
        limit = self._limits.intake if Step.INTAKE in group else self._limits.deliver
        with self._changed:
            return max(limit - sum(work.step in group for work in self._active), 0)

    def running(self) -> tuple[Work, ...]:
        """Return the stages that run."""
        with self._changed:
            return tuple(self._active)

    def find_dropped(self, in_progress: Iterable[Work]) -> frozenset[Work]:
        """Return steps in progress that no thread runs, neither now nor at the last call."""
        missing = frozenset(in_progress) - frozenset(self.running())
        dropped, self._dropped = missing & self._dropped, missing
        return dropped

    def drain(self, limit_seconds: float) -> bool:
        """Wait until no stage runs; True if that came within the limit."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._active, limit_seconds)

    def close(self) -> None:
        """Begin nothing more; a stage that still runs is left to itself."""
        self.threads.shutdown(wait=False, cancel_futures=True)

    def _run(self, work: Work) -> None:
        """Run a stage, and those that follow it at once."""
        following: Work | None = work
        while following is not None:
            present, following = following, None
            try:
                following = catch_faults(partial(self._run_stage, present), partial(_log_fault, present))
            finally:
                self._mark_ended(present, following)
                self._on_stage_end()

    def _mark_ended(self, work: Work, following: Work | None = None) -> None:
        with self._changed:
            self._active.discard(work)
            if following is not None:
                self._active.add(following)
            self._changed.notify_all()


def _log_fault(work: Work, fault: Exception) -> None:
    logger.opt(exception=fault).error("A fault of stlflow in {}", work)
