"""A read-only inbox: nothing is moved, and a memory of what was taken keeps it from being taken again.

The same share is mounted elsewhere on each machine, so a folder gets a name that is the same on all of them.
"""

import hashlib
import os
import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath

from loguru import logger

from workflow.errors import NotAPlainFile, StlflowError, error_reason
from workflow.intake.claim import FileStamp, IntakeStore, NotTakenYet
from workflow.intake.completeness import FileSignature
from workflow.intake.filenames import is_utf8, printable_path, split_path
from workflow.intake.fs import open_folder, open_regular_file
from workflow.intake.open_writers import MOUNTS_FILE, find_mount, join_source
from workflow.intake.share import Share, read_marker

STILL_READING_REASON = "what was taken from this place is being read: then it shows whether this is new"
NOT_UTF8_REASON = "its name, or that of its folder, holds bytes that are no UTF-8: rename it"


class InPlaceSubmitter:
    """Takes files of a read-only inbox where they are."""

    def __init__(self, share: Share, store: IntakeStore) -> None:
        self._share, self._store = share, store
        self._known: dict[str, FileStamp] | None = None

    def new_paths(self, paths: Collection[str]) -> frozenset[str]:
        """Return what was not taken before as it is now. Raises StlflowError, OSError.

        A part that was renamed or moved inside the inbox is the same part: it is remembered under its new
        path, and does not count as new.
        """
        known = self._memory()
        new = {path for path in paths if not self._is_known(path, known)}
        vanished = self._vanished_by_content(known, paths) if new else {}
        return frozenset(path for path in new if not (vanished and self._record_move(path, vanished)))

    def prepare(self, paths: Sequence[str]) -> None:
        """Do nothing: no file is touched before its submission begins."""

    def submit_file(self, path: str, seen: FileSignature) -> bool:
        """Begin a submission, unless only the file's times are new. Raises NotTakenYet."""
        if not is_utf8(path):  # nobody could find it again: its name can't be written down
            raise NotTakenYet(NOT_UTF8_REASON)
        left = FileStamp(seen.size, seen.mtime_ns, seen.ctime_ns)
        try:
            alike = {old: known for old, known in self._memory().items() if known[:2] == left[:2]}
            vanished = self._vanished_by_content(alike, (path,))
            if vanished and self._record_move(path, vanished):  # one rename alone wakes no scan
                return False
            taken = self._submit_if_changed(path, left)
        except (StlflowError, OSError) as error:
            raise NotTakenYet(error_reason(error)) from error
        self._memory()[path] = left
        return taken

    def record_pending_claims(self) -> bool:
        """A file is taken and written down in one step: nothing is left to write."""
        return True

    def _memory(self) -> dict[str, FileStamp]:
        if self._known is None:
            self._known = dict(self._store.left())
        return self._known

    def _is_known(self, path: str, known: Mapping[str, FileStamp]) -> bool:
        return path in known and matches_stamp(self._share.inbox / path, known[path])

    def _vanished_by_content(
        self, known: Mapping[str, FileStamp], paths: Collection[str]
    ) -> dict[tuple[int, int], list[str]]:
        """Return the paths that are gone, by size and time of the last change: a rename keeps both."""
        vanished: dict[tuple[int, int], list[str]] = {}
        for path in known.keys() - set(paths):
            with suppress(OSError):
                if not os.path.lexists(self._share.inbox / path):
                    vanished.setdefault(known[path][:2], []).append(path)
        return vanished

    def _record_move(self, path: str, vanished: Mapping[tuple[int, int], list[str]]) -> bool:
        """True if the new path has the very content of one that is gone; then that one was renamed."""
        try:
            seen = (self._share.inbox / path).lstat()
            left = FileStamp(seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)
            former = vanished.get(left[:2], [])
            sha256 = _sha256(self._share.inbox, path) if former and is_utf8(path) else None
        except (OSError, NotAPlainFile):
            return False
        for old in former:
            before = self._store.previous_submission(printable_path(old))
            if before is not None and before.sha256 is not None and before.sha256 == sha256:
                self._store.record_unchanged(printable_path(path), left, before)
                self._memory()[path] = left
                self._memory().pop(old, None)
                former.remove(old)
                logger.info("{} is now {}: the same part, it is not taken again.", old, printable_path(path))
                return True
        return False

    def _submit_if_changed(self, path: str, left: FileStamp) -> bool:
        """Another machine may see the same file with other times: then its content decides."""
        name = printable_path(path)
        before = self._store.previous_submission(name)
        if before is not None and before.left == left:
            return False
        if before is not None and before.unread:
            raise NotTakenYet(STILL_READING_REASON)
        if before is not None and before.sha256 == _sha256(self._share.inbox, path):
            self._store.record_unchanged(name, left, before)
            return False
        if not self._store.submit_in_place(name, left, before):
            raise NotTakenYet(STILL_READING_REASON)
        return True


def matches_stamp(place: Path, left: FileStamp) -> bool:
    """True if a file is there and looks as it did when it was taken."""
    try:
        now = place.lstat()
    except OSError:
        return False
    return left == FileStamp(now.st_size, now.st_mtime_ns, now.st_ctime_ns)


def _sha256(inbox: Path, path: str) -> str:
    folders, name = split_path(path)
    with open_folder(inbox, folders) as folder, open(open_regular_file(folder, name), "rb") as file:  # noqa: PTH123  # by descriptor
        return hashlib.file_digest(file, "sha256").hexdigest()


_SERVED = re.compile(r"//|[^/\s]+:/")
"""How the source of a mount begins that a server gives to several machines: `//nas/cad`, `nas:/export`."""


def folder_origin(folder: Path, host: str, mounts: Path = MOUNTS_FILE) -> str:
    """Return the same name for a folder on every machine that sees it.

    It is made of the marker of the share that the folder is in, or of its server, or of this `host`. Raises
    OSError when a share can't be read now.
    """
    place = folder.resolve()
    for above in (place, *place.parents):
        with suppress(PermissionError):  # a folder of others high above may be shut
            if (share_id := read_marker(above)) is not None:
                return join_source(f"share {share_id}", PurePosixPath(*place.relative_to(above).parts))
    mount = find_mount(place, mounts)
    if mount is not None and _SERVED.match(mount.source):
        return join_source(mount.source, PurePosixPath(place.relative_to(mount.place)))
    return place.as_posix() if place.drive.startswith("\\\\") else f"{host}:{place.as_posix()}"
