"""Moving files inside the share: in one piece, and never onto another file."""

import ctypes
import errno
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache

from workflow.intake.folders import Folder, opened, remove_empty
from workflow.intake.names import split
from workflow.intake.share import Share, lost

_TRIES = 20
"""A folder that another thread found empty and removed is simply made again."""
_RENAME_NOREPLACE = 1  # renameat2(2), Linux
_RENAME_EXCL = 4  # renameatx_np(2), macOS
_NOT_SUPPORTED = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP}

_Rename = Callable[[int, bytes, int, bytes, int], int]


def move(share: Share, here: str, there: str, *, durable: bool = True) -> None:
    """Move a file; both paths are relative to the share's root. Missing folders are made.

    Raises FileExistsError when `there` is taken, FileNotFoundError when `here` is gone, and a plain
    OSError when the share itself is.
    """
    for _ in range(_TRIES):
        try:
            _move_once(share, here, there, durable=durable)
        except FileNotFoundError:
            if not share.is_there():
                raise lost(share) from None
            if not exists(share, here):
                raise
        else:
            return
    raise OSError(errno.EBUSY, f"{there} can't be made: its folder keeps vanishing")


def exists(share: Share, place: str) -> bool:
    """Tell whether anything stands at a path relative to the share's root."""
    (top, *folders), name = split(place)
    try:
        with opened(share.root / top, folders) as folder:
            return folder.has(name)
    except (FileNotFoundError, NotADirectoryError):
        return False


def _move_once(share: Share, here: str, there: str, *, durable: bool) -> None:
    (old_top, *old_folders), old_name = split(here)
    (new_top, *new_folders), new_name = split(there)
    if share.is_there():
        with suppress(FileExistsError):
            (share.root / new_top).mkdir()  # in case somebody tidied it away
    with (
        opened(share.root / old_top, old_folders) as source,
        opened(share.root / new_top, new_folders, make=True) as target,
    ):
        rename_without_replacing(source, old_name, target, new_name)
        if durable:
            target.sync()
            source.sync()
    if share.root / old_top == share.processing:
        remove_empty(share.processing, old_folders)


def rename_without_replacing(source: Folder, name: str, target: Folder, new_name: str) -> None:
    """Rename in one step. Raises FileExistsError when `new_name` is taken, else OSError.

    Over a network a rename may be done, and the answer says otherwise (lost, or repeated by the server):
    what became of the file counts, not the answer.
    """
    before = _look(source, name)
    if before is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
    try:
        _rename(source, name, target, new_name)
    except OSError:
        if not _was_done(before, source, name, target, new_name):
            raise


def _rename(source: Folder, name: str, target: Folder, new_name: str) -> None:
    call = _exclusive_rename()
    if call is None or source.fd is None or target.fd is None:
        _rename_by_system(source, name, target, new_name)
        return
    flag = _RENAME_EXCL if sys.platform == "darwin" else _RENAME_NOREPLACE
    if call(source.fd, os.fsencode(name), target.fd, os.fsencode(new_name), flag) == 0:
        return
    code = ctypes.get_errno()
    if code not in _NOT_SUPPORTED:
        raise OSError(code, os.strerror(code), name)
    _rename_onto_reservation(source, name, target, new_name)  # NFS and old kernels


def _was_done(before: os.stat_result, source: Folder, name: str, target: Folder, new_name: str) -> bool:
    """True if the very file has left its old name and stands under the new one."""
    there = _look(target, new_name)
    return there is not None and _same(there, before) and not source.has(name)


def _look(folder: Folder, name: str) -> os.stat_result | None:
    """Return what stands under a name, links not followed; None for nothing."""
    try:
        return os.stat(folder.at(name), dir_fd=folder.fd, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _same(one: os.stat_result, other: os.stat_result) -> bool:
    return (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)


@cache
def _exclusive_rename() -> _Rename | None:
    if sys.platform == "win32":
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    function = getattr(libc, "renameatx_np" if sys.platform == "darwin" else "renameat2", None)
    if function is not None:
        function.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
        function.restype = ctypes.c_int
    return function


def _rename_by_system(source: Folder, name: str, target: Folder, new_name: str) -> None:
    if sys.platform == "win32":
        os.rename(source.at(name), target.at(new_name))  # noqa: PTH104  # the twin of the calls by descriptor
    else:
        _rename_onto_reservation(source, name, target, new_name)


def _rename_onto_reservation(source: Folder, name: str, target: Folder, new_name: str) -> None:
    """Reserve the new name with an empty file that can only be ours, then rename onto that."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    fd = os.open(target.at(new_name), flags, 0o600, dir_fd=target.fd)
    try:
        reservation = os.fstat(fd)
    finally:
        os.close(fd)
    try:
        os.rename(source.at(name), target.at(new_name), src_dir_fd=source.fd, dst_dir_fd=target.fd)
    except OSError:
        if not _withdrawn(reservation, target, new_name) and not source.has(name):
            return  # the rename was done, whatever the answer says: the only copy stands there
        raise


def _withdrawn(reservation: os.stat_result, target: Folder, new_name: str) -> bool:
    """True if nothing but the empty reservation stood under the name; it is removed."""
    there = _look(target, new_name)
    if there is None:
        return True
    if not _same(there, reservation) or there.st_size > 0:
        return False
    with suppress(OSError):
        os.unlink(target.at(new_name), dir_fd=target.fd)
    return True
