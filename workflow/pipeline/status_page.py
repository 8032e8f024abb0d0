"""Keeps the status page in the share up to date: when something has changed, and at least every minute.

One thread writes it, behind the pipeline. Of several workers on one database, the first writes; when it is
gone, the next one is the first.
"""

import os
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

from loguru import logger

from workflow.errors import CloudError, ShareError, StlflowError, catch_faults, error_reason
from workflow.intake import APPROVED_FOLDER, Inbox, Outcome, Share
from workflow.notes import STATUS_PAGE_MARK, StatusPage, status_page_html
from workflow.pipeline.context import Context, now
from workflow.pipeline.status_view import read_status_page, without_times
from workflow.pipeline.thumbnails import needs_thumbnail

WRITE_SECONDS = 60.0
"""The longest time between two pages; the page takes thrice as much for a sign that nobody writes."""
GATHER_SECONDS = 2.0
"""Changes that come together are one page."""
ASK_EIGER_SECONDS = 300.0
"""If nothing else asked Eiger for so long, it is asked for its printers."""
CHECK_SECONDS = 10.0
"""How often the page is compared with the last one, if nothing was heard of."""
_REST_PER_WORK = 100
_LONGEST_REST_SECONDS = 20.0
_OWN_FOLDERS = frozenset({"inbox", "processing", APPROVED_FOLDER, *Outcome})
_HEAD_BYTES = 200


def status_page_place(setting: str, share: Share) -> Path | None:
    """Return where the page is written; None for nowhere. Raises ShareError for a place that can't be."""
    if setting.casefold() == "off":
        return None
    place = share.root / Path(setting).expanduser()
    inside = place.relative_to(share.root).parts if place.is_relative_to(share.root) else ()
    is_in_inbox = share.left_inbox is not None and place.is_relative_to(share.left_inbox)
    if (inside and inside[0] in _OWN_FOLDERS) or is_in_inbox:
        raise ShareError(f"Setting status_page: {place} is in a folder for parts. Name a file beside inbox/.")
    if place.is_dir():
        raise ShareError(f"Setting status_page: {place} is a folder. Name a file in it, such as STATUS.html.")
    return place


def is_status_page(place: Path) -> bool:
    """True for a page that stlflow has written, also for one that a power cut left empty. Raises OSError."""
    if not place.is_file() or place.is_symlink():
        return False
    if not place.stat().st_size:
        return True
    with place.open("rb") as file:
        return STATUS_PAGE_MARK.encode() in file.read(_HEAD_BYTES)


def write_status_page(place: Path, text: str) -> None:
    """Write the page whole or not at all. Raises FileExistsError for another's file there, OSError."""
    if os.path.lexists(place) and not is_status_page(place):
        raise FileExistsError(
            f"{place} is not a page of stlflow. Rename it, or set status_page to another place"
        )
    unfinished = place.with_name(f".stlflow-{secrets.token_hex(4)}.tmp")
    try:
        unfinished.write_text(text, "utf-8", errors="replace", newline="\n")
        unfinished.replace(place)
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)


class WorkerPlace(Protocol):
    """This process among the workers: how many there are, and whether it is the first."""

    among: int
    is_first: bool


@dataclass
class StatusPageWriter:
    """Writes the page at `place`, if this is the first of the `workers` on the ledger."""

    context: Context
    place: Path
    workers: WorkerPlace
    inbox: Callable[[], Inbox | None]
    clock: Callable[[], float] = time.monotonic
    draw: Callable[[int], None] = lambda _number: None
    """Is asked for the thumbnail of a submission that another machine took: it has drawn it for itself."""
    _asked: set[int] = field(default_factory=set)
    _wake: threading.Event = field(default_factory=threading.Event)
    _written: StatusPage | None = None
    _next_write: float = float("-inf")
    _next_question: float = float("-inf")
    _is_told: bool = False

    def add(self, _number: int) -> None:
        """Write the page soon: a submission has changed. Returns at once."""
        self._wake.set()

    def wake(self) -> None:
        """Let the thread see that the service stops."""
        self._wake.set()

    def run(self, stop: threading.Event) -> None:
        """Write pages until `stop` is set, and then that stlflow is stopped."""
        while not stop.is_set():
            worked = time.thread_time()
            catch_faults(self._write, self._report_fault)
            worked = time.thread_time() - worked
            if stop.wait(min(max(_REST_PER_WORK * worked, GATHER_SECONDS), _LONGEST_REST_SECONDS)):
                break
            self._wake.wait(CHECK_SECONDS)
            self._wake.clear()
        catch_faults(partial(self._write, stopped=True), self._report_fault)

    def _write(self, *, stopped: bool = False) -> None:
        """Write the page if it has news or is due; what fails is said once and tried again."""
        try:
            is_writer = self.workers.is_first and not (stopped and self.workers.among > 1)
            if not (is_writer and self._can_write()):
                return
            page = read_status_page(self.context, self.inbox(), stopped=stopped)
            self._ask_for_thumbnails(page)
            news = without_times(page)
            if news != self._written or self.clock() >= self._next_write:
                write_status_page(self.place, status_page_html(page, self.context.zone, self.context.ways))
                self._written, self._next_write = news, self.clock() + WRITE_SECONDS
                self._is_told = False
            self._ask_eiger(stopped=stopped)
        except (OSError, StlflowError) as error:
            self._report(error_reason(error))

    def _ask_for_thumbnails(self, page: StatusPage) -> None:
        """Have the missing thumbnails drawn, each once."""
        folder, shown = self.context.thumbnails, (*page.undecided, *page.recent)
        missing = {row.submission.id: row.submission for row in shown if row.thumbnail is None}
        for number in missing.keys() - self._asked:
            if folder is not None and needs_thumbnail(folder, missing[number]):
                self._asked.add(number)
                self.draw(number)
        self._asked &= missing.keys()

    def _can_write(self) -> bool:
        """False while the share is away: an empty mount point gets no page."""
        share = self.context.share
        return not self.place.is_relative_to(share.root) or share.is_reachable()

    def _ask_eiger(self, *, stopped: bool) -> None:
        """List the printers if nothing else has asked Eiger for a while."""
        answered_at = self.context.client.vitals().answered_at or 0.0
        is_recent = now().timestamp() - answered_at < ASK_EIGER_SECONDS
        if stopped or is_recent or self.clock() < self._next_question:
            return
        self._next_question = self.clock() + ASK_EIGER_SECONDS
        with suppress(CloudError):  # the page says so
            self.context.catalog.devices()

    def _report(self, trouble: str) -> None:
        """Say once what fails, until a page is written again."""
        if not self._is_told:
            logger.warning("The status page is not written: {}.", trouble.rstrip("."))
        self._is_told, self._next_write = True, self.clock() + WRITE_SECONDS

    def _report_fault(self, fault: Exception) -> None:
        logger.opt(exception=fault).debug("The status page failed")
        self._report(f"a fault of stlflow itself ({type(fault).__name__})")
