"""The running service: engine, keeper and inbox, started and stopped together."""

import threading
from collections.abc import Callable
from pathlib import Path

from workflow.intake import ArrivalLimit, GateTimes, Inbox
from workflow.ledger import Ledger
from workflow.model import Submission
from workflow.pipeline.adoption import adopt
from workflow.pipeline.batch import submit_folder
from workflow.pipeline.desk import Desk
from workflow.pipeline.engine import Engine, EngineLimits
from workflow.pipeline.journey import Journey
from workflow.pipeline.keeper import Keeper
from workflow.pipeline.rules_in_force import RulesInForce
from workflow.pipeline.workshop import Workshop

DRAIN_SECONDS = 20
_NO_LIMIT = ArrivalLimit()


class Service:
    """One per process and per state folder; whoever makes it holds the instance lock."""

    def __init__(
        self,
        shop: Workshop,
        limits: EngineLimits,
        times: GateTimes,
        *,
        watch: bool = True,
        arrival_limit: ArrivalLimit = _NO_LIMIT,
    ) -> None:
        self._shop, self._limits, self._times, self._watch = shop, limits, times, watch
        self._arrival_limit = arrival_limit
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._engine: Engine | None = None
        self._keeper: Keeper | None = None
        self.inbox: Inbox | None = None

    def start(self) -> None:
        """Take up what a former run left, then begin."""
        shop = self._shop
        shop.spool.mkdir(parents=True, exist_ok=True)
        if self._watch and shop.share.is_there():
            adopt(shop.ledger, shop.share)
        stages = Journey(shop).stages()
        self._engine = Engine(str(shop.ledger.url), stages, self._limits)
        self._keeper = Keeper(shop, self._engine)
        self._begin("keeper", self._keeper.run)
        self._begin("rules", shop.rules.run)
        if self._watch:
            self.inbox = self._make_inbox()
            self._begin("inbox", self.inbox.run)

    def _make_inbox(self) -> Inbox:
        share, desk = self._shop.share, Desk(self._shop, self.wake, self._arrival_limit.files)
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

    def submissions(self) -> tuple[Submission, ...]:
        """Give all submissions, oldest first."""
        return self.ledger.all()[::-1]

    def submit_folder(self, folder: Path) -> list[int]:
        """Submit every part file of a folder from its place; gives the numbers. Raises ShareError."""
        numbers = []
        for number in submit_folder(self.ledger, folder, self._times):
            numbers.append(number)
            self.wake()
        return numbers

    def wake(self) -> None:
        """Something new became due."""
        if self._keeper is not None:
            self._keeper.wake.set()

    def stop(self) -> None:
        """Take nothing new, let what runs come to a safe point, and close."""
        self._stop.set()
        self.wake()
        for thread in self._threads:
            thread.join(timeout=DRAIN_SECONDS)
        if self._engine is not None:
            self._engine.stop(DRAIN_SECONDS)

    def _begin(self, name: str, run: Callable[[threading.Event], None]) -> None:
        thread = threading.Thread(target=run, args=(self._stop,), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()
