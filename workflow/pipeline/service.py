"""The running service: engine, keeper and inbox, started and stopped together."""

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from loguru import logger

from workflow.errors import StateError
from workflow.intake import ArrivalLimit, GateTimes, Inbox
from workflow.ledger import Ledger
from workflow.model import Submission
from workflow.pipeline.adoption import adopt, settle_abandoned
from workflow.pipeline.batch import submit_folder
from workflow.pipeline.crew import Crew
from workflow.pipeline.desk import Desk
from workflow.pipeline.engine import Engine, EngineLimits
from workflow.pipeline.journey import Journey
from workflow.pipeline.keeper import Keeper
from workflow.pipeline.rules_in_force import RulesInForce
from workflow.pipeline.upkeep import ENGINE_ROWS_SECONDS, EVERY_SECONDS, Keep, retire, tidy_spool
from workflow.pipeline.workshop import Workshop

DRAIN_SECONDS = 20.0
CLOSING_SECONDS = 10.0
_NO_LIMIT = ArrivalLimit()
_KEEP_ALL = Keep()


class Service:
    """One per process and per state folder; whoever makes it holds the instance lock.

    `home` names the state folder, the same over restarts, among all that work on the ledger.
    """

    def __init__(
        self,
        shop: Workshop,
        home: str,
        limits: EngineLimits,
        times: GateTimes,
        *,
        watch: bool = True,
        arrival_limit: ArrivalLimit = _NO_LIMIT,
        keep: Keep = _KEEP_ALL,
    ) -> None:
        self._shop, self._home, self._limits, self._times, self._watch = shop, home, limits, times, watch
        self._arrival_limit, self._keep = arrival_limit, keep
        self._stop, self._left = threading.Event(), threading.Event()
        self._threads: list[threading.Thread] = []
        self._crew_thread: threading.Thread | None = None
        self._crew: Crew | None = None
        self._engine: Engine | None = None
        self._keeper: Keeper | None = None
        self.inbox: Inbox | None = None

    def start(self) -> None:
        """Take up what a former run left, then begin."""
        shop = self._shop
        shop.spool.mkdir(parents=True, exist_ok=True)
        tidy_spool(shop.ledger, shop.spool)
        self._crew = crew = Crew(shop.ledger, self._home, shop.client)
        self._crew_thread = self._begin("crew", crew.run, self._left)
        if self._watch and shop.share.is_there():
            adopt(shop.ledger, shop.share)
        stages = Journey(shop).stages()
        self._engine = Engine(str(shop.ledger.url), crew.me.name, stages, self._limits, self.wake)
        self._keeper = Keeper(shop, self._engine, crew, adopt=self._settle_abandoned)
        self._threads.append(self._begin("keeper", self._keeper.run, self._stop))
        self._threads.append(self._begin("upkeep", self._upkeep, self._stop))
        self._threads.append(self._begin("rules", shop.rules.run, self._stop))
        if self._watch:
            self.inbox = self._make_inbox(crew)
            self._threads.append(self._begin("inbox", self.inbox.run, self._stop))

    def _make_inbox(self, crew: Crew) -> Inbox:
        share, desk = self._shop.share, Desk(self._shop, crew, self.wake, self._arrival_limit.files)
        left = desk if share.left_inbox is not None else None
        return Inbox(share, desk, left=left, desk=desk, times=self._times, limit=self._arrival_limit)

    @property
    def rules(self) -> RulesInForce:
        """The rules that count, and what keeps a change of them from counting."""
        return self._shop.rules

    @property
    def ledger(self) -> Ledger:
        """The record of what the service does."""
        return self._shop.ledger

    @property
    def shop(self) -> Workshop:
        """The rooms that every step works with."""
        return self._shop

    def submissions(self) -> tuple[Submission, ...]:
        """Give all submissions, oldest first."""
        return self.ledger.all()[::-1]

    def submit_folder(self, folder: Path) -> list[int]:
        """Submit every part file of a folder from its place; gives the numbers. Raises ShareError."""
        numbers = []
        for number in submit_folder(self.ledger, self._home, folder, self._times):
            numbers.append(number)
            self.wake()
        return numbers

    def stands_still_seconds(self) -> float:
        """Give for how long the keeper, without which nothing goes on, has not looked at what is due."""
        return self._keeper.stands_still_seconds() if self._keeper is not None else 0.0

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
        self._leave()
        if drained:
            self._close_engine()

    def _drain(self, engine: Engine) -> bool:
        running = engine.running()
        if running:
            logger.info("Waiting up to {:.0f} s for {}.", DRAIN_SECONDS, _in_words(running))
        drained = engine.drain(DRAIN_SECONDS)
        if not drained:
            logger.warning("Left undone, to be begun anew: {}.", _in_words(engine.running()))
        return drained

    def _close_engine(self) -> None:
        """Close the engine; it can't while its database is away, and would wait for that for ever."""
        if self._engine is not None:
            closing = threading.Thread(target=self._engine.stop, name="closing", daemon=True)
            closing.start()
            closing.join(CLOSING_SECONDS)

    def _leave(self) -> None:
        self._left.set()
        if self._crew is None or self._crew_thread is None:
            return
        self._crew_thread.join(timeout=DRAIN_SECONDS)
        try:
            self._crew.leave()
        except StateError as error:
            logger.warning("{} Others take over in a moment, or the next start does.", error)

    def _upkeep(self, stop: threading.Event) -> None:
        """Make room at the start and every hour; what fails is tried again the next time."""
        while True:
            try:
                self.make_room()
            except Exception as fault:  # noqa: BLE001  # upkeep's edge: nothing else may suffer from it
                logger.opt(exception=True).debug("Upkeep failed")
                logger.warning("Old submissions were not tidied away ({}).", type(fault).__name__)
            if stop.wait(EVERY_SECONDS):
                return

    def make_room(self, engine_rows_seconds: float = ENGINE_ROWS_SECONDS) -> None:
        """Delete what is old and has ended, as far as it is asked for. Raises StateError, OSError."""
        retire(self._shop, self._keep)
        if self._engine is not None:
            self._engine.tidy(engine_rows_seconds)

    def _settle_abandoned(self) -> None:
        if self._watch:
            settle_abandoned(self._shop.ledger, self._shop.share)

    def _begin(
        self, name: str, run: Callable[[threading.Event], None], stop: threading.Event
    ) -> threading.Thread:
        thread = threading.Thread(target=run, args=(stop,), name=name, daemon=True)
        thread.start()
        return thread


def _in_words(running: Sequence[str]) -> str:
    """Name stages that run: what is done, and for which submission."""
    stages = (stage.split(":") for stage in running)
    return ", ".join(f"submission {number} ({step})" for step, number, _turn in stages)
