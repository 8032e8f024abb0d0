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
from workflow.errors import error_reason
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
            else ok(f"{inbox} lies on {network or 'a local disk'}.")
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
            f"{kind or 'A file system of unknown kind'}: local, so changes are told at once, and looked for "
            f"every {sweep_seconds:g} s."
        )
    means = (
        f"{kind}: a network or foreign mount. It tells nothing of what others change: it is looked through "
        f"every {network_sweep_seconds:g} s, and files must stand still for longer"
    )
    cache = _cache_seconds(options)
    if kind in _CACHING_FILE_SYSTEMS and (cache is None or cache > MAX_CACHE_SECONDS):
        known = f"are remembered for {cache} s" if cache is not None else "may be remembered for a minute"
        return warn(
            f"{means}; sizes {known} by the mount.",
            "Mount it with actimeo=1, or run stlflow on the file server itself.",
        )
    return ok(f"{means}.")


def check_change_events(inbox: Path, *, read_only: bool = False) -> Iterator[Finding]:
    """Make a file and measure how long the change event takes; without events, scans find files."""
    if read_only:
        yield ok("Not tried, for no file is made in a read-only inbox: without notices the looks find files.")
        return
    if not inbox.is_dir():
        yield ok("There is no inbox yet to listen to.")
        return
    if file_system_type(inbox) not in {None, *LOCAL_FILE_SYSTEMS}:
        yield ok("No notices are expected from this kind of mount: the looks find everything.")
        return
    try:
        seconds = measure_event_latency(inbox)
    except OSError as error:
        yield warn(
            f"The system gives no notices of changes: {error_reason(error)}.",
            "Files are found by the looks alone, some seconds later. Raise fs.inotify.max_user_instances "
            "and fs.inotify.max_user_watches.",
        )
        return
    if seconds is None:
        yield warn(
            "A file made as a test was not told by the system, as in some containers.",
            "Files are found by the looks alone, some seconds later: nothing else has to be done.",
        )
    else:
        yield ok(f"A file made as a test was told within {math.ceil(seconds * 1000)} ms.")


def check_watch_limit(inbox: Path) -> Iterator[Finding]:
    """Compare the folders of the inbox with how many one user may watch."""
    if not inbox.is_dir() or not INOTIFY_WATCH_LIMIT.is_file():
        yield ok("There is nothing to count here.")
        return
    yield judge_watch_limit(count_folders(inbox), int(INOTIFY_WATCH_LIMIT.read_text("ascii")))


def judge_watch_limit(folders: int, limit: int) -> Finding:
    """Decide whether the limit is far enough away: other programs of the user count, too."""
    says = f"{folders:,} folders in the inbox; {limit:,} may be watched by one user."
    if folders * 2 > limit:
        return warn(says, f"`sysctl fs.inotify.max_user_watches={max(524_288, folders * 4)}`")
    return ok(says)


def _mapped_drive_warning(inbox: Path) -> Finding:
    return warn(
        f"{inbox} lies on a mapped drive: a service has no drive letters of people.",
        r"Write the share's own name: \\server\share\folder.",
    )


def _cache_seconds(options: tuple[str, ...]) -> int | None:
    """Return how long attributes are remembered: `actimeo=1`, or NFS' `acregmax=60`."""
    values = dict(option.split("=", 1) for option in options if "=" in option)
    found = values.get(_CACHE_OPTION, values.get("acregmax", ""))
    return int(found) if found.isdigit() else None


PROBE_PREFIX = ".stlflow-probe-"
"""Hidden, and no STL: no look into the inbox takes such a file, or says a word about it."""
_PROBE_BYTES = b"stlflow looks whether it may write here.\n" * 100
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
            yield fail(f"{what} ({folder}) gives back other bytes than were written.", "Replace that disk.")
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
            yield fail(f"{probe} was made for this look and can't be removed.", "Remove it by hand.")


def _write_failure(folder: Path, what: str, doing: str, error: OSError) -> tuple[str, str]:
    says = f"A probe file in {what} ({folder}) can't be {doing}: {error_reason(error)}."
    if error.errno in _DISK_FULL_ERRORS:
        return says, "Make room there: delete what is old, or raise the quota."
    if error.errno == errno.EROFS:
        return says, "It is mounted read-only: mount it with the right to write."
    if isinstance(error, PermissionError):
        return says, f"Give {account_name()} the right to write and delete there."
    return says, "Look at that disk or mount; stlflow can't go on without it."


def account_name() -> str:
    """Name the account that this process runs as."""
    if not hasattr(os, "geteuid"):
        return "the service's account"
    return f"user {user_name(os.geteuid())}"


def user_name(uid: int) -> str:
    """Return the name of a user; the number where it has none, and on Windows."""
    try:
        import pwd

        return pwd.getpwuid(uid).pw_name
    except (ImportError, KeyError):
        return str(uid)
