"""The state folder: the database, the spool and logs, on a local disk, for one stlflow at a time."""

import os
import re
import secrets
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from filelock import FileLock, Timeout

from workflow.errors import StateFolderError, error_reason

KEY_BYTES = 32
_HOME_ID = re.compile(r"[0-9a-f]{32}")

NETWORK_FILE_SYSTEMS = frozenset(
    {
        "cifs",
        "smb2",
        "smb3",
        "smbfs",
        "nfs",
        "nfs4",
        "9p",
        "afs",
        "ceph",
        "glusterfs",
        "fuse.sshfs",
        "fuse.rclone",
    }
)
MOUNTS_FILE = Path("/proc/self/mounts")
PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600
"""Rights of the state folder: parts, names of people and Eiger's replies are private on a shared machine."""
REMOTE_DRIVE = 4  # GetDriveTypeW: DRIVE_REMOTE
START_LOCK_SECONDS = 1.0
"""How long a start waits for the lock: `stlflow status` and others hold it a moment, to see if it is free."""


def require_local_state_folder(folder: Path, share: Path) -> None:
    """Raise StateFolderError for a state folder on a network or in the share: databases break there."""
    place = _real_place(folder)
    if share.absolute() in {folder.absolute(), *folder.absolute().parents, place, *place.parents}:
        raise StateFolderError(
            f"The state folder {folder} is in the share. Set STLFLOW_STATE to a local folder."
        )
    if (kind := network_file_system(place)) is not None:
        raise StateFolderError(
            f"The state folder {folder} is on a network share ({kind}). Set STLFLOW_STATE to a local disk."
        )


def _real_place(folder: Path) -> Path:
    """Return where a folder really is: links to a share look local. Of links in a circle, the link itself."""
    try:
        return folder.resolve()
    except (OSError, RuntimeError):
        return folder.absolute()


def prepare_state_folder(folder: Path, share: Path) -> None:
    """Make the state folder, and prove that it can be written.

    Raises StateFolderError when it is in a wrong place, or can't be made or written.
    """
    require_local_state_folder(folder, share)
    place = folder.absolute()
    try:
        place.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        (place / "spool").mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=place, prefix=".probe-") as probe:
            probe.write(b"stlflow")
    except OSError as error:
        raise StateFolderError(
            f"The state folder {folder} can't be written: {error_reason(error)}."
        ) from None


def make_private_file(file: Path) -> None:
    """Make an empty file that only its owner can read, if there is none. Raises StateFolderError.

    SQLite gives a new database, its WAL and its shared memory the mode of the file that is there.
    """
    try:
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, PRIVATE_FILE))
    except OSError as error:
        raise StateFolderError(
            f"The state folder {file.parent} can't be written: {error_reason(error)}."
        ) from None


def read_private_key(file: Path) -> bytes:
    """Return the key in a private file, made at the first time. Raises StateFolderError.

    Several processes that start at once get the same one.
    """
    try:
        with FileLock(f"{file}.lock"):
            make_private_file(file)
            if len(key := file.read_bytes()) != KEY_BYTES:
                file.write_bytes(key := secrets.token_bytes(KEY_BYTES))
            return key
    except OSError as error:
        raise StateFolderError(f"{file} can't be written: {error_reason(error)}.") from None


def others_can_read(place: Path) -> bool:
    """True if accounts other than the owner's may read or enter a file or folder (POSIX)."""
    return os.name == "posix" and bool(place.stat().st_mode & 0o077)


def read_home_id(folder: Path) -> str:
    """Return the name that this state folder has among all that work on one ledger; made at the first start.

    Raises StateFolderError when it can't be written.
    """
    place = folder / "home"
    try:
        found = place.read_text("ascii", errors="replace").strip() if place.exists() else ""
        if _HOME_ID.fullmatch(found):
            return found
        unfinished = folder / "home.tmp"  # also in the place of what a power cut left empty
        with unfinished.open("w", encoding="ascii") as file:
            file.write(found := uuid4().hex)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(place)
    except OSError as error:
        raise StateFolderError(
            f"The state folder {folder} can't be written: {error_reason(error)}."
        ) from None
    return found


@contextmanager
def locked_state_folder(folder: Path) -> Iterator[None]:
    """Hold the single-instance lock of a state folder. Raises StateFolderError if another stlflow has it."""
    with _locked(folder, START_LOCK_SECONDS):
        yield


@contextmanager
def _locked(folder: Path, limit_seconds: float) -> Iterator[None]:
    lock = FileLock(folder / "lock", timeout=limit_seconds)
    try:
        lock.acquire()
    except Timeout:
        raise StateFolderError(
            f"Another stlflow is running on the state folder {folder.absolute()}. "
            "Stop it first, or set STLFLOW_STATE."
        ) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def locked_database(url: str | None) -> Iterator[None]:
    """Hold the lock of a SQLite file that the settings name; other databases are shared.

    Raises StateFolderError when another stlflow holds it: a SQLite file belongs to one process.
    """
    path = (url or "").removeprefix("sqlite:///")
    if path in {"", url}:
        yield
        return
    lock = FileLock(f"{path}.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise StateFolderError(
            f"Another stlflow is running on the database {path}. Stop it first. "
            "Several machines share a postgresql:// database."
        ) from None
    except OSError as error:
        raise StateFolderError(f"The database {path} can't be written: {error_reason(error)}.") from None
    try:
        yield
    finally:
        lock.release()


def is_state_folder_locked(folder: Path) -> bool:
    """True if a stlflow is running on the state folder; makes neither the folder nor a lock file."""
    if not (folder / "lock").is_file():
        return False
    try:
        with _locked(folder, 0):
            return False
    except StateFolderError:
        return True


def network_file_system(place: Path, mounts: Path = MOUNTS_FILE) -> str | None:
    """Return the network file system of a path; None for a local disk, or if unknown."""
    if sys.platform == "win32":
        return _windows_network_drive(place)
    try:
        lines = mounts.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return None
    kinds = {
        Path(_unescape_mount_point(line.split()[1])): line.split()[2]
        for line in lines
        if len(line.split()) > 2
    }
    holder = next((parent for parent in (place, *place.parents) if parent in kinds), None)
    kind = kinds[holder] if holder is not None else ""
    return kind if kind in NETWORK_FILE_SYSTEMS else None


def _unescape_mount_point(mount_point: str) -> str:
    """Undo the kernel's octal escapes for blanks."""
    return mount_point.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")


def _windows_network_drive(place: Path) -> str | None:
    if place.drive.startswith("\\\\"):
        return "UNC path"
    import ctypes

    drive_type = getattr(ctypes, "windll").kernel32.GetDriveTypeW(place.drive + os.sep)  # noqa: B009  # Windows only
    return "mapped drive" if drive_type == REMOTE_DRIVE else None
