"""Decisions by moving a file: what it means that a held file is now in approved/.

The move is the decision: it stays there through any crash until it is carried out. It is carried out by one
guarded change in the ledger, which names the file's new place, and the steps of the submission take the
file from there. A release is for the bytes that were held: the file is recognized by its content.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
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
from workflow.ledger import Ledger
from workflow.model import ENDED_STATES, HoldReason, Step, Submission, SubmissionState
from workflow.notes import state_text, why_not_approved
from workflow.pipeline.commands import (
    RELEASABLE_HOLDS,
    MovedFile,
    release_submission,
    return_moved_file,
    was_released,
)
from workflow.pipeline.context import now
from workflow.pipeline.inbox_events import InboxEvents
from workflow.pipeline.inbox_notes import InboxNotes
from workflow.pipeline.submission_log import log_of

COPY_PATIENCE_SECONDS = 30.0
"""A move between two disks is a copy, and then a deletion; another stlflow may know the file."""
CANCELED_LATELY = timedelta(hours=1)


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
        after = signature_of((self.share.root / place).lstat())
        if after not in {seen, seen._replace(inode=after.inode)}:
            return False
        alike = self.ledger.list_with_content(moved.sha256)
        known = find_moved(self.share, alike, path)
        if known is not None:
            self._decide(known, moved)
            return True
        former = find_changed(self.share, self.ledger.all([SubmissionState.HELD]), path)
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
        if held and (known.hold in RELEASABLE_HOLDS or was_released(known)):
            release_submission(self.ledger, known.id, moved=moved)
            log_of(known).info("Submission {} ({}) is released by moving the file.", known.id, known.path)
        elif held:
            self._put_back(known, moved, why_not_approved(known))
        elif known.state is SubmissionState.CANCELED:
            self._put_back(known, moved, "It was canceled before the file was moved to approved/.")
        else:
            logger.info("{} belongs to submission {}, which goes on already.", moved.place, known.id)
        self.wake()
        goes_on = known.hold in {*RELEASABLE_HOLDS, None} or was_released(known)
        if known.state is not SubmissionState.CANCELED and goes_on:
            reclaim_file(self.share, moved.place, known.id, known.path)

    def _put_back(self, known: Submission, moved: MovedFile, why: str) -> None:
        return_moved_file(self.ledger, known.id, moved, why)
        log_of(known, reason=why).warning("Submission {} ({}) is not approved: {}", known.id, known.path, why)

    def _take_changed(self, former: Submission, moved: MovedFile) -> None:
        """Other bytes than those that were held are checked like any new file."""
        if former.sha256 is None:  # nobody can tell whether they changed
            self._put_back(former, moved, why_not_approved(former, HoldReason.FILE))
            self.wake()
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
        self.wake()

    def _has_other_claims(self) -> bool:
        """True if another stlflow with a database of its own uses this share."""
        ours = PurePosixPath(self.share.claims_folder).name
        claims = self.share.processing.glob(f"{CLAIMS_FOLDER_PREFIX}*")
        return any(each.name != ours for each in claims)


def find_moved(share: Share, alike: Sequence[Submission], path: str) -> Submission | None:
    """Return the submission whose file was moved to `path` below approved/, of all with its content.

    Its own file is gone from its place. A held one comes first, and then one of the same name.
    """
    missing = [each for each in alike if _may_be_moved(each) and _is_missing(share, each, path)]
    return min(missing, key=lambda each: (_order(each), -_alike_names(each, path), each.id), default=None)


def find_changed(share: Share, held: Sequence[Submission], path: str) -> Submission | None:
    """Return the held submission whose file was moved to `path` with other bytes, by its name."""
    missing = [
        each
        for each in held
        if _alike_names(each, path) and not each.left_in_place and _is_missing(share, each, path)
    ]
    same_folder = [each for each in missing if _alike_names(each, path) > 1]
    for preferred in (same_folder, missing):
        if len(preferred) == 1:
            return preferred[0]
    return None


def _may_be_moved(submission: Submission) -> bool:
    """True unless the submission ended, or is one of a batch; one that was canceled just now may be."""
    if submission.left_in_place:
        return False
    ended = submission.ended_at or submission.opened_at
    lately = submission.state is SubmissionState.CANCELED and now() - ended < CANCELED_LATELY
    return submission.state not in ENDED_STATES or lately


def _is_missing(share: Share, submission: Submission, path: str) -> bool:
    """True if the file of a submission is in none of its own places, or is known to be in this one."""
    if submission.claimed_as == f"{APPROVED_FOLDER}/{path}":
        return True
    own = (
        submission.claimed_as,
        submission.placed_as,
        share.claimed_path(submission.path, submission.id),
    )
    return not any(exists_in_share(share, place) for place in own if place)


def _order(submission: Submission) -> int:
    if submission.state is SubmissionState.HELD:
        return 0
    return 1 if submission.state not in ENDED_STATES else 2


def _alike_names(submission: Submission, path: str) -> int:
    """Return 2 if the file was in the same folder under the same name, 1 if only the name is the same."""
    place = submission.claimed_as or submission.path
    if path in {place.partition("/")[2], submission.path}:
        return 2
    return int(PurePosixPath(path).name in {PurePosixPath(place).name, PurePosixPath(submission.path).name})


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
