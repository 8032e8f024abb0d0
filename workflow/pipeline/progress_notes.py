"""Notes about files that are worked on, beside the place in the inbox where each was dropped.

Those about files of a read-only inbox are in processing/, with the number of the submission in the name.
One thread writes them, behind the pipeline and never in it: it is told which submissions have moved on, reads
their rows, and writes what is news. After each round it rests many times as long as it worked, so that the
notes of a thousand files at once take little of the machine; a file that ends meanwhile never gets one.

Where several workers share a database, one of them writes the notes of all: two would each write their own.
"""

import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from loguru import logger

from workflow.errors import StateFolderError, catch_faults, error_reason
from workflow.intake import (
    in_place_note_path,
    make_outcome_folders,
    open_folder,
    paths_below,
    remove_empty_folders,
)
from workflow.model import Submission
from workflow.notes import (
    note_path,
    note_title,
    remove_titled_note,
    submission_in_progress,
    title_of_note,
    untouched_note_text,
    write_note,
)
from workflow.pipeline.context import Context
from workflow.pipeline.note_queue import NoteQueue
from workflow.pipeline.progress_texts import ProgressTexts

FIRST_NOTE_SECONDS = 0.3
"""News that come together are one note; a file that ends within this time gets none."""
SWEEP_SECONDS, IDLE_SWEEP_SECONDS = 5.0, 20.0
"""How often news is looked for that nobody told of: another worker, or a command, may have changed something.
Seldom where nothing waits and no other worker takes files: what this one takes is news."""
_REST_PER_WORK = 40
"""One part in forty of a core at most."""
_LONGEST_REST_SECONDS = 20.0


