"""Decisions by moving a file: what it means that a held file is now in approved/.

The move is the decision: it stays there through any crash until it is carried out. It is carried out by one
guarded change in the ledger, which names the file's new place, and the steps of the submission take the
file from there. A release is for the bytes that were held: the file is recognized by its content.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from loguru import logger

from workflow.errors import NotAPlainFile, StlflowError, error_reason
from workflow.intake import (
    APPROVED_FOLDER,
    CLAIMS_FOLDER_PREFIX,
    INBOX_FOLDER,
    FileRoots,
    FileSignature,
    InboxScan,
    NotTakenYet,
    Share,
    exists_in_share,
    hash_file,
    is_utf8,
    plan_and_move,
    printable_path,
    reclaim_file,
    signature_of,
)
from workflow.ledger import Ledger, Superseded
from workflow.model import ENDED_STATES, HoldReason, Step, Submission, SubmissionChanges, SubmissionState
from workflow.notes import remove_submission_note, state_text, why_not_approved
from workflow.pipeline.commands import MovedFile, release_submission, return_moved_file
from workflow.pipeline.context import now
from workflow.pipeline.find_moved import find_changed, find_moved
from workflow.pipeline.holds import RELEASABLE_HOLDS, has_retried_hold, was_resumed
from workflow.pipeline.inbox_events import InboxEvents
from workflow.pipeline.inbox_notes import InboxNotes
from workflow.pipeline.submission_log import log_of

COPY_PATIENCE_SECONDS = 30.0
"""A move between two disks is a copy, and then a deletion; another stlflow may know the file."""


@dataclass
class ApprovedFiles:
    """Takes the files in approved/ once they are complete: each is a decision about a held one."""

    ledger: Ledger
    share: Share
    wake: Callable[[], None]
    clock: Callable[[], float] = time.monotonic
    _first_seen: dict[str, float] = field(default_factory=dict)

    def new_paths(self, paths: frozenset[str]) -> frozenset[str]:
        """Return the paths as they are: what is carried out is soon gone from approved/."""
        for path in self._first_seen.keys() - paths:
            del self._first_seen[path]
        return paths

    def record_pending_claims(self) -> bool:
        """True: each decision is carried out and recorded in one step."""
        return True

    def prepare(self, paths: Sequence[str]) -> None:
        """Do nothing: a decision begins no submission."""

    def submit_file(self, path: str, seen: FileSignature) -> bool:
        """Carry the decision out. Raises NotTakenYet when it is not clear yet what was decided."""
        try:
            return self._carry_out(path, seen)
        except (FileNotFoundError, NotAPlainFile):
            return False
        except (StlflowError, OSError) as error:
            raise NotTakenYet(error_reason(error)) from error

    def _carry_out(self, path: str, seen: FileSignature) -> bool:
        place = f"{APPROVED_FOLDER}/{path}"
        if not is_utf8(path):  # it can't be written down: under its readable name it is found again
            plan_and_move(self.share, place, path, APPROVED_FOLDER)
            return False
        moved = MovedFile(place, hash_file(self.share.root / place, FileRoots(share=self.share.root)))
        alike = self.ledger.list_with_content(moved.sha256)
        after = signature_of((self.share.root / place).lstat())  # after that: a step may have taken it
        if after not in {seen, seen._replace(inode=after.inode)}:
            return False
        known = find_moved(self.ledger, self.share, alike, path)
        if known is not None:
            self._decide(known, moved)
            return True
        held = self.ledger.all([SubmissionState.HELD])
        former = find_changed(self.ledger, self.share, held, path)
        if former is not None:
            self._take_changed(former, moved)
        else:
            self._hold_unknown(path, moved, alike)
        return True

    def _decide(self, known: Submission, moved: MovedFile) -> None:
        """Release what was held, put back what can't be approved, let go on what does already."""
        if known.step is Step.FINISH and known.claimed_as == moved.place:
            return  # it is about to be put into its folder
        held = known.state is SubmissionState.HELD
        if has_retried_hold(known) or (held and (known.hold in RELEASABLE_HOLDS or was_resumed(known))):
            release_submission(self.ledger, known.id, moved=moved)
            log_of(known).info("Submission {} ({}) is released by moving the file.", known.id, known.path)
        elif held:
            self._put_back(known, moved, why_not_approved(known))
            return
        elif known.state is SubmissionState.CANCELED:
            self._put_back(known, moved, "It was canceled before the file was moved to approved/.")
            return
        elif known.state in ENDED_STATES:
            self._follow_to_outcome(known, moved)
            return
        else:
            logger.info("{} belongs to submission {}, which goes on already.", moved.place, known.id)
        self.wake()
        self._remove_note(known)
        reclaim_file(self.share, moved.place, known.id, known.path)
        self._repeat_end(known.id)

    def _repeat_end(self, number: int) -> None:
        """Let a submission end once more if it did so, or does so now, without the file from approved/."""
        while (known := self.ledger.get(number)).state in {*ENDED_STATES, SubmissionState.HELD}:
            with suppress(Superseded):  # a step has come to its end: what follows is seen now
                self.ledger.schedule_next_step(known, Step.FINISH, now())
                self.wake()
                return

    def _remove_note(self, known: Submission) -> None:
        """Remove the note in held/: what it says is no longer true."""
        with suppress(OSError):
            remove_submission_note(self.share.root / (known.claimed_as or ""), known.id)

    def _follow_to_outcome(self, known: Submission, moved: MovedFile) -> None:
        """Let the file follow its submission, which ended before the move was seen."""
        place: SubmissionChanges = {"claimed_as": moved.place, "placed_as": None}
        self.ledger.schedule_next_step(known, Step.FINISH, now(), **place)
        logger.info("{} belongs to submission {}: it {}", moved.place, known.id, state_text(known))
        self._remove_note(known)
        self.wake()

    def _put_back(self, known: Submission, moved: MovedFile, why: str) -> None:
        return_moved_file(self.ledger, known, moved, why)
        self._remove_note(known)
        log_of(known, reason=why).warning("Submission {} ({}) is not approved: {}", known.id, known.path, why)
        self.wake()

    def _take_changed(self, former: Submission, moved: MovedFile) -> None:
        """Other bytes than those that were held are checked like any new file."""
        if former.sha256 is None:  # nobody can tell whether they changed
            self._put_back(former, moved, why_not_approved(former, HoldReason.FILE))
            return
        put = plan_and_move(self.share, moved.place, former.path, INBOX_FOLDER)
        logger.info("{} was changed since it was held: it is checked again as {}.", moved.place, put)

    def _hold_unknown(self, path: str, moved: MovedFile, alike: Sequence[Submission]) -> None:
        """Hold what did not come from held/; raise NotTakenYet while its origin is unclear."""
        original = next((each for each in alike if each.state is SubmissionState.HELD), None)
        waited = self.clock() - self._first_seen.setdefault(path, self.clock())
        if waited < COPY_PATIENCE_SECONDS and (original is not None or self._has_other_claims()):
            raise NotTakenYet(
                f"{original.claimed_as} is the same file, and still there. Move that one"
                if original is not None
                else "it may belong to the other stlflow of this share"
            )
        reason = (
            "It was put into approved/, and no held file has this content. Only a file from held/ can be "
            f"approved.{_duplicate_text(alike)} To have it checked, move it to inbox/."
        )
        number = self.ledger.adopt(printable_path(path), moved.place, reason, moved.sha256)
        logger.warning("Submission {} ({}) held: {}", number, printable_path(path), reason)
        for each in alike:
            if each.state in ENDED_STATES and not exists_in_share(self.share, each.claimed_as or ""):
                self._remove_note(each)
        self.wake()

    def _has_other_claims(self) -> bool:
        """True if another stlflow with a database of its own uses this share."""
        ours = PurePosixPath(self.share.claims_folder).name
        claims = self.share.processing.glob(f"{CLAIMS_FOLDER_PREFIX}*")
        return any(each.name != ours for each in claims)


def _duplicate_text(alike: Sequence[Submission]) -> str:
    return f" The same file is submission {alike[0].id}: it {state_text(alike[0])}" if alike else ""


class ApprovedEvents(InboxEvents):
    """What the scans of approved/ report: nothing is claimed there, and many files at once are welcome."""

    def __post_init__(self) -> None:
        self.notes = InboxNotes(replace(self.context.share, watches=APPROVED_FOLDER))

    def on_share_available(self) -> None:
        """The inbox recovers claims."""

    def on_scan(self, found: InboxScan, settled: Collection[str]) -> None:
        """Remove notes about files that were not taken; those of held files may decide."""
        self.notes.remove_outdated(replace(found, texts=frozenset()), settled)

    def mass_arrival_paths(self) -> Mapping[str, bool]:
        """Return nothing: each file here was moved by a person."""
        return {}
