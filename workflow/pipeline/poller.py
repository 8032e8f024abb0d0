"""Asks Eiger for slice jobs that are due, and lists new builds while many wait.

A submission that waits for slicing is a row with a time, nothing else. One thread finds what is due, a few
threads poll. A poll that a crash interrupts is repeated a minute later.

Where many wait, polls begin in rounds, at the rate that they may cost, and one transaction writes the answers
of a round: "still slicing" is no news for anybody.
"""

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from loguru import logger

from workflow.errors import StateFolderError, catch_faults
from workflow.ledger import (
    NextPoll,
    Superseded,
    next_poll_seconds,
    postpone_due_polls,
    schedule_next_polls,
)
from workflow.model import Submission
from workflow.pipeline.clock_skew import Skew
from workflow.pipeline.context import Context, now
from workflow.pipeline.slice_listing import SliceListing
from workflow.pipeline.slice_poll import poll_slice_job
from workflow.pipeline.watchdog import Watchdog
from workflow.pipeline.work_queue import FailureLog

POLL_SECONDS, IDLE_POLL_SECONDS = 1.0, 5.0
"""The longest time between two checks for polls that are due: another process may have made one due. Where
only one runs steps and no slice job waits, it is told of the next one."""
DEBOUNCE_SECONDS = 0.02
"""Wake-ups come many at once: one check for all of them."""
POLLS_AT_ONCE = 4
MAX_QUEUED_POLLS = 16
"""Polls that are asked or wait for their turn."""
SLOW_ANSWER_SECONDS = 0.25
"""After a slower one another thread helps. Quick ones are asked in turn on one thread: a third cheaper."""
RETRY_AFTER_FAULT = timedelta(minutes=5)


@dataclass
class Poller:
    """Polls every slice job when it is due; one per process, on any database."""

    context: Context
    on_due: Callable[[], None]
    """Called when a poll has made a step due."""
    workers: Callable[[], int] = lambda: 1
    """Returns how many processes list new builds in turn."""
    watchdog: Watchdog | None = None
    clock: Callable[[], float] = time.monotonic
    _wake: threading.Event = field(default_factory=threading.Event)
    _skew: Skew = field(default_factory=Skew)
    _asking: set[tuple[int, int]] = field(default_factory=set)
    _queued: deque[Submission] = field(default_factory=deque)
    _answers: deque[NextPoll] = field(default_factory=deque)
    _next_round: float = float("-inf")
    _failures: FailureLog = field(
        default_factory=lambda: FailureLog("The poller", "Slice jobs wait until then.")
    )

    def __post_init__(self) -> None:
        """Make the listing of new builds, which makes steps due as well."""
        self.listing = SliceListing(self.context, self.workers, self.on_due, self.clock)

    def run(self, stop: threading.Event) -> None:
        """Poll until told to stop."""
        with ThreadPoolExecutor(POLLS_AT_ONCE, thread_name_prefix="poll") as threads:
            while not stop.is_set():
                wait_seconds = self._poll(threads)
                if self._wake.wait(wait_seconds):
                    stop.wait(DEBOUNCE_SECONDS)
                self._wake.clear()
            self.listing.stop()
            self._queued.clear()
        with self._failures:
            self._write_answers()

    def wake(self) -> None:
        """Check at once: a slice job may have become due, or the service stops."""
        self._wake.set()

    def _poll(self, threads: ThreadPoolExecutor) -> float:
        """Poll what is due; return how long to wait. A ledger that can't be reached is logged once."""
        wait_seconds = POLL_SECONDS
        with self._failures:
            self._write_answers()
            self.listing.list_if_due(threads)
            next_seconds = self._poll_due(threads)
            self._skew.check(self.context.client.ahead_seconds)
            wait_seconds = self._wait_seconds(next_seconds)
        return max(wait_seconds, DEBOUNCE_SECONDS)

    def _wait_seconds(self, next_seconds: float) -> float:
        if self.listing.reads() or len(self._asking) >= MAX_QUEUED_POLLS:
            return POLL_SECONDS  # the end of a poll wakes us
        if self.listing.has_many():
            return self._next_round - self.clock()
        is_idle = math.isinf(next_seconds) and not self.context.ledger.is_shared
        return IDLE_POLL_SECONDS if is_idle else min(next_seconds, POLL_SECONDS)

    def _poll_due(self, threads: ThreadPoolExecutor) -> float:
        """Hand due polls to the threads, and return in how many seconds the next one is due.

        One at a time while a listing answers for many; in rounds where many wait.
        """
        if self._queued:  # an answer takes long
            threads.submit(self._poll_queued, threads)
        room, next_seconds = self._room() - len(self._asking), next_poll_seconds(self.context.ledger)
        if room < 1 or next_seconds > 0:
            return next_seconds
        for submission in postpone_due_polls(self.context.ledger, room):
            self._asking.add((submission.id, submission.turn))
            self._queued.append(submission)
        threads.submit(self._poll_queued, threads)
        return next_poll_seconds(self.context.ledger)

    def _room(self) -> int:
        """Return how many polls may be under way now."""
        if self.listing.reads():
            return 1
        if not self.listing.has_many():
            return MAX_QUEUED_POLLS
        if self.clock() < self._next_round:
            return 0
        count, seconds = self.context.retry_schedule.poll_round(MAX_QUEUED_POLLS, self.workers())
        self._next_round = self.clock() + seconds
        return count

    def _write_answers(self) -> None:
        """Write when the slice jobs that have not ended are polled next. Raises StateFolderError."""
        answers = [self._answers.popleft() for _ in range(len(self._answers))]
        schedule_next_polls(self.context.ledger, answers)

    def _retry_after_fault(self, submission: Submission, fault: Exception) -> NextPoll:
        logger.opt(exception=fault).error("A fault of stlflow while asking for a slice job")
        return NextPoll(submission, now() + RETRY_AFTER_FAULT, submission.slice_status, submission.tries)

    def _poll_queued(self, threads: ThreadPoolExecutor) -> None:
        """Poll in turn what is queued; a slow answer makes another thread do so as well."""
        while (submission := self._next_queued()) is not None:
            began = time.monotonic()
            self._poll_slice_job(submission)
            if self._queued and time.monotonic() - began > SLOW_ANSWER_SECONDS:
                with suppress(RuntimeError):  # the service stops
                    threads.submit(self._poll_queued, threads)

    def _next_queued(self) -> Submission | None:
        try:
            return self._queued.popleft()
        except IndexError:
            return None

    def _poll_slice_job(self, submission: Submission) -> None:
        watched = (
            self.watchdog.watching(f"Submission {submission.id} (slice job)")
            if self.watchdog
            else nullcontext()
        )
        following: NextPoll | None = None
        poll = partial(poll_slice_job, self.context, submission, self.listing.waiting_count)
        retry = partial(self._retry_after_fault, submission)
        try:
            with watched:
                following = catch_faults(poll, retry, but=(Superseded, StateFolderError))
            if following is None:
                self.on_due()
            else:
                self._answers.append(following)
        except (Superseded, StateFolderError) as error:
            logger.debug("{}", error)
        finally:
            self._asking.discard((submission.id, submission.turn))
            if self.listing.reads() or not self.listing.has_many() or following is None:
                self.wake()