@dataclass
class ProgressNotes:
    """Keeps a true note for each file that is worked on, and removes it when the file is put away."""

    context: Context
    is_writer: Callable[[], bool] = lambda: True
    """False while another worker writes the notes."""
    clock: Callable[[], float] = time.monotonic
    _written: dict[int, tuple[str, int]] = field(default_factory=dict)
    """Each note that stands, by the number of its submission: its path in the folder, a hash of its text.

    Thousands of files may be worked on, so no more is kept.
    """
    _seen: frozenset[str] = frozenset()
    _next_sweep: float = 0.0
    _news: NoteQueue = field(init=False)
    _texts: ProgressTexts = field(init=False)
    _may_change: bool = True
    """True while the next sweep may find what nobody told of."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _wake: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        """Begin to follow the ledger."""
        self._news = NoteQueue(self.context.ledger, self.clock)
        self._texts = ProgressTexts(self.context)

    def add(self, number: int) -> None:
        """Write the note of a submission again: something has changed. Returns at once."""
        self._news.add([number])
        self._wake.set()

    def wake(self) -> None:
        """Let the thread see that the service stops."""
        self._wake.set()

    @property
    def _folder(self) -> Path:
        """Return the folder that the notes are in."""
        share = self.context.share
        return share.inbox if share.left_inbox is None else share.processing

    def _stl(self, submission: Submission) -> Path:
        """Return the place that the note of a submission is beside."""
        share = self.context.share
        if share.left_inbox is None:
            return share.inbox / submission.path
        return share.root / in_place_note_path(share.processing.name, submission.path, submission.id)

    def own_texts(self) -> frozenset[str]:
        """Return where notes about files that are worked on are, as paths below their folder."""
        with self._lock:
            return frozenset(place for place, _ in self._written.values())

    def check_texts(self, texts: Collection[str]) -> None:
        """Update or remove notes that an earlier run, or another worker, has left in the inbox."""
        if self.context.share.left_inbox is not None:
            texts = frozenset(path for path in paths_below(self._folder) if path.endswith(".txt"))
        if not self.is_writer():
            self._seen = frozenset()
            return
        fresh = frozenset(texts) - self._seen - self.own_texts()
        self._seen = frozenset(texts)
        for text in fresh:
            place = self._folder / text
            if _is_empty(place):  # a note's name is taken before it is written
                self._seen -= {text}
            stands = untouched_note_text(place) or ""
            number = submission_in_progress(title_of_note(stands))
            if number is not None:
                with self._lock:
                    self._written.setdefault(number, (text, hash(stands)))
                self._news.add_unchecked([number])
                self._wake.set()

    def run(self, stop: threading.Event) -> None:
        """Write notes until `stop` is set, and once more: what has ended by then needs none."""
        while not stop.is_set():
            self._wake.wait(SWEEP_SECONDS if self._may_change else IDLE_SWEEP_SECONDS)
            self._wake.clear()
            stop.wait(FIRST_NOTE_SECONDS)
            worked = time.thread_time()
            catch_faults(self._write, _log_fault)
            worked = time.thread_time() - worked
            stop.wait(min(_REST_PER_WORK * worked, _LONGEST_REST_SECONDS))

    def write_due(self) -> None:
        """Write the notes that have news. Raises StateFolderError."""
        if not self.is_writer():
            self._leave_to_others()
            return
        if self.clock() >= self._next_sweep:
            self._next_sweep = self.clock() + SWEEP_SECONDS
            self._sweep()
        numbers = self._news.take()
        if self._news:
            self._wake.set()
        try:
            self._update_notes(numbers)
        except StateFolderError:
            self._news.add(numbers)
            raise

    def _update_notes(self, numbers: Sequence[int]) -> None:
        forgotten = set(numbers)
        for submission in reversed(self.context.ledger.among(numbers)):  # print times are read for the newest
            self._update(submission)
            forgotten.remove(submission.id)
        for number in forgotten:
            self._remove(number)

    def _sweep(self) -> None:
        with self._lock:
            noted = frozenset(self._written)
        if self._texts.has_new_printers():
            self._news.add_unchecked(noted)
        self._news.sweep(noted, knows_printers=self._texts.knows_printers())
        self._may_change = bool(noted or self._news) or self.context.ledger.is_shared

    def _leave_to_others(self) -> None:
        self._news.clear()
        with self._lock:
            self._written.clear()

    def _write(self) -> None:
        try:
            self.write_due()
        except StateFolderError as error:
            logger.debug("Notes wait: {}", error)

    def _update(self, submission: Submission) -> None:
        if not self._texts.is_worked_on(submission):
            self._remove(submission.id, submission)
            return
        text = self._texts.text(submission)
        known, digest = self._written.get(submission.id, (None, 0))
        if digest == hash(text):
            return
        share, stl = self.context.share, self._stl(submission)
        place = None if known is None else self._folder / known
        try:
            if place is None or self._is_own(place, submission.id):
                if share.left_inbox is not None:
                    make_outcome_folders(share, stl.relative_to(share.root).as_posix())
                with open_folder(
                    self._folder, stl.parent.relative_to(self._folder).parts
                ):  # no link meanwhile
                    place = write_note(note_path(stl), text, durable=False)
        except OSError as error:  # the folder is gone, or refuses: the end gets its note all the same
            logger.debug("No note beside {}: {}", submission.path, error_reason(error))
        written = (place or note_path(stl)).relative_to(self._folder).as_posix()
        with self._lock:
            self._written[submission.id] = (written, hash(text))

    def _is_own(self, place: Path, number: int) -> bool:
        """False if a newer file of the same name has the place, or a person removed the note."""
        return submission_in_progress(note_title(place) or "") == number

    def _remove(self, number: int, submission: Submission | None = None) -> None:
        """Remove the note of a submission that is not worked on any more."""
        with self._lock:
            known, _ = self._written.pop(number, (None, 0))
        if known is None:
            return
        place = self._folder / known
        name = self._stl(submission).name if submission else place.stem
        try:
            remove_titled_note(place.with_name(name), lambda title: submission_in_progress(title) == number)
            if self.context.share.left_inbox is not None:
                remove_empty_folders(self._folder, place.parent.relative_to(self._folder).parts)
        except OSError as error:
            logger.debug("The note {} stays: {}", place.name, error_reason(error))


def _is_empty(place: Path) -> bool:
    try:
        return place.lstat().st_size == 0
    except OSError:
        return False


def _log_fault(fault: Exception) -> None:
    logger.opt(exception=fault).debug("Notes failed")
    logger.warning("Notes in the inbox failed ({}): they are tried again.", type(fault).__name__)
