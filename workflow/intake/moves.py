"""Moving files inside the share: in one piece, and never onto another file."""

import errno
from contextlib import suppress

from workflow.intake.filenames import split_path
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
            if not exists_in_share(share, here):
                raise
        else:
            return
    raise OSError(errno.EBUSY, f"{there} can't be made: its folder keeps vanishing")


def exists_in_share(share: Share, place: str) -> bool:
    """True if there is anything at a path relative to the share's root."""
    folders, name = split_path(place)
    try:
        with open_folder(share.root, folders) as folder:
            return folder.has(name)
    except (FileNotFoundError, NotADirectoryError):
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
