"""Notes about files of the inbox that are not taken; each is removed when its cause is gone."""

import re
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

from loguru import logger

from workflow.errors import error_reason
from workflow.intake import InboxScan, Share, printable_path
from workflow.notes import (
    note_path,
    note_title,
    orphan_notes,
    remove_note_file,
    remove_orphan_note,
    says,
    submission_in_progress,
    untaken_file_note_text,
    untaken_file_of_note,
    write_note,
)

_HELD_SECONDS = 10.0
"""How often held/ is checked for notes whose file was dragged away."""
_SEPARATE_NOTE = re.compile(r"\d+~")
"""How notes begin whose file stays in a read-only inbox."""


class InboxNotes:
    """Writes the notes about untaken files, and removes those that are no longer true."""

    def __init__(self, share: Share) -> None:
        self._share = share
        self._places: dict[str, Path] = {}
        self._foreign: set[str] = set()
        self._held_due = 0.0

    def write(self, path: str, why: str) -> None:
        """Put a note beside a file, or in the nearest folder above where that can be done."""
        text, error = untaken_file_note_text(printable_path(path), why), None
        logger.info("{} is not taken: {}", printable_path(path), why)
        for beside in self._candidate_places(path):
            try:
                if not says(beside, text):
                    self._places[path] = write_note(note_path(beside), text)
            except OSError as refused:
                error = error or refused
            else:
                return
        if error is not None:
            logger.warning("No note about {}: {}", printable_path(path), error_reason(error))

    def remove_outdated(
        self, found: InboxScan, settled: Collection[str], others: frozenset[str] = frozenset()
    ) -> None:
        """Remove the notes of files that nothing keeps any more, or that are gone; `others` stay."""
        for path in settled:
            place = self._places.pop(path, None)
            if place is not None:
                _remove(place)
        if self._share.left_inbox is None:
            for text in self._orphans(found, others):
                _remove(self._share.inbox / text)
            self._clean_held()

    def _candidate_places(self, path: str) -> Iterator[Path]:
        """Yield what the note may be put beside: the file, or its name in a folder above."""
        if self._share.left_inbox is not None:  # nothing is written there
            place = self._share.rejected / path
            with suppress(OSError):
                place.parent.mkdir(parents=True, exist_ok=True)
            yield place
            return
        *folders, name = path.split("/")
        for depth in range(len(folders), -1, -1):
            yield self._share.inbox.joinpath(*folders[:depth], " - ".join((*folders[depth:], name)))

    def _orphans(self, found: InboxScan, others: frozenset[str]) -> Iterator[str]:
        """Yield the notes of the inbox whose file is not there."""
        self._foreign &= found.texts
        titles = {text: note_title(self._share.inbox / text) for text in found.texts - self._foreign - others}
        self._foreign |= {text for text, title in titles.items() if title is None}
        if not titles:
            return
        there = found.paths | found.strangers | found.unfinished | found.blocked.keys()
        for text, title in titles.items():
            if title is not None and not _is_about(title, text, there, found.unreadable):
                yield text

    def _clean_held(self) -> None:
        if time.monotonic() >= self._held_due:
            self._held_due = time.monotonic() + _HELD_SECONDS
            for note in orphan_notes(self._share.held):
                if not _SEPARATE_NOTE.match(note.name):
                    _remove(note, remove_orphan_note)


def _is_about(title: str, text: str, there: Collection[str], unreadable: Collection[str]) -> bool:
    """True if the file that a note of the inbox is about is there, or may be."""
    folder = PurePosixPath(text).parent
    subject = untaken_file_of_note(title)
    if subject is not None:
        names = {subject, (folder / subject).as_posix()}  # an older release wrote the name alone
        hidden = any(subject.startswith(f"{above}/") for above in unreadable)
        return hidden or any(path in names or printable_path(path) in names for path in there)
    if not title.startswith("submission "):
        return True  # about many files
    mates = (path for path in there if PurePosixPath(path).parent == folder)
    return any(note_path(Path(path)).name == PurePosixPath(text).name for path in mates)


def _remove(note: Path, remove: Callable[[Path], object] = remove_note_file) -> None:
    with suppress(OSError):
        if submission_in_progress(note_title(note) or "") is None:
            remove(note)
