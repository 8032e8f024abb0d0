"""Held files that a person moved to rejected/, and notes that were moved in the place of their files.

Nothing reports these moves: held/ is walked through, and what is missing there is looked for.
"""

import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path

from loguru import logger

from workflow.errors import NotAPlainFile, StlflowError, WrongSubmissionState, catch_faults, error_reason
from workflow.intake import (
    APPROVED_FOLDER,
    FileRoots,
    Outcome,
    exists_in_share,
    files_below,
    hash_file,
    paths_below,
)
from workflow.model import HoldReason, Step, Submission, SubmissionState
from workflow.notes import (
    is_note,
    is_note_about,
    note_path,
    read_submission_note,
    remove_note_file,
    remove_submission_note,
    why_not_approved,
)
from workflow.pipeline import commands
from workflow.pipeline.context import Context
from workflow.pipeline.holds import RELEASABLE_HOLDS
from workflow.pipeline.missing_file import belongs_to_newer
from workflow.pipeline.submission_log import log_of

OUTDATED_SECONDS = 60.0
_REST_PER_WALK = 20
"""The pause between two walks is so much longer than a walk, however many files there are."""


class _Listing:
    """The plain files of a folder as they were found, by size and by name.

    Of many held files the missing ones are looked for among many: each of them is looked at once.
    """

    def __init__(self, files: Iterable[tuple[Path, os.stat_result]]) -> None:
        self.files = dict(files)
        self._by_size, self._by_name = defaultdict[int, list[Path]](list), defaultdict[str, list[Path]](list)
        for place, seen in self.files.items():
            self._by_size[seen.st_size].append(place)
            self._by_name[place.name].append(place)

    def of_size(self, size: int | None) -> Iterator[tuple[Path, os.stat_result]]:
        """Yield what has a size; all, if that is not known."""
        found = self.files if size is None else self._by_size.get(size, ())
        return ((place, self.files[place]) for place in found)

    def named(self, name: str) -> Sequence[Path]:
        """Return what has a name, in whatever folder."""
        return self._by_name.get(name, ())


