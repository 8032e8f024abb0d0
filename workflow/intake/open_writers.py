"""Whether another program is still writing a file, asked of the kernel; what is mounted where."""

import os
import re
import signal
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from enum import StrEnum
from functools import lru_cache
from pathlib import Path, PurePosixPath

from workflow.frozen import frozen

MOUNTS_FILE = Path("/proc/self/mountinfo")


@frozen
class Mount:
    """One mount: its place, the kind of file system, its options, and what it shows (`nas:/export/cad`)."""

    place: str
    kind: str
    options: tuple[str, ...]
    source: str


def find_mount(folder: Path, mounts: Path = MOUNTS_FILE) -> Mount | None:
    """Return the mount that a folder is on; None where the system does not say."""
    try:
        by_place = _parse_mounts(mounts.read_text("utf-8", errors="surrogateescape"))
    except OSError:
        return None
    place = folder.resolve()
    return next((by_place[str(above)] for above in (place, *place.parents) if str(above) in by_place), None)


def file_system_type(folder: Path, mounts: Path = MOUNTS_FILE) -> str | None:
    """Return the kind of file system of a folder, such as `ext4`; None where the system does not say."""
    mount = find_mount(folder, mounts)
    return None if mount is None else mount.kind


def mount_options(folder: Path, mounts: Path = MOUNTS_FILE) -> tuple[str, ...]:
    """Return the options of the mount of a folder, such as `ro` or `actimeo=30`; none where unknown."""
    mount = find_mount(folder, mounts)
    return () if mount is None else mount.options


def join_source(top: str, below: PurePosixPath) -> str:
    """Return a path below the source of a mount: `nas:/export` and `cad` make `nas:/export/cad`."""
    return "/".join((top.rstrip("/"), *below.parts))


@lru_cache(maxsize=2)
def _parse_mounts(text: str) -> Mapping[str, Mount]:
    """Return what is seen at each place: the last mount there. The text seldom changes."""
    return {mount.place: mount for mount in map(_parse_mount, text.splitlines())}


def _parse_mount(line: str) -> Mount:
    """Parse `36 35 98:0 /cad /mnt/cad rw,noatime master:1 - nfs4 nas:/export rw` (proc(5))."""
    before, _, after = line.partition(" - ")
    own, its = before.split(" "), after.split(" ")
    options = (*own[5].split(","), *(option for part in its[2:] for option in part.split(",")))
    source = join_source(_unescape(its[1]), PurePosixPath(_unescape(own[3]).lstrip("/")))
    return Mount(_unescape(own[4]), its[0], options, source)


def _unescape(written: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda escape: chr(int(escape[1], 8)), written)


LOCAL_FILE_SYSTEMS = frozenset({"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "tmpfs", "overlay"})
"""Where the kernel sees every writer. On other file systems it sees only those of this machine."""

FD_CACHERS = frozenset({"ganesha.nfsd"})
"""Servers that keep a file open for minutes after their client has closed it (Ganesha: FD cache, NFS v3)."""

_PROCESSES = Path("/proc")


class WriterState(StrEnum):
    """What is known about programs that have a file open for writing."""

    NONE = "none"
    OPEN = "open"
    UNKNOWN = "unknown"


def find_writer(fd: int) -> WriterState:
    """Return whether any program has the file behind a read-only descriptor open for writing.

    A read lease is granted only where nobody has (fcntl(2), F_SETLEASE); it is given back at once.
    """
    if sys.platform != "linux":
        return WriterState.UNKNOWN
    import fcntl

    try:
        # A writer that opens in between makes the kernel send a signal: by default SIGIO, which
        # would end the process. SIGURG is ignored by default, in every thread.
        fcntl.fcntl(fd, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return WriterState.OPEN
    except OSError:  # not our file, or a file system without leases
        return WriterState.UNKNOWN
    return WriterState.NONE


def is_only_server_cached(fd: int) -> bool:
    """True if an open writer may be no more than a server's cache: no other program is seen to hold the file.

    Milliseconds of work. Programs of other users are seen by root only, those of other containers not at all.
    """
    held = os.fstat(fd)
    return FD_CACHERS.issuperset(_holders(held.st_dev, held.st_ino))


def _holders(device: int, inode: int) -> Iterator[str]:
    """Yield the names of the visible programs that have a file open, or mapped, for writing (proc(5))."""
    for process in _PROCESSES.iterdir():
        if process.name.isascii() and process.name.isdigit():
            with suppress(OSError):  # ended meanwhile, or not ours to see
                if _opened_by(process, device, inode) or _mapped_by(process, device, inode):
                    yield (process / "comm").read_text("utf-8", "replace").strip()


def _opened_by(process: Path, device: int, inode: int) -> bool:
    if sys.platform == "win32":
        return False
    for descriptor in (process / "fd").iterdir():
        with suppress(OSError):
            seen = descriptor.stat()
            if (seen.st_dev, seen.st_ino) == (device, inode) and stat.S_ISREG(seen.st_mode):
                told = (process / "fdinfo" / descriptor.name).read_text("ascii")
                flags = re.search(r"flags:\s*([0-7]+)", told)
                if flags and int(flags[1], 8) & os.O_ACCMODE != os.O_RDONLY:
                    return True
    return False


def _mapped_by(process: Path, device: int, inode: int) -> bool:
    """A shared, writable mapping counts as an open writer: `08:02 1234` are its device and inode."""
    if sys.platform == "win32":
        return False
    place = f" {os.major(device):02x}:{os.minor(device):02x} {inode} "
    maps = (process / "maps").read_text("utf-8", "replace")
    rights = (line.split(" ", 2)[1] for line in maps.splitlines() if place in line)
    return any(each[1] == "w" and each.endswith("s") for each in rights)


def sees_all_writers(folder: Path, mounts: Path = MOUNTS_FILE) -> bool:
    """True where `find_writer` can be trusted: only on known local file systems.

    NFS and SMB mounts refuse leases as if there were a writer, and FUSE sees local programs only.
    """
    return file_system_type(folder, mounts) in LOCAL_FILE_SYSTEMS
