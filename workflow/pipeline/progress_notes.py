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
from pathlib import Path, PurePosixPath

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
    PROGRESS_STATES,
    PastPrints,
    find_similar_prints,
    note_path,
    note_title,
    progress_note_text,
    remove_titled_note,
    submission_in_progress,
    write_note,
)
from workflow.pipeline.context import Context
from workflow.pipeline.submission_notes import describe_printers, find_answer

FIRST_NOTE_SECONDS = 0.3
"""News that come together are one note; a file that ends within this time gets none."""
SWEEP_SECONDS, IDLE_SWEEP_SECONDS = 5.0, 20.0
"""How often all that wait are read again: a poll or another worker may have changed something. Seldom where
nothing waits and no other worker takes files: what this one takes is news."""
NOTES_AT_ONCE = 100
PRINT_TIMES_READ = 50
"""So many earlier parts say how long one takes. As many newer ones may come before they are read again."""
MAX_SWEPT = 500
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
    _news: set[int] = field(default_factory=set)
    _written: dict[int, tuple[Path, str]] = field(default_factory=dict)
    """The place and text of each note that stands, by the number of its submission."""
    _rows: dict[int, Submission] = field(default_factory=dict)
    """Each submission as it was when its note was written."""
    _past: dict[int, PastPrints | None] = field(default_factory=dict)
    _times: dict[str, tuple[int, Sequence[tuple[float | None, float]]]] = field(default_factory=dict)
    """The print times that were read last, by preset, and before which submission they were read."""
    _seen: frozenset[str] = frozenset()
    _next_sweep: float = 0.0
    _may_change: bool = True
    """True while the next sweep may find what nobody told of."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _wake: threading.Event = field(default_factory=threading.Event)

    def add(self, number: int) -> None:
        """Write the note of a submission again: something has changed. Returns at once."""
        with self._lock:
            self._news.add(number)
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
            places = [place for place, _ in self._written.values()]
        return frozenset(place.relative_to(self._folder).as_posix() for place in places)

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
            number = submission_in_progress(note_title(place) or "")
            if number is not None:
                with self._lock:
                    self._written.setdefault(number, (place, ""))
                self.add(number)

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
            waiting = self.context.ledger.all(PROGRESS_STATES, MAX_SWEPT)
            self._next_sweep = self.clock() + SWEEP_SECONDS
            self._may_change = bool(waiting) or self.context.ledger.is_shared
            with self._lock:
                self._news |= self._written.keys() | {submission.id for submission in waiting}
        with self._lock:
            numbers = sorted(self._news, reverse=True)[:NOTES_AT_ONCE]
            self._news.difference_update(numbers)
            if self._news:
                self._wake.set()
        for submission in self.context.ledger.among(numbers):
            self._update(submission)
            numbers.remove(submission.id)
        for number in numbers:  # the history has forgotten it
            self._remove(number)

    def _leave_to_others(self) -> None:
        with self._lock:
            for known in (self._news, self._written, self._rows, self._past):
                known.clear()

    def _write(self) -> None:
        try:
            self.write_due()
        except StateFolderError as error:
            logger.debug("Notes wait: {}", error)

    def _update(self, submission: Submission) -> None:
        if not self._is_worked_on(submission):
            self._remove(submission.id, submission)
            return
        if self._rows.get(submission.id) == submission:
            return
        text = self._text(submission)
        self._rows[submission.id] = submission
        place, known = self._written.get(submission.id, (None, ""))
        if known == text:
            return
        share, stl = self.context.share, self._stl(submission)
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
        with self._lock:
            self._written[submission.id] = (place or note_path(stl), text)

    def _is_own(self, place: Path, number: int) -> bool:
        """False if a newer file of the same name has the place, or a person removed the note."""
        return submission_in_progress(note_title(place) or "") == number

    def _text(self, submission: Submission) -> str:
        answer = find_answer(self.context, submission)
        past = None if answer is not None else self._past_prints(submission)
        fit = describe_printers(self.context, submission)
        return progress_note_text(submission, self.context.zone, fit, answer, past)

    def _past_prints(self, submission: Submission) -> PastPrints | None:
        if submission.preset is None or submission.mesh is None:
            return None
        if submission.id not in self._past:
            past = self._print_times(submission.preset, submission.id)
            self._past[submission.id] = find_similar_prints(submission.mesh.volume_cm3, past)
        return self._past[submission.id]

    def _print_times(self, preset: str, number: int) -> Sequence[tuple[float | None, float]]:
        """Return the print times of parts before this one; of many files at once they are read once."""
        read_for, known = self._times.get(preset, (0, ()))
        if len(known) < PRINT_TIMES_READ or abs(number - read_for) >= PRINT_TIMES_READ:
            known = self.context.ledger.decisions.list_print_times(preset, number, PRINT_TIMES_READ)
            self._times[preset] = number, known
        return known

    def _remove(self, number: int, submission: Submission | None = None) -> None:
        """Remove the note of a submission that is not worked on any more."""
        self._past.pop(number, None)
        self._rows.pop(number, None)
        with self._lock:
            place, _ = self._written.pop(number, (None, ""))
        if place is None:
            return
        name = self._stl(submission).name if submission else place.stem
        try:
            remove_titled_note(place.with_name(name), lambda title: submission_in_progress(title) == number)
            if self.context.share.left_inbox is not None:
                remove_empty_folders(self._folder, place.parent.relative_to(self._folder).parts)
        except OSError as error:
            logger.debug("The note {} stays: {}", place.name, error_reason(error))

    def _is_worked_on(self, submission: Submission) -> bool:
        """True while the file is out of the inbox and not yet in a folder that says how it ended."""
        if submission.state not in PROGRESS_STATES:
            return False
        if submission.left_in_place:  # of a read-only inbox; that of a batch has no note
            inbox = self.context.share.left_inbox
            return inbox is not None and submission.claimed_as == str(inbox / submission.path)
        return PurePosixPath(submission.claimed_as or "").parts[:1] == ("processing",)


def _is_empty(place: Path) -> bool:
    try:
        return place.lstat().st_size == 0
    except OSError:
        return False


def _log_fault(fault: Exception) -> None:
    logger.opt(exception=fault).debug("Notes failed")
    logger.warning("Notes in the inbox failed ({}): they are tried again.", type(fault).__name__)
