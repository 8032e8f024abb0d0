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

from workflow.errors import StateError
from workflow.ledger import Superseded, due_for, in_hands_of, take_due, take_over
from workflow.model import Step, Submission
from workflow.pipeline.clock import now
from workflow.pipeline.crew import Crew
from workflow.pipeline.engine import Engine
from workflow.pipeline.new_builds import NewBuilds
from workflow.pipeline.outcome import hold_if_deadly
from workflow.pipeline.skew import Skew
from workflow.pipeline.slicing import poll
from workflow.pipeline.workshop import Workshop

LOOK_SECONDS = 0.5
GATHER_SECONDS = 0.02
"""News comes in crowds: one look for all of them."""
AUDIT_SECONDS = 5.0
POLLS_AT_ONCE = 4
POLLS_AHEAD = 16
"""Questions that stand in line for the threads that ask."""
AFTER_A_FAULT = timedelta(minutes=5)
KINDS = ((Step.INTAKE,), (Step.DELIVER, Step.FINISH))
"""Stages that share a limit."""


@dataclass
class Keeper:
    """Keeps every submission moving that has something to do."""

    shop: Workshop
    engine: Engine
    crew: Crew
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
        self.new_builds = NewBuilds(self.shop, lambda: self.crew.among, self.wake.set, self.clock)

    def run(self, stop: threading.Event) -> None:
        """Look until told to stop."""
        with ThreadPoolExecutor(POLLS_AT_ONCE, thread_name_prefix="poll") as polls:
            while not stop.is_set():
                self._looked_at = self.clock()
                self._look_carefully(polls)
                if self.wake.wait(LOOK_SECONDS):
                    stop.wait(GATHER_SECONDS)
                self.wake.clear()
            self.new_builds.stop()

    def stands_still_seconds(self) -> float:
        """Give how long ago the last look began: much more than a second, and nothing goes on."""
        return max(self.clock() - self._looked_at, 0.0)

    def _look_carefully(self, polls: ThreadPoolExecutor) -> None:
        """A ledger that can't be reached is said once, and tried again."""
        try:
            due = due_for(self.shop.ledger, self.crew.me)
            for steps in KINDS:
                if not due.isdisjoint(steps):
                    self.begin_due(steps)
            self.new_builds.look(polls)
            if Step.POLL in due:
                self.ask_due(polls)
            if self.clock() - self._audited_at >= AUDIT_SECONDS:
                self._audited_at = self.clock()
                self.take_up_dropped()
                self._skew.look(self.shop.client.ahead_seconds)
            self._troubled = False
        except StateError as error:
            self._say_once(f"{error} Submissions wait until it can.")
        except Exception as fault:  # noqa: BLE001  # the keeper's edge: without it nothing would ever go on
            logger.opt(exception=True).debug("The keeper failed")
            self._say_once(f"The keeper failed ({type(fault).__name__}): it tries again.")

    def _say_once(self, sentence: str) -> None:
        if not self._troubled:
            logger.error("{}", sentence)
        self._troubled = True

    def begin_due(self, steps: tuple[Step, ...]) -> None:
        """Take stages that are due, no more than there is room for, and begin them."""
        for submission in take_due(self.shop.ledger, self.crew.me, steps, self.engine.room(steps[0])):
            self.engine.begin(submission)  # what is lost in between is seen as dropped

    def ask_due(self, polls: ThreadPoolExecutor) -> None:
        """Ask for due slice jobs, longest due first, a few at a time; hardly, while new builds tell more."""
        room = (1 if self.new_builds.reads() else POLLS_AHEAD) - len(self._asked)
        for submission in take_due(self.shop.ledger, self.crew.me, (Step.POLL,), room):
            self._asked.add((submission.id, submission.turn))
            polls.submit(self._ask, submission)

    def take_up_dropped(self) -> None:
        """Steps of workers that are gone begin anew, and steps of ours that nobody does, twice seen so."""
        for submission in take_over(self.shop.ledger):
            logger.info("Submission {} ({}) taken over.", submission.id, submission.path)
            hold_if_deadly(self.shop, submission)
        dropped = {
            (submission.id, submission.turn): submission
            for submission in in_hands_of(self.shop.ledger, self.crew.me)
            if not self._knows(submission)
        }
        for key in self._missed & dropped.keys():
            self._begin_anew(dropped[key])
        self._missed = set(dropped)
        self.adopt()

    def _knows(self, submission: Submission) -> bool:
        return self.engine.knows(submission) or (submission.id, submission.turn) in self._asked

    def _begin_anew(self, submission: Submission) -> None:
        try:
            self.shop.ledger.next_turn(submission, submission.step, now())
        except Superseded:
            return
        logger.info("Submission {} ({}) taken up again.", submission.id, submission.path)

    def _ask(self, submission: Submission) -> None:
        try:
            poll(self.shop, submission, self.new_builds.waiting.count)
        except (Superseded, StateError) as error:
            logger.debug("{}", error)
        except Exception:  # noqa: BLE001  # a fault of ours: this one is asked for later, all others now
            logger.opt(exception=True).error("A fault of stlflow while asking for a slice job")
            self.shop.ledger.change(submission, due_at=now() + AFTER_A_FAULT, worker=None)
        finally:
            self._asked.discard((submission.id, submission.turn))
            self.wake.set()
