"""New builds in the cloud tell which slice jobs have ended: one listing answers for many.

The cloud has no list of slice jobs; but where slicing makes a build, the list of builds shows it. A title
only tells which build to read first; what is in the build decides. Whatever no build tells, such as a slice
job that failed, is learnt by asking for each slice job, as if this were not here.
"""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import takewhile

from loguru import logger

from workflow.eiger import Build, BuildDetail, BuildFilter
from workflow.errors import CloudError, NotFound, StateError
from workflow.ledger import Parked, Superseded, go_on_with, parked, parked_among, parked_with
from workflow.model import State, Submission
from workflow.pipeline.builds import choose, holds
from workflow.pipeline.clock import now
from workflow.pipeline.patience import FEW_PARKED
from workflow.pipeline.slicing import signed
from workflow.pipeline.time_bounds import not_before
from workflow.pipeline.workshop import Workshop

PAGE_SIZE = 500
WHOLE_EVERY_SECONDS = 60.0
"""A build may show as sliced long after it was made: so often, for each page that this takes, all since the
oldest upload are listed."""
LATE_IN_LIST = timedelta(minutes=2)
"""Between two times of that, builds made since the newest one seen are listed, and a little more."""
STRANGERS_AT_ONCE = 10
"""Builds whose titles say nothing, read after one listing: each costs a request."""
AFTER_A_FAULT_SECONDS = 30.0
BUILDS_REMEMBERED = 20_000
NOBODY = Parked(0, None)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Builds that may hold one and the same part, and the submission that their titles name, if any does."""

    builds: tuple[Build, ...]
    submission: Submission | None = None


def sort_out(listed: Iterable[Build], waiting: Iterable[Submission]) -> tuple[Candidate, ...]:
    """Give what is worth reading: builds whose title names a waiting submission, then some of strangers.

    Titles that name a submission which does not wait, or another's, are passed over.
    """
    named, strangers = dict[int, list[Build]](), list[Build]()
    by_number = {submission.id: submission for submission in waiting}
    for build in listed:
        signature = signed(build.title)
        if signature is None:
            strangers.append(build)
        elif (known := by_number.get(signature[0])) and (known.sha256 or "").startswith(signature[1]):
            named.setdefault(known.id, []).append(build)
    likely = [Candidate(tuple(builds), by_number[number]) for number, builds in named.items()]
    return (*likely, *(Candidate((build,)) for build in strangers[:STRANGERS_AT_ONCE]))


@dataclass
class NewBuilds:
    """Lists new builds while many submissions wait for slicing, and lets those go on whose build is there."""

    shop: Workshop
    among: Callable[[], int] = lambda: 1
    """How many workers list in turn."""
    told: Callable[[], None] = lambda: None
    """Called when something may have become due."""
    clock: Callable[[], float] = time.monotonic
    waiting: Parked = NOBODY
    """What waits for slicing, as of the last look."""
    _due_at: float = float("-inf")
    _whole_at: float = float("-inf")
    _newest: datetime | None = None
    _looked_into: dict[str, datetime | None] = field(default_factory=dict)
    _open: int = 0
    _stopped: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def look(self, threads: Executor) -> None:
        """List new builds if it is time to, on one of the threads, and read them there. Raises StateError.

        What one listing told is read before the next.
        """
        if self._open or not self.is_due():
            return
        self._begin(threads, partial(self._look, threads))

    def reads(self) -> bool:
        """Tell whether builds are being listed or read that are worth more than questions one by one."""
        return self._open > 0

    def is_due(self) -> bool:
        """Tell whether to list now; looks into the ledger no more often than that. Raises StateError."""
        if self.clock() < self._due_at:
            return False
        self._rest(pages=1)
        self.waiting = parked(self.shop.ledger)
        return self.waiting.count > FEW_PARKED and self.waiting.since is not None

    def candidates(self) -> tuple[Candidate, ...]:
        """List new builds, and give those worth reading. Raises StateError.

        A list that breaks off is used as far as it came, and begun anew later.
        """
        whole, listed = self.clock() >= self._whole_at, list[Build]()
        since = self._since(whole=whole)
        newest_first = self.shop.client.list_builds(
            BuildFilter(sliced=True, created_from=since), order="desc", page_size=PAGE_SIZE
        )
        try:  # what came before a fault is kept
            listed.extend(
                takewhile(lambda build: not self._stopped and _is_since(build, since), newest_first)
            )
        except CloudError as error:
            logger.debug("The list of new builds broke off: {}", error)
            self._due_at = max(self._due_at, self.clock() + AFTER_A_FAULT_SECONDS)
        else:
            self._listed_all(listed, whole=whole)
        return self._worth_reading(listed[::-1])  # whoever waits longest first

    def look_into(self, candidate: Candidate) -> None:
        """Read builds, and let those go on whose part is in them. Raises CloudError, StateError."""
        read = [build for each in candidate.builds if (build := self._read(each)) and build.sliced]
        if candidate.submission is None:
            held = [version.id for build in read for version in build.part_versions]
            for submission in parked_with(self.shop.ledger, held):
                go_on(self.shop, submission, None)
        elif hits := [build for build in read if holds(build, candidate.submission.part_version_id or "")]:
            chosen = choose(hits)
            go_on(self.shop, candidate.submission, chosen if isinstance(chosen, BuildDetail) else None)
        self._remember(candidate.builds)

    def stop(self) -> None:
        """List and read nothing any more."""
        self._stopped = True

    # -- listing --------------------------------------------------------------------------------

    def _since(self, *, whole: bool) -> datetime:
        oldest = not_before(self.waiting.since or now())
        since = oldest if whole or self._newest is None else max(oldest, self._newest - LATE_IN_LIST)
        return since.replace(microsecond=0)

    def _listed_all(self, listed: Sequence[Build], *, whole: bool) -> None:
        made = [build.created_at for build in listed if build.created_at is not None]
        self._newest = max([*made, *([self._newest] if self._newest else [])], default=None)
        pages = 1 + len(listed) // PAGE_SIZE
        if whole:
            self._whole_at = self.clock() + WHOLE_EVERY_SECONDS * pages
        self._rest(pages)

    def _rest(self, pages: int) -> None:
        self._due_at = self.clock() + self.shop.patience.next_listing(pages, self.among())

    def _worth_reading(self, listed: Sequence[Build]) -> tuple[Candidate, ...]:
        fresh = [build for build in listed if build.sliced and not self._is_known(build)]
        numbers = {signature[0] for build in fresh if (signature := signed(build.title))}
        return sort_out(fresh, parked_among(self.shop.ledger, numbers))

    # -- reading --------------------------------------------------------------------------------

    def _read(self, listed: Build) -> BuildDetail | None:
        try:
            return self.shop.client.read_build(listed.id)
        except NotFound:  # deleted between the list and the look
            return None

    def _remember(self, looked_into: Iterable[Build]) -> None:
        """Read each only once, unless it changes."""
        if len(self._looked_into) >= BUILDS_REMEMBERED:
            self._looked_into.clear()
        self._looked_into.update({listed.id: listed.updated_at for listed in looked_into})

    def _is_known(self, listed: Build) -> bool:
        return listed.id in self._looked_into and self._looked_into[listed.id] == listed.updated_at

    # -- on other threads -----------------------------------------------------------------------

    def _look(self, threads: Executor) -> None:
        for candidate in self.candidates():
            self._begin(threads, partial(self.look_into, candidate))

    def _begin(self, threads: Executor, work: Callable[[], None]) -> None:
        with self._lock:
            self._open += 1
        try:
            threads.submit(self._carefully, work)
        except RuntimeError:  # the service stops
            self._ended()

    def _carefully(self, work: Callable[[], None]) -> None:
        """Nothing depends on this: what goes wrong here is learnt by asking one by one."""
        try:
            if not self._stopped:
                work()
        except (CloudError, StateError) as error:
            logger.debug("New builds: {}", error)
        except Exception:  # noqa: BLE001  # a fault of ours costs time, and nothing else
            logger.opt(exception=True).error("A fault of stlflow while looking at new builds")
        finally:
            self._ended()
            self.told()

    def _ended(self) -> None:
        with self._lock:
            self._open -= 1


def _is_since(build: Build, since: datetime) -> bool:
    """Tell whether a build is as new as was asked for; a list may go on beyond that, for no use."""
    return build.created_at is None or build.created_at >= since


def go_on(shop: Workshop, submission: Submission, build: BuildDetail | None) -> None:
    """Deliver what is sliced, for it lies in a sliced build; None leaves it to the next stage which one.

    Raises StateError.
    """
    age = now() - (submission.waiting_since or now())
    events = [("sliced", f"after {age.total_seconds():.0f} s, as a build in Eiger tells")]
    changes: dict[str, object] = {"state": State.SLICED, "waiting_since": now(), "tries": 0}
    if build is not None:
        events.append(("build found", f"{build.title} ({build.id})"))
        changes["build_id"] = build.id
        shop.catalog.remember_build(build)
    try:
        go_on_with(shop.ledger, submission, events, **changes)
    except Superseded as late:  # it was asked for one by one, or a person gave an order
        logger.debug("{}", late)
