"""The shared queue: on Postgres several machines lease steps, and take over those of dead workers.

One thread checks the ledger twice a second, or when woken. What this process leased and no thread runs is
restarted; what a dead worker leased is restarted by the first worker that sees it.
"""

import threading
import time
from collections.abc import Callable

from loguru import logger

from workflow.errors import StateFolderError, catch_faults
from workflow.ledger import (
    Ledger,
    Superseded,
    Work,
    acquire_due_steps,
    find_due_steps,
    list_leased_steps,
    take_over_orphaned_steps,
    work_of,
)
from workflow.model import Submission, Worker
from workflow.pipeline.context import now
from workflow.pipeline.executor import STAGE_GROUPS, Executor
from workflow.pipeline.work_queue import QueueLimits, RunStage

CHECK_SECONDS = 0.5
DEBOUNCE_SECONDS = 0.02
"""Wake-ups come many at once: one check for all of them."""
AUDIT_SECONDS = 5.0


class LeaseQueue:
    """Runs the steps of a ledger that several processes share."""

    def __init__(
        self,
        ledger: Ledger,
        worker: Callable[[], Worker],
        run_stage: RunStage,
        limits: QueueLimits,
        on_interrupted: Callable[[Submission], None],
        audit: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger, self._worker, self._clock = ledger, worker, clock
        self._on_interrupted, self._audit = on_interrupted, audit
        self._executor = Executor(run_stage, limits, self.wake)
        self._wake, self._stop = threading.Event(), threading.Event()
        self._missed: frozenset[Work] = frozenset()
        self._audited_at, self._checked_at = float("-inf"), float("inf")
        self._troubled = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin what is due, and watch over what others leased."""
        self._thread = threading.Thread(target=self._run, name="queue", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Check at once: a step may have become due, or a thread is free."""
        self._wake.set()

    def running(self) -> tuple[Work, ...]:
        """Return what runs in this process."""
        return self._executor.running()

    def stalled_seconds(self) -> float:
        """Return how long ago the last check for due steps began."""
        return max(self._clock() - self._checked_at, 0.0)

    def stop(self, limit_seconds: float) -> bool:
        """Begin nothing new; True if everything that ran came to its end within the limit."""
        self._stop.set()
        self.wake()
        if self._thread is not None:
            self._thread.join(timeout=limit_seconds)
        drained = self._executor.drain(limit_seconds)
        self._executor.close()
        return drained

    # -- the thread -----------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stop.is_set():
            self._checked_at = self._clock()
            catch_faults(self._check, self._log_fault)
            if self._wake.wait(CHECK_SECONDS):
                self._stop.wait(DEBOUNCE_SECONDS)
            self._wake.clear()

    def _check(self) -> None:
        """Begin what is due; a ledger that can't be reached is logged once, and tried again."""
        try:
            due = find_due_steps(self._ledger, self._worker())
            for group in STAGE_GROUPS:
                if not due.isdisjoint(group):
                    free = self._executor.free_slots(group)
                    for submission in acquire_due_steps(self._ledger, self._worker(), group, free):
                        self._executor.begin(work_of(submission))  # what is lost in between is restarted
            if self._clock() - self._audited_at >= AUDIT_SECONDS:
                self._audited_at = self._clock()
                self.restart_dropped_steps()
                self._audit()
            self._troubled = False
        except StateFolderError as error:
            self._log_once(f"{error} Submissions wait until then.")

    def _log_fault(self, fault: Exception) -> None:
        logger.opt(exception=fault).debug("The queue failed")
        self._log_once(f"The queue failed ({type(fault).__name__}): it tries again.")

    def _log_once(self, sentence: str) -> None:
        if not self._troubled:
            logger.error("{}", sentence)
        self._troubled = True

    def restart_dropped_steps(self) -> None:
        """Restart steps whose worker is dead, and our own that no thread ran in two consecutive checks."""
        for submission in take_over_orphaned_steps(self._ledger):
            logger.info("Submission {} ({}) taken over.", submission.id, submission.path)
            self._on_interrupted(submission)
        running = frozenset(self._executor.running())
        dropped = {
            work: submission
            for submission in list_leased_steps(self._ledger, self._worker())
            if (work := work_of(submission)) not in running
        }
        for work in self._missed & dropped.keys():
            self._requeue(dropped[work])
        self._missed = frozenset(dropped)

    def _requeue(self, submission: Submission) -> None:
        try:
            self._ledger.schedule_next_step(submission, submission.step, now())
        except Superseded:
            return
        logger.info("Submission {} ({}) taken up again.", submission.id, submission.path)
