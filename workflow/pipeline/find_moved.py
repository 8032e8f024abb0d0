"""Which submission a file belongs to that a person moved out of held/."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import PurePosixPath

from workflow.intake import APPROVED_FOLDER, Outcome, Share, exists_in_share
from workflow.ledger import Ledger
from workflow.model import ENDED_STATES, Submission, SubmissionState
from workflow.pipeline.context import now
from workflow.pipeline.missing_file import belongs_to_newer

CANCELED_LATELY = timedelta(hours=1)


def find_moved(ledger: Ledger, share: Share, alike: Sequence[Submission], path: str) -> Submission | None:
    """Return the submission whose file was moved to `path` below approved/, of all with its content.

    Its own file is gone from its place. A held one comes first, and then one of the same name.
    """
    missing = [each for each in alike if _may_be_moved(each) and _is_missing(ledger, share, each, path)]
    return min(missing, key=lambda each: (_order(each), -_alike_names(each, path), each.id), default=None)


def find_changed(ledger: Ledger, share: Share, held: Sequence[Submission], path: str) -> Submission | None:
    """Return the held submission whose file was moved to `path` with other bytes, by its name."""
    missing = [
        each
        for each in held
        if _alike_names(each, path) and not each.left_in_place and _is_missing(ledger, share, each, path)
    ]
    same_folder = [each for each in missing if _alike_names(each, path) > 1]
    for preferred in (same_folder, missing):
        if len(preferred) == 1:
            return preferred[0]
    return None


def _may_be_moved(submission: Submission) -> bool:
    """True unless the submission ended, or is one of a batch.

    One that was canceled just now may be, and one whose file had been moved out of held/ before it ended.
    """
    if submission.left_in_place:
        return False
    ended = submission.ended_at or submission.opened_at
    lately = submission.state is SubmissionState.CANCELED and now() - ended < CANCELED_LATELY
    moved_before = (submission.claimed_as or "").startswith((f"{Outcome.HELD}/", f"{APPROVED_FOLDER}/"))
    return submission.state not in ENDED_STATES or lately or moved_before


def _is_missing(ledger: Ledger, share: Share, submission: Submission, path: str) -> bool:
    """True if the file of a submission is in none of its own places, or is known to be in this one.

    A newer file of the same name may have come to a place of its own meanwhile.
    """
    if submission.claimed_as == f"{APPROVED_FOLDER}/{path}":
        return True
    own = (submission.placed_as, share.claimed_path(submission.path, submission.id))
    if any(exists_in_share(share, place) for place in own if place):
        return False
    place = submission.claimed_as
    return place is None or not exists_in_share(share, place) or belongs_to_newer(ledger, submission)


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
