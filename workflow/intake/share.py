"""The shared folder: its five subfolders, and the marker that tells it from an empty mount point."""

import errno
import os
import re
import secrets
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from workflow.errors import NotAPlainFile, ShareError, error_reason
from workflow.frozen import frozen
from workflow.intake.filenames import claimed_path
from workflow.intake.fs import open_folder, open_regular_file, share_rights

MARKER = ".stlflow-share"
_MARKER_TEXT = "stlflow knows this share by the line above. Please leave the file here.\n"
_SHARE_ID = re.compile(r"[0-9a-f]{32}")
_MOST_BYTES = 64


def read_marker(root: Path) -> str | None:
    """Return the id of a share; None where there is no marker. Raises OSError when it can't be read."""
    try:
        with open_folder(root, ()) as folder, open(open_regular_file(folder, MARKER), "rb") as file:  # noqa: PTH123  # by descriptor
            found = _SHARE_ID.match(file.read(_MOST_BYTES).decode("ascii", errors="replace"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except NotAPlainFile:
        raise OSError(errno.EINVAL, f"{MARKER} has to be a plain file. Remove what is there") from None
    return found[0] if found else None


def make_marker(root: Path, share_id: str | None = None) -> str:
    """Mark a folder as a share, unless it is one; return its id. Raises OSError.

    The marker appears whole: of several services that mark a share at once, all get the same id.
    """
    if (found := read_marker(root)) is not None:
        return found
    ours = root / f"{MARKER}.{secrets.token_hex(4)}"
    try:
        ours.write_text(
            f"{share_id or secrets.token_hex(16)}\n{_MARKER_TEXT}", encoding="ascii", newline="\n"
        )
        _put_unless_there(ours, root / MARKER)
        if read_marker(root) is None:  # empty after a power cut, or a person's own file
            ours.replace(root / MARKER)
    finally:
        ours.unlink(missing_ok=True)
    return make_marker(root, share_id)  # the one that is there now, from any service


def _put_unless_there(ours: Path, marker: Path) -> None:
    with suppress(FileExistsError):
        try:
            marker.hardlink_to(ours)
        except FileExistsError:
            return
        except OSError:  # a file system without hard links
            with marker.open("xb") as file:
                file.write(ours.read_bytes())


CLAIMS_FOLDER_PREFIX = "stlflow-"
"""How the folders in processing/ begin that belong to one ledger each."""


APPROVED_FOLDER = "approved"
"""Beside held/: who moves a held file there, releases it."""


class Outcome(StrEnum):
    """How a file ended; the value is the name of its folder."""

    DONE = "done"
    REJECTED = "rejected"
    HELD = "held"


@frozen
class Share:
    """The folder that people drop files into. All paths inside are relative, with forward slashes.

    `owner` names the ledger whose claims these are: two services on one share never touch each
    other's. `marker` is the share's known id, "" where none is known. `left_inbox` is watched instead
    of inbox/, and only read. `watches` is the folder whose files are taken. `decides_by_moving`: a person
    decides by moving a held file to approved/ or rejected/; `decisions_folder` has these if not the share.
    """

    root: Path
    owner: str = ""
    marker: str = ""
    left_inbox: Path | None = None
    watches: str = "inbox"
    decides_by_moving: bool = False
    decisions_folder: Path | None = None

    @property
    def inbox(self) -> Path:
        """The watched folder."""
        return self.left_inbox or self.root / self.watches

    @property
    def claims_folder(self) -> str:
        """The folder of claimed files, under the share."""
        return f"processing/{CLAIMS_FOLDER_PREFIX}{self.owner}" if self.owner else "processing"

    def claimed_path(self, path: str, number: int) -> str:
        """Return the place of a claimed file under the share: unique by its number."""
        return claimed_path(self.claims_folder, path, number)

    @property
    def processing(self) -> Path:
        """Claimed files, while they are worked on."""
        return self.root / "processing"

    @property
    def done(self) -> Path:
        """Files whose build was sent."""
        return self.root / Outcome.DONE

    @property
    def rejected(self) -> Path:
        """Files that are at fault."""
        return self.root / Outcome.REJECTED

    @property
    def held(self) -> Path:
        """Files that a person must look at."""
        return self.root / Outcome.HELD

    @property
    def approved(self) -> Path:
        """Files that a person moved out of held/ to release them."""
        return self.decisions / APPROVED_FOLDER

    @property
    def decisions(self) -> Path:
        """The folder that holds those into which a person moves files to decide."""
        return self.decisions_folder or self.root

    def is_reachable(self) -> bool:
        """True if the share can be reached; an empty mount point has no marker, and no inbox."""
        return self.absence_reason() is None

    def absence_reason(self) -> str | None:
        """Return why the share is lost; None when it is there."""
        try:
            found = read_marker(self.root)
        except OSError as error:
            return f"{self.root}: {error_reason(error)}"
        if not self.marker or found == self.marker:
            # a marked share's own inbox is made again when it was removed; a read-only one is not
            missing = self.root if self.marker and self.left_inbox is None else self.inbox
            if self.left_inbox is None and self.inbox.is_symlink():
                return linked_folder_text(self.inbox).rstrip(".")
            return None if missing.is_dir() else f"{missing}: No such file or directory"
        if not self.root.is_dir():
            return f"{self.root}: No such file or directory"
        wrong = "is that of another share" if found else "is missing"
        return (
            f"{self.root}: the marker {MARKER} {wrong}. Is the right share mounted? "
            f"If this is the right folder: `stlflow intake mark`"
        )

    def prepare(self) -> str:
        """Make missing folders and the marker, and prove that files can be moved; return the marker's id.

        Raises ShareError.
        """
        if not self.root.parent.is_dir():
            raise ShareError(
                f"{self.root} can't be made: {self.root.parent} is missing. Is the share mounted?"
            )
        outcomes = [self.root / outcome for outcome in Outcome]
        deciding = [self.decisions, self.approved, self.decisions / Outcome.REJECTED]
        deciding = [each for each in deciding if self.decides_by_moving and each not in outcomes]
        moving = [self.root / "inbox", self.processing] if self.left_inbox is None else []
        for folder in (self.root, *moving, *outcomes, *deciding):
            _make(folder)
            if folder not in {self.root, self.decisions} and folder.is_symlink():
                raise ShareError(linked_folder_text(folder))
        for folder in (*moving[1:], *outcomes, *deciding) if moving else ():
            prove_move(moving[0], folder)
        try:
            return make_marker(self.root, self.marker or None)
        except OSError as error:
            raise ShareError(f"{self.root / MARKER} can't be written: {error_reason(error)}.") from None


def linked_folder_text(folder: Path) -> str:
    """Return the sentence about a link where one of the share's own folders has to be."""
    return (
        f"{folder} is a link, and has to be a folder of the share. "
        f"Remove the link and make a folder, or set STLFLOW_SHARE to the folder that holds them all."
    )


def share_lost_error(share: Share) -> OSError:
    """Return the error for a share that went away: no file is gone, everything waits."""
    return OSError(errno.EHOSTUNREACH, f"the share {share.root} can't be reached")


def _make(folder: Path) -> None:
    try:
        folder.mkdir()
        share_rights(folder, folder.parent.stat())
    except FileExistsError:
        if not folder.is_dir():
            raise ShareError(f"{folder} is a file, and has to be a folder. Rename that file.") from None
    except OSError as error:
        raise ShareError(f"{folder} can't be made: {error_reason(error)}.") from None


def prove_move(inbox: Path, folder: Path) -> None:
    """Rename an empty file there: the only proof, for two mounts may show the same device.

    Raises ShareError.
    """
    name = f".stlflow-{secrets.token_hex(4)}"
    probe, moved = inbox / name, folder / name
    try:
        probe.touch(exist_ok=False)
        probe.rename(moved)
    except OSError as error:
        raise ShareError(_cant_move(inbox, folder, error)) from None
    finally:
        for left in (probe, moved):
            with suppress(OSError):
                left.unlink(missing_ok=True)


def _cant_move(inbox: Path, folder: Path, error: OSError) -> str:
    if error.errno == errno.EXDEV:
        return (
            f"{inbox} and {folder} lie on different file systems, so no file can be moved in one piece. "
            f"Put all folders of the share on one disk or mount."
        )
    if isinstance(error, PermissionError):
        return (
            f"No right to move files from {inbox} to {folder}. "
            f"Give {account_name()} the right to write in both."
        )
    return f"A file can't be moved from {inbox} to {folder}: {error_reason(error)}."


def account_name() -> str:
    """Return the name of the account that this process runs as, for the person who sets the rights."""
    return f"user {os.geteuid()}" if hasattr(os, "geteuid") else "the service's account"
