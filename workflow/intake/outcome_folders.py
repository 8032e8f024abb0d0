"""Where a file goes at its end: outcome folders mirror the inbox, and nothing is ever replaced."""

import errno
from datetime import date
from itertools import count

from workflow.intake.filenames import claimed_path, outcome_path, split_path
from workflow.intake.fs import open_folder
from workflow.intake.moves import exists_in_share, make_top_folder, move_file
from workflow.intake.share import Outcome, Share, share_lost_error

INBOX_FOLDER = "inbox"
_TRIES = 5


def plan_outcome_path(share: Share, claimed_as: str, path: str, outcome: str, day: date | None = None) -> str:
    """Return where a file will go, relative to the share. Record the place, then move.

    `path` is the file's path under the inbox, `day` that of its folder where outcomes are kept by the
    day. A taken name gets a number: `bracket (2).stl`.
    """
    folder = outcome if day is None else f"{outcome}/{day.isoformat()}"
    places = (outcome_path(folder, path, copy) for copy in count(1))
    return next(place for place in places if place == claimed_as or not exists_in_share(share, place))


def in_place_note_path(outcome: Outcome, path: str, number: int) -> str:
    """Return where the note goes of a file that stays in a read-only inbox: unique by its number."""
    return claimed_path(outcome, path, number)


def make_outcome_folders(share: Share, place: str) -> None:
    """Make the folders above a place in an outcome folder. Raises OSError, when the share is gone too."""
    if not share.is_reachable():
        raise share_lost_error(share)
    folders, _name = split_path(place)
    make_top_folder(share, folders[0])
    with open_folder(share.root, folders, make=True):
        pass


def move_to_outcome(share: Share, claimed_as: str, target: str) -> None:
    """Move a file to its planned place. May be repeated after a crash.

    Raises FileExistsError when the name was taken meanwhile (plan again), FileNotFoundError when the
    file is gone, OSError when it can't be moved now.
    """
    if claimed_as == target:
        return
    try:
        move_file(share, claimed_as, target)
    except FileNotFoundError:
        if not exists_in_share(share, target):
            raise


def plan_and_move(share: Share, claimed_as: str, path: str, outcome: str) -> str:
    """Plan and move at once; return where the file is. Raises FileNotFoundError, OSError.

    Of several who move the same file at once, one does; `outcome` may be the inbox, too.
    """
    for _ in range(_TRIES):
        target = plan_outcome_path(share, claimed_as, path, outcome)
        try:
            move_to_outcome(share, claimed_as, target)
        except FileExistsError:
            continue
        return target
    raise OSError(errno.EBUSY, f"{path} finds no free name in {outcome}")
