"""Pictures of held and rejected meshes, beside their notes: where the holes are is seen, not read.

One thread draws them, one at a time, in an inspecting process of its own that ends when nothing is left to
draw. A picture is a help, never a duty: what takes too long or too much is left out, and so are the pictures
of a crowd beyond a limit. The same thread draws the thumbnails, the newest first.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path

from loguru import logger

from workflow.errors import InspectionFailed, StateFolderError, catch_faults, error_reason
from workflow.intake import Outcome
from workflow.mesh import InspectionLimits, Inspector
from workflow.model import HoldReason, Submission, SubmissionState
from workflow.notes import picture_path, write_picture
from workflow.pipeline.context import Context
from workflow.pipeline.thumbnails import (
    needs_thumbnail,
    remove_old_thumbnails,
    thumbnail_path,
    write_thumbnail,
)

DRAWING_LIMITS = InspectionLimits(seconds=60, memory_mb=512)
MAX_HELD_AT_START, MAX_RECENT_AT_START = 100, 50
"""So many that an earlier run left without a picture get one."""
MAX_WAITING = 1000
"""More are forgotten, the oldest first."""
MAX_PICTURES = 500
"""So many may be in held/ and rejected/ together: some 50 MB."""
MAX_FILE_BYTES = 200 * 2**20
MAX_PICTURE_BYTES = 2 * 2**20
IDLE_SECONDS = 30.0
GATHER_SECONDS = 0.5
"""Stages end many at once: one query tells which of their files need a picture."""
THUMBNAILS_AT_ONCE = 25
"""So many are drawn before newer ones are asked for."""
BURST_NEWS, BURST_SECONDS = 15, 3.0
"""While stages end more often than this, the processor is theirs and no thumbnail is drawn."""
_REST_PER_PICTURE, _REST_PER_THUMBNAIL = 3.0, 8.0
"""The thread rests this many times as long as it drew."""
_LONGEST_REST_SECONDS = 60.0
_MAX_UNDRAWABLE = 1000
Draw = Callable[[Submission], bool]
"""Draws a picture of a submission if it needs one; True if it did."""


@dataclass
class Pictures:
    """Draws the pictures of submissions that were held or rejected for their mesh; `of_all`, of each one.

    `thumbnails` is the folder for those of all parts; None for none. `beside_notes` False: no other pictures.
    `on_thumbnail` is called with the number of the submission of each that was drawn.
    """

    context: Context
    of_all: bool = False
    most: int = MAX_PICTURES
    thumbnails: Path | None = None
    beside_notes: bool = True
    on_thumbnail: Callable[[int], None] = lambda _number: None
    clock: Callable[[], float] = time.monotonic
    _for_picture: set[int] = field(default_factory=set)
    _for_thumbnail: set[int] = field(default_factory=set)
    _undrawable: set[Path] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _wake: threading.Event = field(default_factory=threading.Event)
    _news_at: deque[float] = field(default_factory=lambda: deque(maxlen=BURST_NEWS))
    _inspector: Inspector | None = None

    def add(self, number: int) -> None:
        """Draw the pictures of a submission that it needs. Returns at once."""
        with self._lock:
            self._news_at.append(self.clock())
            for waiting in (self._for_picture, self._for_thumbnail):
                waiting.add(number)
                if len(waiting) > MAX_WAITING:
                    waiting.remove(min(waiting))
        self._wake.set()

    def wake(self) -> None:
        """End at once what is being drawn, if the service stops."""
        self._wake.set()
        if (inspector := self._inspector) is not None:
            inspector.close()

    def run(self, stop: threading.Event) -> None:
        """Draw until `stop` is set."""
        self._add_earlier()
        try:
            while not stop.is_set():
                if not self._wake.wait(IDLE_SECONDS):
                    self._close()
                stop.wait(BURST_SECONDS if self._is_burst() else GATHER_SECONDS)
                self._wake.clear()
                for draw, number, rest_per_work in self._next_round():
                    began, had_process = time.monotonic(), self._inspector is not None
                    drawn = self._draw_safely(draw, number)
                    rest = rest_per_work * (time.monotonic() - began) if drawn and had_process else 0.0
                    if stop.wait(min(rest, _LONGEST_REST_SECONDS)):
                        return
        finally:
            self._close()

    def _add_earlier(self) -> None:
        """What was held, or taken by another release, while the service was stopped may have no picture."""
        try:
            for submission in self.context.ledger.all([SubmissionState.HELD], MAX_HELD_AT_START):
                self.add(submission.id)
            if self.thumbnails is not None:
                for submission in self.context.ledger.all((), MAX_RECENT_AT_START):
                    self.add(submission.id)
        except StateFolderError as error:
            logger.debug("No pictures yet: {}", error)

    def _next_round(self) -> Sequence[tuple[Draw, int, float]]:
        """Return what to draw now, the newest first: thumbnails, and one picture, which takes longer."""
        most = 0 if self._is_burst() else THUMBNAILS_AT_ONCE
        with self._lock:
            small = sorted(self._for_thumbnail, reverse=True)[:most]
            self._for_thumbnail.difference_update(small)
            large, self._for_picture = self._for_picture, set()
        needed = [each.id for each in self._read(large) if needs_picture(each, of_all=self.of_all)][::-1]
        with self._lock:
            self._for_picture.update(needed[1:])
            if self._for_picture or self._for_thumbnail:
                self._wake.set()
        thumbnails = [(self._draw_thumbnail, number, _REST_PER_THUMBNAIL) for number in small]
        return thumbnails + [(self._draw, number, _REST_PER_PICTURE) for number in needed[:1]]

    def _is_burst(self) -> bool:
        with self._lock:
            news = self._news_at
            return len(news) == BURST_NEWS and self.clock() - news[0] < BURST_SECONDS

    def _read(self, numbers: Collection[int]) -> Sequence[Submission]:
        try:
            return self.context.ledger.among(numbers) if self.beside_notes else ()
        except StateFolderError as error:
            logger.debug("No pictures: {}", error)
            return ()

    def draw(self, number: int) -> bool:
        """Draw the picture of a submission, if it needs one and there is room; True if it was drawn."""
        return self._draw_safely(self._draw, number)

    def _draw_safely(self, draw: Draw, number: int) -> bool:
        try:
            return catch_faults(
                partial(self._draw_if_there, draw, number),
                partial(_log_fault, number),
                but=(OSError, InspectionFailed, StateFolderError),
            )
        except (OSError, InspectionFailed, StateFolderError) as error:
            logger.debug("No picture of submission {}: {}", number, error_reason(error))
        return False

    def _draw_if_there(self, draw: Draw, number: int) -> bool:
        submission = next(iter(self.context.ledger.among([number])), None)
        return submission is not None and draw(submission)

    def _draw_thumbnail(self, submission: Submission) -> bool:
        """Draw a part, from the private copy while there is one. Raises OSError, InspectionFailed."""
        if self.thumbnails is None or not needs_thumbnail(self.thumbnails, submission):
            return False
        place, private = thumbnail_path(self.thumbnails, submission), self.context.spool_path(submission)
        if place is None or place in self._undrawable:
            return False
        source = private if private.exists() else self.context.source(submission)
        try:
            drawn = write_thumbnail(self._drawing_inspector(), source, place)
        except InspectionFailed:
            self._undrawable = (
                {place, *self._undrawable} if len(self._undrawable) < _MAX_UNDRAWABLE else {place}
            )
            raise
        remove_old_thumbnails(self.thumbnails)
        self.on_thumbnail(submission.id)
        return drawn

    def _draw(self, submission: Submission) -> bool:
        """Draw the mesh of a submission beside its note. Raises OSError, InspectionFailed."""
        if not needs_picture(submission, of_all=self.of_all):
            return False
        root = self.context.share.root
        note_of = root / ((submission.placed_as if submission.left_in_place else submission.claimed_as) or "")
        place = picture_path(note_of)
        if place.exists() or not self._has_room():
            return False
        drawn = self.context.spool / f"{submission.id}.png"
        try:
            self._drawing_inspector().draw(self.context.source(submission), drawn)
            content = drawn.read_bytes()
        finally:
            drawn.unlink(missing_ok=True)
        if len(content) <= MAX_PICTURE_BYTES:
            write_picture(place, content)
            logger.debug("Picture {} written.", place.name)
        return True

    def _has_room(self) -> bool:
        folders = (self.context.share.root / outcome for outcome in (Outcome.HELD, Outcome.REJECTED))
        pictures = (found for folder in folders for found in folder.rglob("*.stl.png"))
        return sum(1 for _ in islice(pictures, self.most)) < self.most

    def _drawing_inspector(self) -> Inspector:
        self._inspector = self._inspector or Inspector(limits=DRAWING_LIMITS)
        return self._inspector

    def _close(self) -> None:
        if self._inspector is not None:
            self._inspector.close()
        self._inspector = None


def wanted_pictures(context: Context) -> Pictures | None:
    """Return what draws the pictures that the settings ask for; None for none."""
    kind, thumbnails = context.pictures, context.thumbnails
    if kind == "none" and thumbnails is None:
        return None
    return Pictures(context, of_all=kind == "all", thumbnails=thumbnails, beside_notes=kind != "none")


def needs_picture(submission: Submission, *, of_all: bool = False) -> bool:
    """True for a file in its outcome folder whose mesh can be drawn and is why it was held or rejected."""
    mesh = submission.mesh
    is_small = (submission.size or 0) <= MAX_FILE_BYTES
    if mesh is None or not mesh.triangles or not any(mesh.size_mm) or not is_small:
        return False
    place = Path((submission.placed_as if submission.left_in_place else submission.claimed_as) or "")
    if place.parts[:1] == ("processing",):
        return False
    was_rejected = submission.state is SubmissionState.REJECTED and mesh.verdict == "reject"
    was_held = submission.state is SubmissionState.HELD and submission.hold is HoldReason.MESH
    return of_all or was_held or was_rejected


def _log_fault(number: int, fault: Exception) -> bool:
    logger.opt(exception=fault).debug("No picture of submission {}", number)
    logger.warning("No picture of submission {} ({}).", number, type(fault).__name__)
    return False
