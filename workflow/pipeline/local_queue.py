"""The embedded queue: on SQLite the rows themselves are the queue, and one process runs them.

One thread sleeps until the next step is due or something was committed: our own process wakes it, and the
commits of others show in a counter of SQLite's that costs microseconds to read.
"""

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing

from workflow.errors import StateFolderError
from workflow.ledger import (
    DueSteps,
    Ledger,
    Superseded,
    Work,
    list_steps_in_progress,
    requeue_interrupted_steps,
    take_due_steps,
    work_of,
)
from workflow.model import Submission
from workflow.pipeline.context import now
from workflow.pipeline.executor import STAGE_GROUPS, Executor
from workflow.pipeline.submission_log import log_of
from workflow.pipeline.work_queue import FailureLog, QueueLimits, RunStage

TICK_SECONDS = 1.0
"""How soon a commit of another process is seen."""
DEBOUNCE_SECONDS = 0.01
"""Stages end many at once: one check for all of them, and one transaction for what begins in their place."""
AUDIT_SECONDS = 5.0


def seconds_until_check(due_in_seconds: float) -> float:
    """Return the wait for the next due step; one that is due and not ours to begin is no reason to spin."""
    return min(due_in_seconds if due_in_seconds > 0 else TICK_SECONDS, AUDIT_SECONDS)


class LocalQueue:
    """Runs the steps of a SQLite ledger, which this process has for itself."""

    def __init__(
        self,
        ledger: Ledger,
        home: str,
        run_stage: RunStage,
        limits: QueueLimits,
        on_interrupted: Callable[[Submission], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger, self._home, self._clock = ledger, home, clock
        self._on_interrupted = on_interrupted
        self._executor = Executor(run_stage, limits, self.wake)
        self._changed = threading.Condition()
        self._woken = self._stopping = False
        self._failures = FailureLog("The queue", "Submissions wait until then.")
        self._checked_at, self._audited_at = float("inf"), clock()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Restart what a crash interrupted under new turns, then begin what is due."""
        for submission in requeue_interrupted_steps(self._ledger):
            log_of(submission).info("Submission {} ({}) taken over.", submission.id, submission.path)
            self._on_interrupted(submission)
        self._thread = threading.Thread(target=self._run, name="queue", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Check at once: a step may have become due, or a thread is free."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def running(self) -> tuple[Work, ...]:
        """Return what runs in this process."""
        return self._executor.running()

    def stalled_seconds(self) -> float:
        """Return how long ago the thread last woke; it wakes at every tick."""
        return max(self._clock() - self._checked_at, 0.0)

    def stop(self, limit_seconds: float) -> bool:
        """Begin nothing new; True if everything that ran came to its end within the limit."""
        give_up_at = self._clock() + limit_seconds
        self._stopping = True
        self.wake()
        if self._thread is not None:
            self._thread.join(timeout=limit_seconds)
        drained = self._executor.drain(give_up_at - self._clock())
        self._executor.close()
        return drained

    # -- the thread -----------------------------------------------------------------------------

    def _run(self) -> None:
        """Run the queue until it stops; a database that can't be read is logged once and opened again."""
        while not self._stopping:
            with self._failures:
                try:
                    with closing(DueSteps(self._ledger, self._home)) as due:
                        while not self._stopping:
                            self._wait_for_news(due, self._begin_due_steps(due))
                except sqlite3.Error as error:
                    raise StateFolderError(f"The ledger can't be read: {error}.") from error
            with self._changed:
                self._checked_at = self._clock()
                self._changed.wait_for(lambda: self._stopping, TICK_SECONDS)

    def _begin_due_steps(self, due: DueSteps) -> float:
        """Begin what is due while threads are free; return the seconds until the next check."""
        self._checked_at = self._clock()
        due.has_news()
        found = [work for group in STAGE_GROUPS for work in due.find(group, self._executor.free_slots(group))]
        if found:  # one transaction for all that begin now
            for work in take_due_steps(self._ledger, found):
                self._executor.begin(work)
        if self._clock() - self._audited_at >= AUDIT_SECONDS:
            self._audited_at = self._clock()
            self._restart_dropped_steps()
        self._failures.worked()
        open_groups = [step for group in STAGE_GROUPS if self._executor.free_slots(group) for step in group]
        return seconds_until_check(due.next_seconds(open_groups))

    def _wait_for_news(self, due: DueSteps, wait_seconds: float) -> None:
        """Sleep until the time is over, someone wakes us (`stop` does), or another process has committed."""
        until = self._clock() + wait_seconds
        while True:
            with self._changed:
                left = until - self._clock()
                self._changed.wait_for(lambda: self._woken, min(left, TICK_SECONDS))
                if self._woken:
                    self._changed.wait_for(lambda: self._stopping, DEBOUNCE_SECONDS)
                woken, self._woken = self._woken, False
            self._checked_at = self._clock()
            if woken or self._clock() >= until or due.has_news():
                return

    def _restart_dropped_steps(self) -> None:
        """Restart steps that are in progress here and that no thread has run in two consecutive checks."""
        found = {work_of(submission): submission for submission in list_steps_in_progress(self._ledger)}
        for work in self._executor.find_dropped(found):
            self._requeue(found[work])

    def _requeue(self, submission: Submission) -> None:
        try:
            self._ledger.schedule_next_step(submission, submission.step, now())
        except Superseded:
            return
        log_of(submission).info("Submission {} ({}) taken up again.", submission.id, submission.path)
