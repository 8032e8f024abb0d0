"""Pictures of held and rejected meshes, beside their notes: where the holes are is seen, not read.

One thread draws them, one at a time, in an inspecting process of its own that ends when nothing is left to
draw. A picture is a help, never a duty: what takes too long or too much is left out, and so are the pictures
of a crowd beyond a limit.
"""

import threading
import time
from collections.abc import Collection
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

DRAWING_LIMITS = InspectionLimits(seconds=60, memory_mb=512)
MAX_WAITING = 100
"""Of a crowd, the first ones get a picture."""
MAX_PICTURES = 500
"""So many may be in held/ and rejected/ together: some 50 MB."""
MAX_FILE_BYTES = 200 * 2**20
MAX_PICTURE_BYTES = 2 * 2**20
IDLE_SECONDS = 30.0
GATHER_SECONDS = 0.5
"""Stages end many at once: one query tells which of their files need a picture."""
_REST_PER_WORK = 3
_LONGEST_REST_SECONDS = 60.0


@dataclass
class Pictures:
    """Draws the pictures of submissions that were held or rejected for their mesh; `of_all`, of each one."""

    context: Context
    of_all: bool = False
    most: int = MAX_PICTURES
    _waiting: set[int] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _wake: threading.Event = field(default_factory=threading.Event)
    _inspector: Inspector | None = None

    def add(self, number: int) -> None:
        """Draw the picture of a submission if it needs one. Returns at once."""
        with self._lock:
            if len(self._waiting) < MAX_WAITING:
                self._waiting.add(number)
        self._wake.set()

    def wake(self) -> None:
        """End at once what is being drawn, if the service stops."""
        self._wake.set()
        if (inspector := self._inspector) is not None:
            inspector.close()

    def run(self, stop: threading.Event) -> None:
        """Draw until `stop` is set."""
        self._add_held()
        try:
            while not stop.is_set():
                if not self._wake.wait(IDLE_SECONDS):
                    self._close()
                stop.wait(GATHER_SECONDS)
                self._wake.clear()
                for number in self._needing(self._take()):
                    began = time.monotonic()
                    drawn = self.draw(number)
                    rest = _REST_PER_WORK * (time.monotonic() - began) if drawn else 0.0
                    if stop.wait(min(rest, _LONGEST_REST_SECONDS)):
                        return
        finally:
            self._close()

    def _add_held(self) -> None:
        """What was held while the service was stopped may have no picture yet."""
        try:
            for submission in self.context.ledger.all([SubmissionState.HELD], MAX_WAITING):
                self.add(submission.id)
        except StateFolderError as error:
            logger.debug("No pictures yet: {}", error)

    def _take(self) -> Collection[int]:
        with self._lock:
            taken, self._waiting = sorted(self._waiting), set()
        return taken

    def _needing(self, numbers: Collection[int]) -> Collection[int]:
        """Return those that need a picture: hardly any does."""
        try:
            found = self.context.ledger.among(numbers)
        except StateFolderError as error:
            logger.debug("No pictures: {}", error)
            return ()
        return [each.id for each in found if needs_picture(each, of_all=self.of_all)]

    def draw(self, number: int) -> bool:
        """Draw the picture of a submission, if it needs one and there is room; True if it was drawn."""
        try:
            return catch_faults(
                partial(self._draw_if_there, number),
                partial(_log_fault, number),
                but=(OSError, InspectionFailed, StateFolderError),
            )
        except (OSError, InspectionFailed, StateFolderError) as error:
            logger.debug("No picture of submission {}: {}", number, error_reason(error))
        return False

    def _draw_if_there(self, number: int) -> bool:
        submission = next(iter(self.context.ledger.among([number])), None)
        return submission is not None and self._draw(submission)

    def _draw(self, submission: Submission) -> bool:
        """Draw the mesh of a submission beside its note. Raises OSError, InspectionFailed."""
        if not needs_picture(submission, of_all=self.of_all):
            return False
        root = self.context.share.root
        note_of = root / ((submission.placed_as if submission.left_in_place else submission.claimed_as) or "")
        place = picture_path(note_of)
        if place.exists() or not self._has_room():
            return False
        self._inspector = self._inspector or Inspector(limits=DRAWING_LIMITS)
        drawn = self.context.spool / f"{submission.id}.png"
        try:
            self._inspector.draw(self.context.source(submission), drawn)
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

    def _close(self) -> None:
        if self._inspector is not None:
            self._inspector.close()
        self._inspector = None


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
