"""The running service: engine, keeper and inbox, started and stopped together."""

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from loguru import logger

from workflow.errors import StateFolderError
from workflow.intake import Inbox, MassArrivalLimit, StabilityTimes, UntakenFile
from workflow.ledger import Ledger
from workflow.model import Submission
from workflow.pipeline.batch import folder_files, submit_folder
from workflow.pipeline.context import Context
from workflow.pipeline.executor import Executor, ExecutorLimits
from workflow.pipeline.heartbeat import Heartbeat
from workflow.pipeline.inbox_events import InboxEvents
from workflow.pipeline.live_rules import LiveRules
from workflow.pipeline.recovery import finish_abandoned_claims, recover_claims
from workflow.pipeline.retention import (
    EXECUTOR_ROWS_SECONDS,
    RETENTION_INTERVAL_SECONDS,
    RetentionPolicy,
    clean_spool,
    delete_expired,
)
from workflow.pipeline.scheduler import Scheduler
from workflow.pipeline.stages import Stages

DRAIN_SECONDS = 20.0
CLOSING_SECONDS = 10.0
_NO_LIMIT = MassArrivalLimit()
_KEEP_ALL = RetentionPolicy()


class Service:
    """One per process and per state folder; whoever makes it holds the instance lock.

    `home` names the state folder, the same over restarts, among all that work on the ledger.
    """

    def __init__(
        self,
        context: Context,
        home: str,
        limits: ExecutorLimits,
        times: StabilityTimes,
        *,
        watch: bool = True,
        arrival_limit: MassArrivalLimit = _NO_LIMIT,
        keep: RetentionPolicy = _KEEP_ALL,
    ) -> None:
        self._shop, self._home, self._limits, self._times, self._watch = context, home, limits, times, watch
        self._arrival_limit, self._keep = arrival_limit, keep
        self._stop, self._left = threading.Event(), threading.Event()
        self._threads: list[threading.Thread] = []
        self._crew_thread: threading.Thread | None = None
        self._crew: Heartbeat | None = None
        self._engine: Executor | None = None
        self._keeper: Scheduler | None = None
        self.inbox: Inbox | None = None

    def start(self) -> None:
        """Take up what a former run left, then begin."""
        context = self._shop
        context.spool.mkdir(parents=True, exist_ok=True)
        clean_spool(context.ledger, context.spool)
        self._crew = crew = Heartbeat(context.ledger, self._home, context.client)
        self._crew_thread = self._start_thread("crew", crew.run, self._left)
        if self._watch and context.share.is_reachable():
            recover_claims(context.ledger, context.share)
        stages = Stages(context).by_step()
        self._engine = Executor(str(context.ledger.url), crew.me.name, stages, self._limits, self.wake)
        self._keeper = Scheduler(context, self._engine, crew, adopt=self._finish_abandoned_claims)
        self._threads.append(self._start_thread("keeper", self._keeper.run, self._stop))
        self._threads.append(self._start_thread("upkeep", self._run_retention, self._stop))
        self._threads.append(self._start_thread("rules", context.rules.run, self._stop))
        if self._watch:
            self.inbox = self._make_inbox(crew)
            self._threads.append(self._start_thread("inbox", self.inbox.run, self._stop))

    def _make_inbox(self, crew: Heartbeat) -> Inbox:
        share, desk = self._shop.share, InboxEvents(self._shop, crew, self.wake, self._arrival_limit.files)
        left = desk if share.left_inbox is not None else None
        return Inbox(share, desk, left=left, desk=desk, times=self._times, limit=self._arrival_limit)

    @property
    def rules(self) -> LiveRules:
        """The rules that count, and what keeps a change of them from counting."""
        return self._shop.rules

    @property
    def ledger(self) -> Ledger:
        """The record of what the service does."""
        return self._shop.ledger

    @property
    def context(self) -> Context:
        """The rooms that every step works with."""
        return self._shop

    def submissions(self) -> tuple[Submission, ...]:
        """Give all submissions, oldest first."""
        return self.ledger.all()[::-1]

    def submit_folder(self, folder: Path) -> tuple[Sequence[int], Sequence[UntakenFile]]:
        """Submit every part file of a folder from its place. Raises ShareError.

        Returns the numbers, and what somebody may have meant and that is not taken.
        """
        numbers, files = [], folder_files(folder, self._times)
        for number in submit_folder(self.ledger, self._home, folder, files):
            numbers.append(number)
            self.wake()
        return numbers, files.untaken

    def stalled_seconds(self) -> float:
        """Give for how long the keeper, without which nothing goes on, has not looked at what is due."""
        return self._keeper.stalled_seconds() if self._keeper is not None else 0.0

    def wake(self) -> None:
        """Something new became due, or there is room for more."""
        if self._keeper is not None:
            self._keeper.wake.set()

    def stop(self) -> None:
        """Take nothing new, let what runs come to an end within the limit, and leave the rest to others.

        What did not come to its end begins anew at the next start, or on another machine.
        """
        self._stop.set()
        self.wake()
        if self.inbox is not None:
            self.inbox.wake()
        give_up_at = time.monotonic() + DRAIN_SECONDS
        for thread in self._threads:
            thread.join(timeout=max(give_up_at - time.monotonic(), 0.1))
        drained = self._engine is not None and self._drain(self._engine)
        self._deregister()
        if drained:
            self._close_executor()

    def _drain(self, engine: Executor) -> bool:
        running = engine.running_stages()
        if running:
            logger.info("Waiting up to {:.0f} s for {}.", DRAIN_SECONDS, _describe_stages(running))
        drained = engine.drain(DRAIN_SECONDS)
        if not drained:
            logger.warning("Left undone, to be begun anew: {}.", _describe_stages(engine.running_stages()))
        return drained

    def _close_executor(self) -> None:
        """Close the engine; it can't while its database is away, and would wait for that for ever."""
        if self._engine is not None:
            closing = threading.Thread(target=self._engine.stop, name="closing", daemon=True)
            closing.start()
            closing.join(CLOSING_SECONDS)

    def _deregister(self) -> None:
        self._left.set()
        if self._crew is None or self._crew_thread is None:
            return
        self._crew_thread.join(timeout=DRAIN_SECONDS)
        try:
            self._crew.deregister()
        except StateFolderError as error:
            logger.warning("{} Others take over in a moment, or the next start does.", error)

    def _run_retention(self, stop: threading.Event) -> None:
        """Make room at the start and every hour; what fails is tried again the next time."""
        while True:
            try:
                self.apply_retention()
            except Exception as fault:  # noqa: BLE001  # upkeep's edge: nothing else may suffer from it
                logger.opt(exception=True).debug("Upkeep failed")
                logger.warning("Old submissions were not tidied away ({}).", type(fault).__name__)
            if stop.wait(RETENTION_INTERVAL_SECONDS):
                return

    def apply_retention(self, engine_rows_seconds: float = EXECUTOR_ROWS_SECONDS) -> None:
        """Delete what is old and has ended, as far as it is asked for. Raises StateError, OSError."""
        delete_expired(self._shop, self._keep)
        if self._engine is not None:
            self._engine.delete_old_rows(engine_rows_seconds)

    def _finish_abandoned_claims(self) -> None:
        if self._watch:
            finish_abandoned_claims(self._shop.ledger, self._shop.share)

    def _start_thread(
        self, name: str, run: Callable[[threading.Event], None], stop: threading.Event
    ) -> threading.Thread:
        thread = threading.Thread(target=run, args=(stop,), name=name, daemon=True)
        thread.start()
        return thread


def _describe_stages(running: Sequence[str]) -> str:
    """Name stages that run: what is done, and for which submission."""
    stages = (stage.split(":") for stage in running)
    return ", ".join(f"submission {number} ({step})" for step, number, _turn in stages)
