"""Folders held open, so that nobody can swap one for a link between the check and the act.

Renames in one step that never replace a file.
"""

import ctypes
import errno
import os
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from workflow.errors import NotAPlainFile
from workflow.frozen import frozen

_BY_DESCRIPTOR = {os.open, os.mkdir, os.rename, os.unlink} <= os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
_FOLDER_FLAGS = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
_GROUP_RIGHTS = stat.S_IRWXG | stat.S_ISGID
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_PART_FLAGS = (
    os.O_RDONLY
    | _NO_FOLLOW
    | getattr(os, "O_NONBLOCK", 0)  # a pipe would block for ever
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


@frozen
class OpenFolder:
    """A folder held open: its descriptor, or None where the system has no calls by descriptor."""

    path: Path
    fd: int | None

    def at(self, name: str) -> str:
        """Return what to pass to a call of `os` together with `dir_fd=fd`."""
        return name if self.fd is not None else str(self.path / name)

    def has(self, name: str) -> bool:
        """True if anything has that name, a dangling link included."""
        try:
            os.stat(self.at(name), dir_fd=self.fd, follow_symlinks=False)
        except FileNotFoundError:
            return False
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:  # nothing can have such a name
                raise
            return False
        return True

    def sync(self) -> None:
        """Make renames in this folder survive a power cut, where the file system can."""
        if self.fd is not None:
            try:
                os.fsync(self.fd)
            except OSError as error:
                if error.errno not in {errno.EINVAL, errno.ENOTSUP}:
                    raise


@contextmanager
def open_folder(base: Path, folders: Sequence[str], *, make: bool = False) -> Iterator[OpenFolder]:
    """Hold open a folder below `base`; links are followed up to `base` and never below.

    `make` makes missing folders below `base`, never `base` itself: it may be an absent mount.
    Raises NotADirectoryError where a link or a file is in the way, otherwise OSError.
    """
    path = base.joinpath(*folders)
    if not _BY_DESCRIPTOR:
        _check_by_path(base, folders, make=make)
        yield OpenFolder(path, None)
        return
    fd = _descend(base, folders, make=make)
    try:
        yield OpenFolder(path, fd)
    finally:
        os.close(fd)


def open_regular_file(folder: OpenFolder, name: str) -> int:
    """Open a plain file for reading and give its descriptor.

    Raises NotAPlainFile for links, folders, pipes, sockets and devices, which are never opened.
    """
    seen = os.stat(folder.at(name), dir_fd=folder.fd, follow_symlinks=False)
    if not stat.S_ISREG(seen.st_mode):
        raise NotAPlainFile(f"{name} is {_file_type(seen.st_mode)}, not a file of its own: it is left alone.")
    try:
        fd = os.open(folder.at(name), _PART_FLAGS, dir_fd=folder.fd)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.EMLINK, errno.ENXIO}:  # swapped since the check
            raise NotAPlainFile(f"{name} was swapped for something else: it is left alone.") from None
        raise
    opened_file = os.fstat(fd)
    if (opened_file.st_dev, opened_file.st_ino) != (seen.st_dev, seen.st_ino):
        os.close(fd)
        raise FileNotFoundError(errno.ENOENT, "replaced while it was checked", name)
    return fd


def remove_empty_folders(base: Path, folders: Sequence[str]) -> None:
    """Remove a chain of folders below `base`, as far up as they are empty."""
    with suppress(OSError):
        for depth in range(len(folders), 0, -1):
            base.joinpath(*folders[:depth]).rmdir()


def _descend(base: Path, folders: Sequence[str], *, make: bool) -> int:
    fd = os.open(base, _FOLDER_FLAGS)
    for depth, name in enumerate(folders, 1):
        try:
            if make:
                _make_folder(name, fd)
            below = os.open(name, _FOLDER_FLAGS | _NO_FOLLOW, dir_fd=fd)
        except OSError as error:
            raise _blocked_path_error(error, "/".join(folders[:depth])) from None
        finally:
            os.close(fd)
        fd = below
    return fd


def _make_folder(name: str, above: int) -> None:
    with suppress(FileExistsError):
        os.mkdir(name, dir_fd=above)
        share_rights(name, os.fstat(above), dir_fd=above)


