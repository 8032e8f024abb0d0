"""The keeper: begins what is due, asks for slice jobs, and takes up what was dropped.

One thread that looks at the ledger twice a second, or when woken, and a few that ask the cloud. Five thousand
submissions that wait for slicing are five thousand rows with a time in them, nothing else.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta

from loguru import logger

from workflow.errors import StateFolderError
from workflow.ledger import (
    Superseded,
    acquire_due_steps,
    find_due_steps,
    list_leased_steps,
    take_over_orphaned_steps,
)
from workflow.model import Step, Submission
from workflow.pipeline.clock_skew import Skew
from workflow.pipeline.context import Context, now
from workflow.pipeline.executor import Executor
from workflow.pipeline.heartbeat import Heartbeat
from workflow.pipeline.slice_listing import SliceListing
from workflow.pipeline.transitions import hold_after_repeated_crashes
from workflow.pipeline.upload import poll_slice_job

POLL_SECONDS = 0.5
DEBOUNCE_SECONDS = 0.02
"""News comes in crowds: one look for all of them."""
AUDIT_SECONDS = 5.0
POLLS_AT_ONCE = 4
MAX_QUEUED_POLLS = 16
"""Questions that stand in line for the threads that ask."""
RETRY_AFTER_FAULT = timedelta(minutes=5)
STAGE_GROUPS = ((Step.INTAKE,), (Step.DELIVER, Step.FINISH))
"""Stages that share a limit."""


@dataclass
class Scheduler:
    """Keeps every submission moving that has something to do."""

    context: Context
    engine: Executor
    crew: Heartbeat
    wake: threading.Event = field(default_factory=threading.Event)
    """Set it when something new became due, or there is room for more."""
    adopt: Callable[[], None] = lambda: None
    """Finds the files of those who died between claiming a file and writing it down."""
    clock: Callable[[], float] = time.monotonic
    _skew: Skew = field(default_factory=Skew)
    _asked: set[tuple[int, int]] = field(default_factory=set)
    _missed: set[tuple[int, int]] = field(default_factory=set)
    _audited_at: float = float("-inf")
    _looked_at: float = float("inf")
    _troubled: bool = False

    def __post_init__(self) -> None:
        """Let new builds tell what has become due."""
        self.new_builds = SliceListing(self.context, lambda: self.crew.among, self.wake.set, self.clock)

    def run(self, stop: threading.Event) -> None:
        """Look until told to stop."""
        with ThreadPoolExecutor(POLLS_AT_ONCE, thread_name_prefix="poll") as polls:
            while not stop.is_set():
                self._looked_at = self.clock()
                self._schedule_safely(polls)
                if self.wake.wait(POLL_SECONDS):
                    stop.wait(DEBOUNCE_SECONDS)
                self.wake.clear()
            self.new_builds.stop()

    def stalled_seconds(self) -> float:
        """Give how long ago the last look began: much more than a second, and nothing goes on."""
        return max(self.clock() - self._looked_at, 0.0)

    def _schedule_safely(self, polls: ThreadPoolExecutor) -> None:
        """A ledger that can't be reached is said once, and tried again."""
        try:
            due = find_due_steps(self.context.ledger, self.crew.me)
            for steps in STAGE_GROUPS:
                if not due.isdisjoint(steps):
                    self.start_due_steps(steps)
            self.new_builds.look(polls)
            if Step.POLL in due:
                self.poll_due_slice_jobs(polls)
            if self.clock() - self._audited_at >= AUDIT_SECONDS:
                self._audited_at = self.clock()
                self.recover_dropped_steps()
                self._skew.look(self.context.client.ahead_seconds)
            self._troubled = False
        except StateFolderError as error:
            self._log_once(f"{error} Submissions wait until it can.")
        except Exception as fault:  # noqa: BLE001  # the keeper's edge: without it nothing would ever go on
            logger.opt(exception=True).debug("The keeper failed")
            self._log_once(f"The keeper failed ({type(fault).__name__}): it tries again.")

    def _log_once(self, sentence: str) -> None:
        if not self._troubled:
            logger.error("{}", sentence)
        self._troubled = True

    def start_due_steps(self, steps: tuple[Step, ...]) -> None:
        """Take stages that are due, no more than there is room for, and begin them."""
        for submission in acquire_due_steps(
            self.context.ledger, self.crew.me, steps, self.engine.free_slots(steps[0])
        ):
            self.engine.begin(submission)  # what is lost in between is seen as dropped

    def poll_due_slice_jobs(self, polls: ThreadPoolExecutor) -> None:
        """Ask for due slice jobs, longest due first, a few at a time; hardly, while new builds tell more."""
        room = (1 if self.new_builds.reads() else MAX_QUEUED_POLLS) - len(self._asked)
        for submission in acquire_due_steps(self.context.ledger, self.crew.me, (Step.POLL,), room):
            self._asked.add((submission.id, submission.turn))
            polls.submit(self._poll_slice_job, submission)

    def recover_dropped_steps(self) -> None:
        """Steps of workers that are gone begin anew, and steps of ours that nobody does, twice seen so."""
        for submission in take_over_orphaned_steps(self.context.ledger):
            logger.info("Submission {} ({}) taken over.", submission.id, submission.path)
            hold_after_repeated_crashes(self.context, submission)
        dropped = {
            (submission.id, submission.turn): submission
            for submission in list_leased_steps(self.context.ledger, self.crew.me)
            if not self._is_in_progress(submission)
        }
        for key in self._missed & dropped.keys():
            self._requeue(dropped[key])
        self._missed = set(dropped)
        self.adopt()

    def _is_in_progress(self, submission: Submission) -> bool:
        return self.engine.is_running(submission) or (submission.id, submission.turn) in self._asked

    def _requeue(self, submission: Submission) -> None:
        try:
            self.context.ledger.schedule_next_step(submission, submission.step, now())
        except Superseded:
            return
        logger.info("Submission {} ({}) taken up again.", submission.id, submission.path)

    def _poll_slice_job(self, submission: Submission) -> None:
        try:
            poll_slice_job(self.context, submission, self.new_builds.waiting.count)
        except (Superseded, StateFolderError) as error:
            logger.debug("{}", error)
        except Exception:  # noqa: BLE001  # a fault of ours: this one is asked for later, all others now
            logger.opt(exception=True).error("A fault of stlflow while asking for a slice job")
            self.context.ledger.update_submission(submission, due_at=now() + RETRY_AFTER_FAULT, worker=None)
        finally:
            self._asked.discard((submission.id, submission.turn))
            self.wake.set()
