"""Checks of the file system: its kind, change events, watch limits, and writing with probe files."""

import errno
import math
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from workflow.doctor.finding import Finding, fail, ok, warn
from workflow.errors import error_reason, format_count
from workflow.intake import (
    INOTIFY_WATCH_LIMIT,
    LOCAL_FILE_SYSTEMS,
    count_folders,
    file_system_type,
    measure_event_latency,
    mount_options,
)
from workflow.settings import Settings
from workflow.state_folder import network_file_system

MAX_CACHE_SECONDS = 5
_CACHING_FILE_SYSTEMS = ("cifs", "smb3", "nfs", "nfs4")
_CACHE_OPTION = "actimeo"


def check_file_system(settings: Settings, inbox: Path) -> Iterator[Finding]:
    """Check whether the system reports changes there, and how files are found otherwise."""
    if sys.platform != "linux":
        network = network_file_system(inbox)
        yield (
            _mapped_drive_warning(inbox)
            if network == "mapped drive"
            else ok(f"{inbox} is on {network or 'a local disk'}.")
        )
        return
    yield judge_file_system(
        file_system_type(inbox), mount_options(inbox), settings.sweep_seconds, settings.network_sweep_seconds
    )


def judge_file_system(
    kind: str | None, options: tuple[str, ...], sweep_seconds: float, network_sweep_seconds: float
) -> Finding:
    """Decide by the kind's name and the options of the mount (`actimeo=30`), as the kernel lists them."""
    if kind is None or kind in LOCAL_FILE_SYSTEMS:
        return ok(
            f"{kind or 'A file system of unknown kind'}: local. Changes are reported at once, and scans run "
            f"every {sweep_seconds:g} s."
        )
    means = (
        f"{kind}: a network or foreign mount. It does not report what others change: it is scanned "
        f"every {network_sweep_seconds:g} s, and files must be unchanged for longer"
    )
    cache = _cache_seconds(options)
    if kind in _CACHING_FILE_SYSTEMS and (cache is None or cache > MAX_CACHE_SECONDS):
        known = f"are cached for {cache} s" if cache is not None else "may be cached for a minute"
        return warn(
            f"{means}; sizes {known} by the mount.",
            "Mount it with actimeo=1, or run stlflow on the file server itself.",
        )
    return ok(f"{means}.")


def check_change_events(inbox: Path, *, read_only: bool = False) -> Iterator[Finding]:
    """Make a file and measure how long the change event takes; without events, scans find files."""
    if read_only:
        yield ok("Not tried: no file is made in a read-only inbox. Scans find the files in any case.")
        return
    if not inbox.is_dir():
        yield ok("There is no inbox yet.")
        return
    if file_system_type(inbox) not in {None, *LOCAL_FILE_SYSTEMS}:
        yield ok("This kind of mount reports no changes. Scans find the files.")
        return
    try:
        seconds = measure_event_latency(inbox)
    except OSError as error:
        yield warn(
            f"The system reports no changes: {error_reason(error)}.",
            "Scans find the files, some seconds later. Raise fs.inotify.max_user_instances "
            "and fs.inotify.max_user_watches.",
        )
        return
    if seconds is None:
        yield warn(
            "The system did not report a test file, as in some containers.",
            "Scans find the files, some seconds later. Nothing has to be done.",
        )
    else:
        yield ok(f"The system reported a test file within {math.ceil(seconds * 1000)} ms.")


def check_watch_limit(inbox: Path) -> Iterator[Finding]:
    """Compare the folders of the inbox with how many one user may watch."""
    if not inbox.is_dir() or not INOTIFY_WATCH_LIMIT.is_file():
        yield ok("There is no limit to check.")
        return
    yield judge_watch_limit(count_folders(inbox), int(INOTIFY_WATCH_LIMIT.read_text("ascii")))


def judge_watch_limit(folders: int, limit: int) -> Finding:
    """Return a warning if the limit is near: other programs of the user count, too."""
    says = f"{format_count(folders, 'folder')} in the inbox; {limit:,} may be watched by one user."
    if folders * 2 > limit:
        return warn(says, f"`sysctl fs.inotify.max_user_watches={max(524_288, folders * 4)}`")
    return ok(says)


def _mapped_drive_warning(inbox: Path) -> Finding:
    return warn(
        f"{inbox} is on a mapped drive: a service does not see the drive letters of users.",
        r"Write the name of the share: \\server\share\folder.",
    )


def _cache_seconds(options: tuple[str, ...]) -> int | None:
    """Return how long attributes are remembered: `actimeo=1`, or NFS' `acregmax=60`."""
    values = dict(option.split("=", 1) for option in options if "=" in option)
    found = values.get(_CACHE_OPTION, values.get("acregmax", ""))
    return int(found) if found.isascii() and found.isdigit() else None


PROBE_PREFIX = ".stlflow-probe-"
"""Hidden, and no STL: scans of the inbox ignore such a file."""
_PROBE_BYTES = b"stlflow checks whether it may write here.\n" * 100
_DISK_FULL_ERRORS = {errno.ENOSPC, errno.EDQUOT} if hasattr(errno, "EDQUOT") else {errno.ENOSPC}


def probe_writing(folder: Path, what: str) -> Iterator[Finding]:
    """Write, read, and remove a file and a folder; nothing is said when all of that works."""
    probe = folder / f"{PROBE_PREFIX}{secrets.token_hex(4)}"
    doing = "written"
    try:
        with probe.open("xb") as file:
            file.write(_PROBE_BYTES)
            file.flush()
            os.fsync(file.fileno())
        doing = "read back"
        if probe.read_bytes() != _PROBE_BYTES:
            yield fail(f"{what} ({folder}) returns other bytes than were written.", "Replace that disk.")
        doing = "removed"
        probe.unlink()
        doing = "made as a folder and removed"
        probe.mkdir()
        probe.rmdir()
    except OSError as error:
        yield fail(*_write_failure(folder, what, doing, error))
    finally:
        with suppress(OSError):
            probe.rmdir() if probe.is_dir() else probe.unlink(missing_ok=True)
    with suppress(OSError):
        if probe.exists():
            yield fail(f"{probe} was made for this check and can't be removed.", "Remove it by hand.")


def _write_failure(folder: Path, what: str, doing: str, error: OSError) -> tuple[str, str]:
    says = f"A probe file in {what} ({folder}) can't be {doing}: {error_reason(error)}."
    if error.errno in _DISK_FULL_ERRORS:
        return says, "Make room there: delete old files, or raise the quota."
    if error.errno == errno.EROFS:
        return says, "It is mounted read-only. Mount it for writing."
    if isinstance(error, PermissionError):
        return says, f"Give {account_name()} the right to write and delete there."
    return says, "Check that disk or mount: stlflow can't continue without it."


def account_name() -> str:
    """Name the account that this process runs as."""
    mine = own_user_id()
    return "the service's account" if mine is None else f"user {user_name(mine)}"


def own_user_id() -> int | None:
    """Return the number of the account that this process runs as; None on Windows."""
    if sys.platform == "win32":
        return None
    return os.geteuid()


def user_name(uid: int) -> str:
    """Return the name of a user; the number where it has none, and on Windows."""
    if sys.platform == "win32":
        return str(uid)
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