def share_rights(made: str | Path, above: os.stat_result, dir_fd: int | None = None) -> None:
    """Set the group of a new folder, and what that group may do, to those of the folder above.

    A share is for a group of people: where they may drop files, they may drag them back. What the system
    refuses stays as it is; the checkup finds it.
    """
    with suppress(OSError, NotImplementedError):
        seen = os.stat(made, dir_fd=dir_fd, follow_symlinks=False)
        if hasattr(os, "chown") and seen.st_gid != above.st_gid:
            os.chown(made, -1, above.st_gid, dir_fd=dir_fd, follow_symlinks=False)
        mode = stat.S_IMODE(seen.st_mode) | (above.st_mode & _GROUP_RIGHTS)
        if mode != stat.S_IMODE(seen.st_mode):
            os.chmod(made, mode, dir_fd=dir_fd)


def _check_by_path(base: Path, folders: Sequence[str], *, make: bool) -> None:
    """The same by path, for systems without calls by descriptor."""
    place = base
    if not base.is_dir():
        raise FileNotFoundError(errno.ENOENT, "No such folder", str(base))
    for depth, name in enumerate(folders, 1):
        place = place / name
        if make:
            with suppress(FileExistsError):
                place.mkdir()
                share_rights(place, place.parent.stat())
        if not stat.S_ISDIR(place.lstat().st_mode):
            raise _blocked_path_error(NotADirectoryError(errno.ENOTDIR, ""), "/".join(folders[:depth]))


def _blocked_path_error(error: OSError, name: str) -> OSError:
    if error.errno in {errno.ELOOP, errno.ENOTDIR}:
        return NotADirectoryError(errno.ENOTDIR, f"{name} is a link or a file where a folder has to be")
    return error


def _file_type(mode: int) -> str:
    kinds = {
        stat.S_ISLNK: "a link",
        stat.S_ISDIR: "a folder",
        stat.S_ISFIFO: "a pipe",
        stat.S_ISSOCK: "a socket",
    }
    return next((word for is_kind, word in kinds.items() if is_kind(mode)), "a device")


_RENAME_NOREPLACE = 1  # renameat2(2), Linux
_RENAME_EXCL = 4  # renameatx_np(2), macOS
_NOT_SUPPORTED = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP}

_Rename = Callable[[int, bytes, int, bytes, int], int]


def rename_without_replacing(source: OpenFolder, name: str, target: OpenFolder, new_name: str) -> None:
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


def _rename(source: OpenFolder, name: str, target: OpenFolder, new_name: str) -> None:
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


def _was_done(
    before: os.stat_result, source: OpenFolder, name: str, target: OpenFolder, new_name: str
) -> bool:
    """True if the very file has left its old name and has the new one."""
    there = _look(target, new_name)
    return there is not None and _same(there, before) and not source.has(name)


def _look(folder: OpenFolder, name: str) -> os.stat_result | None:
    """Return the stat result of a name, links not followed; None for nothing."""
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
    libc = ctypes.CDLL(None, use_errno=True)  # its functions take ints and bytes as C does
    found: _Rename | None = getattr(libc, "renameatx_np" if sys.platform == "darwin" else "renameat2", None)
    return found


def _rename_by_system(source: OpenFolder, name: str, target: OpenFolder, new_name: str) -> None:
    if sys.platform == "win32":
        os.rename(source.at(name), target.at(new_name))  # noqa: PTH104  # the twin of the calls by descriptor
    else:
        _rename_onto_reservation(source, name, target, new_name)


def _rename_onto_reservation(source: OpenFolder, name: str, target: OpenFolder, new_name: str) -> None:
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
            return  # the rename was done, whatever the answer says: the only copy is there
        raise


def _withdrawn(reservation: os.stat_result, target: OpenFolder, new_name: str) -> bool:
    """True if nothing but the empty reservation stood under the name; it is removed."""
    there = _look(target, new_name)
    if there is None:
        return True
    if not _same(there, reservation) or there.st_size > 0:
        return False
    with suppress(OSError):
        os.unlink(target.at(new_name), dir_fd=target.fd)
    return True
