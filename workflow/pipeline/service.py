"""The running service: queue, poller and inbox, started and stopped together."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from loguru import logger

from workflow.errors import StateFolderError, catch_faults
from workflow.intake import APPROVED_FOLDER, Inbox, MassArrivalLimit, StabilityTimes, UntakenFile
from workflow.ledger import Ledger, Work
from workflow.model import Step, Submission, SubmissionState
from workflow.pipeline.batch import folder_files, submit_folder
from workflow.pipeline.canary import fly_canaries
from workflow.pipeline.context import Context, now
from workflow.pipeline.following import FOLLOW_SECONDS, PrintFollower
from workflow.pipeline.heartbeat import Heartbeat
from workflow.pipeline.inbox_events import InboxEvents
from workflow.pipeline.live_rules import LiveRules
from workflow.pipeline.local_queue import LocalQueue
from workflow.pipeline.moved_away import MoveWatcher
from workflow.pipeline.moved_files import ApprovedEvents, ApprovedFiles
from workflow.pipeline.notifier import notice_threads
from workflow.pipeline.observers import StageObserver, wanted_observers, wanted_progress_notes
from workflow.pipeline.poller import Poller
from workflow.pipeline.progress_notes import ProgressNotes
from workflow.pipeline.recovery import finish_abandoned_claims, recover_claims
from workflow.pipeline.retention import (
    LEFTOVER_SECONDS,
    RETENTION_INTERVAL_SECONDS,
    RetentionPolicy,
    clean_spool,
    delete_expired,
    remove_leftovers,
)
from workflow.pipeline.stages import Stages
from workflow.pipeline.transitions import hold_after_repeated_crashes
from workflow.pipeline.watchdog import Watchdog, keep_running
from workflow.pipeline.work_queue import QueueLimits, WorkQueue

DRAIN_SECONDS = 20.0
_NO_LIMIT = MassArrivalLimit()
_KEEP_ALL = RetentionPolicy()


class Service:
    """One per process and per state folder; its maker holds the instance lock.

    `home` names the state folder, the same over restarts, among all that work on the ledger.
    """

    def __init__(
        self,
        context: Context,
        home: str,
        limits: QueueLimits,
        times: StabilityTimes,
        *,
        watch: bool = True,
        arrival_limit: MassArrivalLimit = _NO_LIMIT,
        keep: RetentionPolicy = _KEEP_ALL,
        follow_seconds: float = FOLLOW_SECONDS,
    ) -> None:
        self._context, self._home, self._limits, self._times = context, home, limits, times
        self._watch, self._arrival_limit, self._keep = watch, arrival_limit, keep
        self._stop, self._left = threading.Event(), threading.Event()
        self._threads: list[threading.Thread] = []
        self._watchdog = Watchdog()
        self._follower = PrintFollower(context, follow_seconds, self._watchdog)
        self._heartbeat: Heartbeat | None = None
        self._heartbeat_thread: threading.Thread | None = None
        self._queue: WorkQueue | None = None
        self._poller: Poller | None = None
        self._progress: ProgressNotes | None = None
        self._behind: Sequence[StageObserver] = ()
        self.inbox: Inbox | None = None
        self.approved: Inbox | None = None

    def start(self) -> None:
        """Recover what an earlier run left, then begin."""
        context = self._context
        context.spool.mkdir(parents=True, exist_ok=True)
        clean_spool(context.ledger, context.spool)
        self._heartbeat = heartbeat = Heartbeat(
            context.ledger,
            self._home,
            context.client,
            on_removed=self.wake,
            cloud=context.client.vitals,
            hanging=lambda: self._watchdog.hanging,
        )
        self._heartbeat_thread = self._start_thread("heartbeat", heartbeat.run, self._left)
        if self._watch and context.share.is_reachable():
            recover_claims(context.ledger, context.share)
        if self._watch:
            self._progress = wanted_progress_notes(context, heartbeat)
            self._behind = wanted_observers(context, self._progress, heartbeat, lambda: self.inbox)
        self._threads += [self._start_thread("notes", each.run, self._stop) for each in self._behind]
        self._queue = queue = self._make_queue(heartbeat)
        self._poller = Poller(context, queue.wake, lambda: heartbeat.among, self._watchdog)
        queue.start()
        self._threads.append(self._start_thread("poller", self._poller.run, self._stop))
        self._threads.append(self._start_thread("watchdog", self._watchdog.run, self._stop))
        self._threads.append(self._start_thread("retention", self._run_retention, self._stop))
        self._threads.append(self._start_thread("rules", context.rules.watch, self._stop))
        for name, run in notice_threads(context, lambda: heartbeat.is_first).items():
            self._threads.append(self._start_thread(name, run, self._stop))
        if context.follows_prints:
            self._threads.append(self._start_thread("prints", self._follower.run, self._stop))
        elif heartbeat.among == 1:  # others on the same database may follow
            context.ledger.prints.stop_following()
        if self._watch:
            self.inbox = self._make_inbox(heartbeat)
            self._threads.append(self._start_thread("inbox", self.inbox.run, self._stop))
            if context.share.decides_by_moving:
                self._watch_decisions(heartbeat)
            if context.canary_seconds and context.share.left_inbox is None and not context.shadow:
                fly = partial(fly_canaries, context)
                self._threads.append(self._start_thread("canary", fly, self._stop))

    def _make_queue(self, heartbeat: Heartbeat) -> WorkQueue:
        """Return the queue for this kind of database: SQLite belongs to one process, Postgres to several."""
        context, stages = self._context, Stages(self._context)

        def run_stage(work: Work) -> Work | None:
            with self._watchdog.watching(_describe([work]).capitalize()):
                following = stages.run_stage(work)
            if self._poller is not None and work.step is Step.INTAKE and following is None:
                self._poller.wake()
            for behind in self._behind:
                behind.add(work.number)
            return following

        on_interrupted = partial(hold_after_repeated_crashes, context)
        ways = (context.ledger, self._home, run_stage, self._limits, on_interrupted)
        if not context.ledger.is_shared:
            return LocalQueue(*ways)
        from workflow.pipeline.postgres_queue import PostgresQueue  # of an extra: SQLite works without it

        return PostgresQueue(*ways, heartbeat.set_queue_workers, self._finish_abandoned_claims)

    def _make_inbox(self, heartbeat: Heartbeat) -> Inbox:
        share = self._context.share
        events = InboxEvents(self._context, heartbeat, self.wake, self._arrival_limit.files, self._progress)
        return Inbox(share, events, times=self._times, limit=self._arrival_limit)

    def _watch_decisions(self, heartbeat: Heartbeat) -> None:
        """Carry out decisions by moving: the gate of the inbox is in front of approved/, too."""
        context = self._context
        moves = MoveWatcher(context, self._home, self.wake, self._times.sweep_seconds)
        self._threads.append(self._start_thread("moved files", moves.run, self._stop))
        if context.share.left_inbox is None:
            share = replace(context.share, watches=APPROVED_FOLDER)
            events = ApprovedEvents(context, heartbeat, self.wake, 0)
            taking = ApprovedFiles(context.ledger, context.share, self.wake)
            self.approved = Inbox(share, events, times=self._times, taking=taking)
            self._threads.append(self._start_thread("approved", self.approved.run, self._stop))

    @property
    def rules(self) -> LiveRules:
        """Return the rules in use, and why a changed file is not."""
        return self._context.rules

    @property
    def ledger(self) -> Ledger:
        """The record of what the service does."""
        return self._context.ledger

    @property
    def context(self) -> Context:
        """The rooms that every step works with."""
        return self._context

    def submissions(self) -> tuple[Submission, ...]:
        """Return all submissions, oldest first."""
        return self.ledger.all()[::-1]

    def submit_folder(self, folder: Path) -> tuple[Sequence[int], Sequence[UntakenFile]]:
        """Submit every part file of a folder from its place. Raises ShareError.

        Returns the numbers, and what someone may have meant and that is not taken.
        """
        numbers, files = [], folder_files(folder, self._times)
        for number in submit_folder(self.ledger, self._home, folder, files):
            numbers.append(number)
            self.wake()
        return numbers, files.untaken

    def follow_all(self, submissions: Sequence[Submission]) -> None:
        """Follow the prints of these submissions to their end, whatever the rules say. Raises Superseded."""
        for submission in submissions:
            if submission.state is SubmissionState.DISPATCHED and submission.followed is not True:
                self.ledger.update_submission(submission, followed=True)
        self._follower.wake()

    def stalled_seconds(self) -> float:
        """Return for how long the queue, without which nothing goes on, has not checked what is due."""
        return self._queue.stalled_seconds() if self._queue is not None else 0.0

    def wake(self) -> None:
        """Check at once: something may have become due."""
        if self._queue is not None:
            self._queue.wake()

    def stop(self) -> None:
        """Begin nothing new, let what runs come to an end within the limit, and leave the rest to others.

        What did not come to its end is started again at the next start, or on another machine.
        """
        self._stop.set()
        if self._poller is not None:
            self._poller.wake()
        for waiting in (self.inbox, self.approved, self._follower, *self._behind):
            if waiting is not None:
                waiting.wake()
        if self._queue is not None:
            self._stop_queue(self._queue)
        give_up_at = time.monotonic() + DRAIN_SECONDS
        for thread in self._threads:
            thread.join(timeout=max(give_up_at - time.monotonic(), 0.1))
        self._deregister()

    def _stop_queue(self, queue: WorkQueue) -> None:
        if running := queue.running():
            logger.info("Waiting up to {:.0f} s for {}.", DRAIN_SECONDS, _describe(running))
        if not queue.stop(DRAIN_SECONDS):
            logger.warning("Left undone, to be started again: {}.", _describe(queue.running()))

    def _deregister(self) -> None:
        self._left.set()
        if self._heartbeat is None or self._heartbeat_thread is None:
            return
        self._heartbeat_thread.join(timeout=DRAIN_SECONDS)
        try:
            self._heartbeat.deregister()
        except StateFolderError as error:
            logger.warning("{} Others take over in a moment, or the next start does.", error)

    def _run_retention(self, stop: threading.Event) -> None:
        """Make room at the start and every hour; what fails is tried again the next time."""
        if self._watch:
            before = now().timestamp() - LEFTOVER_SECONDS
            catch_faults(partial(remove_leftovers, self._context.share, before), _log_failed_retention)
        while True:
            catch_faults(self.apply_retention, _log_failed_retention)
            if stop.wait(RETENTION_INTERVAL_SECONDS):
                return

    def apply_retention(self) -> None:
        """Delete what is old and has ended, as the settings ask for. Raises StateFolderError, OSError."""
        delete_expired(self._context, self._keep)

    def _finish_abandoned_claims(self) -> None:
        if self._watch:
            finish_abandoned_claims(self._context.ledger, self._context.share)

    def _start_thread(
        self, name: str, run: Callable[[threading.Event], None], stop: threading.Event
    ) -> threading.Thread:
        thread = threading.Thread(target=keep_running, args=(name, run, stop), name=name, daemon=True)
        thread.start()
        return thread


def _describe(running: Sequence[Work]) -> str:
    """Return stages that run in words: which submission, and what is done for it."""
    return ", ".join(f"submission {work.number} ({work.step})" for work in sorted(running, key=_by_number))


def _by_number(work: Work) -> int:
    return work.number


def _log_failed_retention(fault: Exception) -> None:
    logger.opt(exception=fault).debug("Retention failed")
    logger.warning("Old submissions were not deleted ({}).", type(fault).__name__)