@dataclass
class MoveWatcher:
    """Finds decisions that were made by moving a held file, or its note, out of held/."""

    context: Context
    home: str
    wake: Callable[[], None]
    interval_seconds: float
    _compared: set[tuple[object, ...]] = field(default_factory=set)

    def run(self, stop: threading.Event) -> None:
        """Carry out such decisions until told to stop. While share or database are away, nothing happens."""
        rest = self.interval_seconds
        while not stop.wait(rest):
            began = time.monotonic()
            try:
                catch_faults(self.carry_out_moves, _log_fault, but=(StlflowError, OSError))
            except (StlflowError, OSError) as trouble:
                logger.debug("Moved files are looked for later: {}", trouble)
            rest = max(self.interval_seconds, _REST_PER_WALK * (time.monotonic() - began))

    def carry_out_moves(self) -> int:
        """Carry out what was decided since; return how many decisions. Raises StlflowError, OSError."""
        share = self.context.share
        if not share.is_reachable():
            return 0
        held = self.context.ledger.all([SubmissionState.HELD])
        present = frozenset(paths_below(share.held)) if held else frozenset()
        newest = {
            each.claimed_as: each.id for each in sorted(held, key=attrgetter("id")) if each.reused is None
        }
        replaced = {each.id for each in held if each.id < newest.get(each.claimed_as, 0)}
        at_rest = [each for each in held if each.step is not Step.FINISH]
        missing = [each for each in at_rest if each.id in replaced or self._is_moved(each, present)]
        going_on = self.context.ledger.list_resumed_from_held()
        missing += [each for each in going_on if self._is_file_moved(each)]
        approved = _Listing(files_below(share.approved))
        missing += self._with_earlier_note(held, missing, approved)
        rejected = _Listing(files_below(share.decisions / Outcome.REJECTED) if missing else ())
        done = sum(self._carry_out(each, approved, rejected) for each in missing)
        _remove_outdated(approved)
        if not missing:
            self._compared.clear()
        if done:
            self.wake()
        return done

    def _with_earlier_note(
        self, held: Sequence[Submission], missing: Sequence[Submission], approved: _Listing
    ) -> list[Submission]:
        """Return those that were held again after a retry, and whose note was moved before that."""
        if not any(each.retried_hold for each in held):
            return []
        notes = {each.number for note in approved.files if (each := read_submission_note(note)) is not None}
        ours = [each for each in held if each.id in notes and each.home in {None, self.home}]
        return [each for each in ours if each.retried_hold and each.step is None and each not in missing]

    def _is_moved(self, submission: Submission, present: Collection[str]) -> bool:
        """True if the file or its note is gone from held/, of which `present` was found."""
        in_place = submission.left_in_place
        if in_place and (self.context.share.left_inbox is None or submission.home != self.home):
            return False
        file = Path((submission.placed_as if in_place else submission.claimed_as) or "")
        note = [note_path(file).as_posix()] if file.is_relative_to(Outcome.HELD) else []
        places = [*note, *([] if in_place else [file.as_posix()])]
        return any(self._is_gone(place, present) for place in places) or self._is_gone_unrecorded(submission)

    def _is_file_moved(self, submission: Submission) -> bool:
        """True if the file of a retried or released submission was moved on before a worker took it."""
        taken = self.context.share.claimed_path(submission.path, submission.id)
        gone = self._is_gone(submission.claimed_as or "") and not submission.left_in_place
        return gone and not exists_in_share(self.context.share, taken)

    def _is_gone_unrecorded(self, submission: Submission) -> bool:
        """True if the file was moved on from held/ before a killed stlflow could record that it was there."""
        place = submission.claimed_as or ""
        was_claimed = place.startswith("processing/") and not submission.left_in_place
        return was_claimed and not exists_in_share(self.context.share, place)

    def _is_gone(self, place: str, present: Collection[str] = ()) -> bool:
        folder, _, below = place.partition("/")
        if folder == Outcome.HELD and below in present:
            return False
        in_sight = folder in {Outcome.HELD, APPROVED_FOLDER}  # from there, too, it may be moved on
        return in_sight and not exists_in_share(self.context.share, place)

    def _carry_out(self, submission: Submission, approved: _Listing, rejected: _Listing) -> bool:
        try:
            gone = self._is_gone(submission.claimed_as or "") or self._is_gone_unrecorded(submission)
            gone = gone or belongs_to_newer(self.context.ledger, submission)
            if gone and not submission.left_in_place:
                alike = rejected.of_size(submission.size)
                return any(self._cancel_if_same(submission, place, seen) for place, seen in alike)
            return self._obey_note(submission, approved, rejected)
        except WrongSubmissionState as refusal:  # someone else decided at the same time
            logger.debug("Submission {}: {}", submission.id, refusal)
            return False

    def _cancel_if_same(self, submission: Submission, place: Path, seen: os.stat_result) -> bool:
        """True if the file in rejected/ has the very content of the held one, which is canceled then."""
        share = self.context.share
        tried = (submission.id, place, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)
        if tried in self._compared:
            return False
        try:
            sha256 = hash_file(place, FileRoots(share=share.root))
        except (FileNotFoundError, NotAPlainFile):
            return False
        self._compared.add(tried)
        where = place.relative_to(share.root).as_posix()
        if sha256 != submission.sha256 or self.context.ledger.list_at_path(where):
            return False
        commands.cancel_submission(self.context.ledger, submission.id, commands.MovedFile(where, sha256))
        with suppress(OSError):
            remove_submission_note(share.root / (submission.claimed_as or ""), submission.id)
        log_of(submission).info(
            "Submission {} ({}) is canceled by moving the file.", submission.id, submission.path
        )
        return True

    def _obey_note(self, submission: Submission, approved: _Listing, rejected: _Listing) -> bool:
        """Carry out the move of a note alone; the file is where it was, and has to be as it was held."""
        in_place = submission.left_in_place
        name = note_path(Path((submission.placed_as if in_place else submission.claimed_as) or "")).name
        for note in (*approved.named(name), *rejected.named(name)):
            if not is_note_about(note, submission, self.context.ways):
                continue
            file = commands.MovedFile(submission.claimed_as or "", submission.sha256 or "")
            if note in rejected.files:
                commands.cancel_submission(self.context.ledger, submission.id, file)
            elif why := self._refusal(submission):
                commands.return_moved_file(self.context.ledger, submission, file, why)
            else:
                commands.release_submission(self.context.ledger, submission.id, moved=file)
            logger.info("The note of submission {} was moved to {}.", submission.id, note)
            if note in approved.files or self.context.share.decisions_folder is not None:
                with suppress(OSError):
                    remove_note_file(note)
            return True
        return False

    def _refusal(self, submission: Submission) -> str:
        """Return why the file of a moved note can't be approved; "" if it can."""
        if submission.hold not in RELEASABLE_HOLDS:
            return why_not_approved(submission)
        try:
            roots = FileRoots(share=None if submission.left_in_place else self.context.share.root)
            same = hash_file(self.context.source(submission), roots) == submission.sha256
        except (OSError, NotAPlainFile) as error:
            return f"Its file can't be read: {error_reason(error) if isinstance(error, OSError) else error}."
        return "" if same else why_not_approved(submission, HoldReason.FILE)


def _remove_outdated(approved: _Listing) -> None:
    """Remove notes from approved/ that decide nothing any more, so that none does later."""
    for note in approved.files:
        with suppress(OSError):
            if time.time() - note.lstat().st_ctime > OUTDATED_SECONDS and is_note(note):
                remove_note_file(note)


def _log_fault(fault: Exception) -> int:
    logger.opt(exception=fault).error("A fault of stlflow while it searched for moved files")
    return 0
