"""New builds in the cloud show which slice jobs have ended: one listing answers for many.

The cloud has no list of slice jobs. But slicing makes a build, and the list of builds shows it. A title only
says which build to read first; what is in the build decides. What no build shows, such as a slice job that
failed, is found by polling each slice job, as if this module did not exist.
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
from workflow.errors import CloudError, StateFolderError, catch_faults
from workflow.frozen import frozen
from workflow.ledger import (
    Superseded,
    count_waiting_for_slicing,
    filter_waiting_for_slicing,
    find_oldest_upload,
    find_waiting_by_part_version,
    start_delivery,
)
from workflow.model import EventKind, Submission, SubmissionChanges, SubmissionState
from workflow.pipeline.build_search import holds_part_version, read_build_if_present
from workflow.pipeline.context import Context, now
from workflow.pipeline.find_build import choose_build
from workflow.pipeline.retry import MAX_SINGLE_POLLS
from workflow.pipeline.time_bounds import not_before
from workflow.pipeline.upload import parse_signature

PAGE_SIZE = 500
FULL_LISTING_SECONDS = 60.0
"""A build may show as sliced long after it was made: so often, for each page that this takes, all since the
oldest upload are listed."""
LISTING_OVERLAP = timedelta(minutes=2)
"""Between two times of that, builds made since the newest one seen are listed, and a little more."""
MAX_UNNAMED_BUILDS = 10
"""Builds whose titles say nothing, read after one listing: each costs a request."""
RETRY_AFTER_FAULT_SECONDS = 30.0
MAX_REMEMBERED_BUILDS = 20_000


@frozen
class BuildCandidate:
    """Builds that may hold one and the same part, and the submission that their titles name, if any does."""

    builds: tuple[Build, ...]
    submission: Submission | None = None


def select_candidates(listed: Iterable[Build], waiting: Iterable[Submission]) -> tuple[BuildCandidate, ...]:
    """Return builds worth reading: those whose title names a waiting submission, then some with other titles.

    Builds whose title names a submission that does not wait, or another ledger's, are skipped.
    """
    named, strangers = dict[int, list[Build]](), list[Build]()
    by_number = {submission.id: submission for submission in waiting}
    for build in listed:
        signature = parse_signature(build.title)
        if signature is None:
            strangers.append(build)
        elif (known := by_number.get(signature[0])) and (known.sha256 or "").startswith(signature[1]):
            named.setdefault(known.id, []).append(build)
    likely = [BuildCandidate(tuple(builds), by_number[number]) for number, builds in named.items()]
    return (*likely, *(BuildCandidate((build,)) for build in strangers[:MAX_UNNAMED_BUILDS]))


@dataclass
class SliceListing:
    """Lists new builds while many submissions wait for slicing, and delivers those whose build is there."""

    context: Context
    among: Callable[[], int] = lambda: 1
    """Returns how many workers list in turn."""
    told: Callable[[], None] = lambda: None
    """Called when something may have become due."""
    clock: Callable[[], float] = time.monotonic
    waiting_count: int = 0
    """How many wait for slicing, as of the last check."""
    _due_at: float = float("-inf")
    _whole_at: float = float("-inf")
    _oldest_upload: datetime | None = None
    _newest: datetime | None = None
    _looked_into: dict[str, datetime | None] = field(default_factory=dict)
    _open: int = 0
    _stopped: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def list_if_due(self, threads: Executor) -> None:
        """List new builds if that is due, and read them, on the threads. Raises StateFolderError.

        The builds of one listing are read before the next listing.
        """
        if self._open or not self.is_due():
            return
        self._submit_work(threads, partial(self._list_and_read, threads))

    def reads(self) -> bool:
        """True while builds are listed or read: they answer for more submissions than single polls do."""
        return self._open > 0

    def is_due(self) -> bool:
        """True if a listing is due and enough submissions wait. Raises StateFolderError."""
        if self.clock() < self._due_at:
            return False
        self._schedule_next_listing(pages=1)
        self.waiting_count = count_waiting_for_slicing(self.context.ledger)
        return self.has_many()

    def has_many(self) -> bool:
        """True if more wait than are polled one by one, as of the last check."""
        return self.waiting_count > MAX_SINGLE_POLLS

    def list_candidates(self) -> tuple[BuildCandidate, ...]:
        """List new builds, and return those worth reading. Raises StateFolderError.

        When a list breaks off, the part that arrived is used, and it is listed again later.
        """
        whole, listed = self.clock() >= self._whole_at, list[Build]()
        since = self._since(whole=whole)
        newest_first = self.context.client.list_builds(
            BuildFilter(sliced=True, created_from=since), order="desc", page_size=PAGE_SIZE
        )
        try:  # what came before a fault is kept
            listed.extend(
                takewhile(lambda build: not self._stopped and _is_since(build, since), newest_first)
            )
        except CloudError as error:
            logger.debug("The list of new builds broke off: {}", error)
            self._due_at = max(self._due_at, self.clock() + RETRY_AFTER_FAULT_SECONDS)
        else:
            self._note_complete_listing(listed, whole=whole)
        return self._select_unread(listed[::-1])  # the longest wait first

    def read_candidate(self, candidate: BuildCandidate) -> None:
        """Read builds, and deliver submissions whose part is in one. Raises CloudError, StateFolderError."""
        listed = (read_build_if_present(self.context.client, each.id) for each in candidate.builds)
        read = [build for build in listed if build is not None and build.sliced]
        if candidate.submission is None:
            held = [version.id for build in read for version in build.part_versions]
            for submission in find_waiting_by_part_version(self.context.ledger, held):
                finish_slicing(self.context, submission, None)
        elif hits := [
            build for build in read if holds_part_version(build, candidate.submission.part_version_id or "")
        ]:
            chosen = choose_build(hits)
            finish_slicing(
                self.context, candidate.submission, chosen if isinstance(chosen, BuildDetail) else None
            )
        self._mark_read(candidate.builds)

    def stop(self) -> None:
        """List and read nothing from now on."""
        self._stopped = True

    # -- listing --------------------------------------------------------------------------------

    def _since(self, *, whole: bool) -> datetime:
        if whole or self._oldest_upload is None:
            self._oldest_upload = find_oldest_upload(self.context.ledger)
        oldest = not_before(self._oldest_upload or now())
        since = oldest if whole or self._newest is None else max(oldest, self._newest - LISTING_OVERLAP)
        return since.replace(microsecond=0)

    def _note_complete_listing(self, listed: Sequence[Build], *, whole: bool) -> None:
        made = [build.created_at for build in listed if build.created_at is not None]
        self._newest = max([*made, *([self._newest] if self._newest else [])], default=None)
        pages = 1 + len(listed) // PAGE_SIZE
        if whole:
            self._whole_at = self.clock() + FULL_LISTING_SECONDS * pages
        self._schedule_next_listing(pages)

    def _schedule_next_listing(self, pages: int) -> None:
        self._due_at = self.clock() + self.context.retry_schedule.listing_delay(pages, self.among())

    def _select_unread(self, listed: Sequence[Build]) -> tuple[BuildCandidate, ...]:
        fresh = [build for build in listed if build.sliced and not self._is_known(build)]
        numbers = {signature[0] for build in fresh if (signature := parse_signature(build.title))}
        return select_candidates(fresh, filter_waiting_for_slicing(self.context.ledger, numbers))

    # -- reading --------------------------------------------------------------------------------

    def _mark_read(self, looked_into: Iterable[Build]) -> None:
        """Read each only once, unless it changes."""
        if len(self._looked_into) >= MAX_REMEMBERED_BUILDS:
            self._looked_into.clear()
        self._looked_into.update({listed.id: listed.updated_at for listed in looked_into})

    def _is_known(self, listed: Build) -> bool:
        return listed.id in self._looked_into and self._looked_into[listed.id] == listed.updated_at

    # -- on other threads -----------------------------------------------------------------------

    def _list_and_read(self, threads: Executor) -> None:
        for candidate in self.list_candidates():
            self._submit_work(threads, partial(self.read_candidate, candidate))

    def _submit_work(self, threads: Executor, work: Callable[[], None]) -> None:
        with self._lock:
            self._open += 1
        try:
            threads.submit(self._run_safely, work)
        except RuntimeError:  # the service stops
            self._ended()

    def _run_safely(self, work: Callable[[], None]) -> None:
        """Run some work; if it fails, polling each slice job still finds what it would have found."""
        try:
            if not self._stopped:
                catch_faults(work, _log_fault, but=(CloudError, StateFolderError))
        except (CloudError, StateFolderError) as error:
            logger.debug("New builds: {}", error)
        finally:
            self._ended()
            self.told()

    def _ended(self) -> None:
        with self._lock:
            self._open -= 1


def _log_fault(fault: Exception) -> None:
    logger.opt(exception=fault).error("A fault of stlflow while listing new builds")


def _is_since(build: Build, since: datetime) -> bool:
    """True if a build is as new as was asked for; a list may continue with older ones."""
    return build.created_at is None or build.created_at >= since


def finish_slicing(context: Context, submission: Submission, build: BuildDetail | None) -> None:
    """Start the delivery of a submission whose part is in a sliced build. Raises StateFolderError.

    Without a build, the next stage decides which one it is.
    """
    age = now() - (submission.waiting_since or now())
    events = [(EventKind.SLICED, f"after {age.total_seconds():.0f} s, as a build in Eiger tells")]
    changes: SubmissionChanges = {"state": SubmissionState.SLICED, "waiting_since": now(), "tries": 0}
    if build is not None:
        events.append((EventKind.BUILD_FOUND, f"{build.title} ({build.id})"))
        changes["build_id"] = build.id
        context.catalog.cache_build(build)
    try:
        start_delivery(context.ledger, submission, events, **changes)
    except Superseded as late:  # a poll found it first, or a person gave a command
        logger.debug("{}", late)
