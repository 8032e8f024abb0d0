"""Folders held open, so that nobody can swap one for a link between the look and the act."""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from workflow.errors import NotAPlainFile

_BY_DESCRIPTOR = {os.open, os.mkdir, os.rename, os.unlink} <= os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
_FOLDER_FLAGS = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_PART_FLAGS = (
    os.O_RDONLY
    | _NO_FOLLOW
    | getattr(os, "O_NONBLOCK", 0)  # a pipe would block for ever
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder held open: its descriptor, or None where the system has no calls by descriptor."""

    path: Path
    fd: int | None

    def at(self, name: str) -> str:
        """Give what to pass to a call of `os` together with `dir_fd=fd`."""
        return name if self.fd is not None else str(self.path / name)

    def has(self, name: str) -> bool:
        """Tell whether anything stands under that name, a dangling link included."""
        try:
            os.stat(self.at(name), dir_fd=self.fd, follow_symlinks=False)
        except FileNotFoundError:
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
def opened(base: Path, folders: Sequence[str], *, make: bool = False) -> Iterator[Folder]:
    """Hold open a folder below `base`; links are followed up to `base` and never below.

    `make` makes missing folders below `base`, never `base` itself: it may be an absent mount.
    Raises NotADirectoryError where a link or a file stands in the way, else OSError.
    """
    path = base.joinpath(*folders)
    if not _BY_DESCRIPTOR:
        _walk(base, folders, make=make)
        yield Folder(path, None)
        return
    fd = _descend(base, folders, make=make)
    try:
        yield Folder(path, fd)
    finally:
        os.close(fd)


def open_part(folder: Folder, name: str) -> int:
    """Open a plain file for reading and give its descriptor.

    Raises NotAPlainFile for links, folders, pipes, sockets and devices, which are never opened.
    """
    seen = os.stat(folder.at(name), dir_fd=folder.fd, follow_symlinks=False)
    if not stat.S_ISREG(seen.st_mode):
        raise NotAPlainFile(f"{name} is {_kind(seen.st_mode)}, not a file of its own: it is left alone.")
    try:
        fd = os.open(folder.at(name), _PART_FLAGS, dir_fd=folder.fd)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.EMLINK, errno.ENXIO}:  # swapped since the look
            raise NotAPlainFile(f"{name} was swapped for something else: it is left alone.") from None
        raise
    opened_file = os.fstat(fd)
    if (opened_file.st_dev, opened_file.st_ino) != (seen.st_dev, seen.st_ino):
        os.close(fd)
        raise FileNotFoundError(errno.ENOENT, "replaced while it was looked at", name)
    return fd


def remove_empty(base: Path, folders: Sequence[str]) -> None:
    """Remove a chain of folders below `base`, as far up as they are empty."""
    with suppress(OSError):
        for depth in range(len(folders), 0, -1):
            base.joinpath(*folders[:depth]).rmdir()


def _descend(base: Path, folders: Sequence[str], *, make: bool) -> int:
    fd = os.open(base, _FOLDER_FLAGS)
    for name in folders:
        try:
            if make:
                with suppress(FileExistsError):
                    os.mkdir(name, dir_fd=fd)
            below = os.open(name, _FOLDER_FLAGS | _NO_FOLLOW, dir_fd=fd)
        except OSError as error:
            raise _in_the_way(error, name) from None
        finally:
            os.close(fd)
        fd = below
    return fd


def _walk(base: Path, folders: Sequence[str], *, make: bool) -> None:
    """The same by path, for systems without calls by descriptor."""
    place = base
    if not base.is_dir():
        raise FileNotFoundError(errno.ENOENT, "No such folder", str(base))
    for name in folders:
        place = place / name
        if make:
            with suppress(FileExistsError):
                place.mkdir()
        if not stat.S_ISDIR(place.lstat().st_mode):
            raise _in_the_way(NotADirectoryError(errno.ENOTDIR, ""), name)


def _in_the_way(error: OSError, name: str) -> OSError:
    if error.errno in {errno.ELOOP, errno.ENOTDIR}:
        return NotADirectoryError(errno.ENOTDIR, f"{name} is a link or a file where a folder has to be")
    return error


def _kind(mode: int) -> str:
    kinds = {
        stat.S_ISLNK: "a link",
        stat.S_ISDIR: "a folder",
        stat.S_ISFIFO: "a pipe",
        stat.S_ISSOCK: "a socket",
    }
    return next((word for is_kind, word in kinds.items() if is_kind(mode)), "a device")
