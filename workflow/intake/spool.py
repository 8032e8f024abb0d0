"""The spool: a private copy of the claimed bytes. What is inspected and sent is this copy."""

import errno
import hashlib
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from workflow.errors import StillChanging
from workflow.frozen import frozen
from workflow.intake.completeness import FileSignature, signature_of
from workflow.intake.fs import OpenFolder, open_folder, open_regular_file
from workflow.intake.open_writers import WriterState, find_writer, is_only_server_cached, sees_all_writers
from workflow.intake.stability import StabilityTimes


def file_owner(descriptor: int) -> str | None:
    """Return the name of an open file's owner; None where its account has no name, and on Windows.

    On a mounted share the server decides: often it is the account that mounted it.
    """
    return account_of(os.fstat(descriptor))


def account_of(status: os.stat_result) -> str | None:
    """Return the name of the account that a file belongs to; None for one without a name, and on Windows."""
    if sys.platform == "win32":
        return None
    import pwd

    try:
        return pwd.getpwuid(status.st_uid).pw_name
    except KeyError:
        return None


_CHUNK_BYTES = 1 << 20
_SPOOL_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)


@frozen
class SpooledFile:
    """What was copied: size in bytes, sha256 in hex, and whose the file was, where the system tells."""

    size: int
    sha256: str
    owner: str | None = None


@frozen
class FileRoots:
    """Where a file may be: below the root of the share, or below a read-only inbox; else anywhere.

    Links are followed up to there and never below. Where it can't be reached, a missing file is not gone.
    """

    share: Path | None = None
    inbox: Path | None = None


_ANYWHERE = FileRoots()


def copy_to_spool(source: Path, spool_file: Path, roots: FileRoots = _ANYWHERE) -> SpooledFile:
    """Copy a file into the spool and hash it on the way; the copy appears whole, or not at all.

    Raises StillChanging when a program writes to the file,
    NotAPlainFile for a link, pipe, folder or device, FileNotFoundError when it is gone, and OSError
    when it can't be read or the disk is full.
    """
    top, folders = _split_trusted_root(source.parent, roots)
    with open_folder(top, folders) as folder:
        with FileIO(open_regular_file(folder, source.name)) as file, _atomic_write(spool_file) as copy:
            asked = sees_all_writers(folder.path)  # elsewhere the answer may be a yes for ever
            before = _signature(file, source.name, refuse_writer=asked)
            sha256, owner = _copy(file, copy), file_owner(file.fileno())
            after = _signature(file, source.name, refuse_writer=asked)
            if not before == after == _signature_by_name(folder, source.name):
                raise StillChanging(f"{source.name} changed while it was read.")
        folder.sync()  # the claim's rename must survive a power cut before anything is sent
    return SpooledFile(before.size, sha256, owner)


def hash_file(source: Path, roots: FileRoots = _ANYWHERE) -> str:
    """Return the sha256 of a file in hex. Raises FileNotFoundError, NotAPlainFile, OSError."""
    top, folders = _split_trusted_root(source.parent, roots)
    with open_folder(top, folders) as folder, FileIO(open_regular_file(folder, source.name)) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _split_trusted_root(folder: Path, roots: FileRoots) -> tuple[Path, Sequence[str]]:
    """Return the folder up to which links may be followed, and the names of those below."""
    root = roots.inbox or roots.share
    if root is None:
        return folder, ()
    below = folder.relative_to(root).parts
    top = root if roots.inbox else root / below[0]
    if not top.is_dir():
        raise OSError(errno.EHOSTUNREACH, f"the share {root} can't be reached")
    return root, below


def _signature(file: FileIO, name: str, *, refuse_writer: bool) -> FileSignature:
    if refuse_writer and find_writer(file.fileno()) is WriterState.OPEN and not _is_cached(file):
        raise StillChanging(f"{name} is still open in another program.")
    return signature_of(os.fstat(file.fileno()))


def _is_cached(file: FileIO) -> bool:
    """True if the open file is one that a server keeps from its client's last write, long ago."""
    still_for = time.time() - os.fstat(file.fileno()).st_mtime
    return still_for >= StabilityTimes().decay_seconds and is_only_server_cached(file.fileno())


def _signature_by_name(folder: OpenFolder, name: str) -> FileSignature | None:
    try:
        return signature_of(os.stat(folder.at(name), dir_fd=folder.fd, follow_symlinks=False))
    except FileNotFoundError:
        return None


def _copy(source: FileIO, copy: BinaryIO) -> str:
    """Copy all bytes; return their sha256 in hex."""
    digest = hashlib.sha256()
    while chunk := source.read(_CHUNK_BYTES):
        digest.update(chunk)
        copy.write(chunk)
    return digest.hexdigest()


@contextmanager
def _atomic_write(target: Path) -> Iterator[BinaryIO]:
    """Open a private file that takes its name only once it is complete and on the disk."""
    unfinished = target.with_name(f"{target.name}.tmp")
    try:
        with os.fdopen(os.open(unfinished, _SPOOL_FLAGS, 0o600), "wb") as copy:
            yield copy
            copy.flush()
            os.fsync(copy.fileno())
        unfinished.replace(target)
    finally:  # no half copy stays behind, whatever ended it
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
