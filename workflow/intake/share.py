"""The shared folder: its five subfolders, and the proof that files can be moved between them."""

import errno
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from workflow.errors import ShareError


class Outcome(StrEnum):
    """How a file ended; the value is the name of its folder."""

    DONE = "done"
    REJECTED = "rejected"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Share:
    """The folder that everybody drops into. All paths inside are relative, with forward slashes."""

    root: Path

    @property
    def inbox(self) -> Path:
        """The watched folder."""
        return self.root / "inbox"

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

    def is_there(self) -> bool:
        """Tell whether the share can be reached; an empty mount point has no inbox."""
        return self.inbox.is_dir()

    def prepare(self) -> None:
        """Make missing folders, and prove that a file can go from the inbox to every other one.

        Raises ShareError.
        """
        if not self.root.parent.is_dir():
            raise ShareError(
                f"{self.root} can't be made: {self.root.parent} is missing. Is the share mounted?"
            )
        others = (self.processing, self.done, self.rejected, self.held)
        for folder in (self.root, self.inbox, *others):
            _make(folder)
        for folder in others:
            _prove_move(self.inbox, folder)


def lost(share: Share) -> OSError:
    """Give the error for a share that went away: no file is gone, everything waits."""
    return OSError(errno.EHOSTUNREACH, f"the share {share.root} can't be reached")


def _make(folder: Path) -> None:
    try:
        folder.mkdir(exist_ok=True)
    except FileExistsError:
        raise ShareError(f"{folder} is a file, and has to be a folder. Rename that file.") from None
    except OSError as error:
        raise ShareError(f"{folder} can't be made: {error.strerror}.") from None


def _prove_move(inbox: Path, folder: Path) -> None:
    """A rename is the only proof: two mounts may show the same device."""
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
            f"No right to move files from {inbox} to {folder}. Give {_account()} the right to write in both."
        )
    return f"A file can't be moved from {inbox} to {folder}: {error.strerror}."


def _account() -> str:
    """Name the account that the service runs as, for whoever sets the rights."""
    return f"user {os.getuid()}" if hasattr(os, "getuid") else "the service's account"
