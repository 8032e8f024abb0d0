"""Moving files inside the share, and to the outcome folders: in one piece, never onto another file."""

import errno
from contextlib import suppress
from datetime import date
from itertools import count

from workflow.intake.filenames import claimed_path, outcome_path, split_path
from workflow.intake.fs import open_folder, remove_empty_folders, rename_without_replacing, share_rights
from workflow.intake.share import Share, share_lost_error

_TRIES = 20
"""A folder that another thread found empty and removed is simply made again."""


def move_file(share: Share, here: str, there: str, *, durable: bool = True) -> None:
    """Move a file; both paths are relative to the share's root. Missing folders are made.

    Raises FileExistsError when `there` is taken, FileNotFoundError when `here` is gone, and a plain
    OSError when the share itself is.
    """
    for _ in range(_TRIES):
        try:
            _move_once(share, here, there, durable=durable)
        except FileNotFoundError:
            if not share.is_reachable():
                raise share_lost_error(share) from None
            if not _is_seen(share, here):
                raise
        else:
            return
    raise OSError(errno.EBUSY, f"{there} can't be made: its folder keeps vanishing")


def exists_in_share(share: Share, place: str) -> bool:
    """True if there is anything at a path below the share's root. Raises OSError if the share is away."""
    if _is_seen(share, place):
        return True
    if not share.is_reachable():  # nobody can tell
        raise share_lost_error(share)
    return False


def _is_seen(share: Share, place: str) -> bool:
    """True if there is anything at a path; False, too, for a share that is away."""
    folders, name = split_path(place)
    with suppress(FileNotFoundError, NotADirectoryError), open_folder(share.root, folders) as folder:
        return folder.has(name)
    return False


def _move_once(share: Share, here: str, there: str, *, durable: bool) -> None:
    (old_top, *old_folders), old_name = split_path(here)
    (new_top, *new_folders), new_name = split_path(there)
    if share.is_reachable():
        make_top_folder(share, new_top)
    with (
        open_folder(share.root, (old_top, *old_folders)) as source,
        open_folder(share.root, (new_top,)) as _,  # not made here: the share may be an empty mount point
        open_folder(share.root, (new_top, *new_folders), make=True) as target,
    ):
        rename_without_replacing(source, old_name, target, new_name)
        if durable:
            target.sync()
            source.sync()
    if share.root / old_top == share.processing:
        remove_empty_folders(share.processing, old_folders)


def make_top_folder(share: Share, top: str) -> None:
    """Make a folder of the share again that was removed. Raises OSError."""
    with suppress(FileExistsError):
        (share.root / top).mkdir()
        share_rights(share.root / top, share.root.stat())


INBOX_FOLDER = "inbox"


def plan_outcome_path(share: Share, claimed_as: str, path: str, outcome: str, day: date | None = None) -> str:
    """Return where a file will go, relative to the share. Record the place, then move.

    `path` is the file's path under the inbox, `day` that of its folder where outcomes are kept by the
    day. A taken name gets a number: `bracket (2).stl`.
    """
    folder = outcome if day is None else f"{outcome}/{day.isoformat()}"
    places = (outcome_path(folder, path, copy) for copy in count(1))
    return next(place for place in places if place == claimed_as or not _is_seen(share, place))


def in_place_note_path(folder: str, path: str, number: int) -> str:
    """Return where the note goes of a file that stays in a read-only inbox: unique by its number."""
    return claimed_path(folder, path, number)


def make_outcome_folders(share: Share, place: str) -> None:
    """Make the folders above a place in an outcome folder. Raises OSError, when the share is gone too."""
    if not share.is_reachable():
        raise share_lost_error(share)
    folders, _name = split_path(place)
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
