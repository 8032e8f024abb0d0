"""What kind of file system the inbox is on, and what that means for how files are noticed."""

import math
import sys
from collections.abc import Iterator
from pathlib import Path

from workflow.doctor.finding import Finding, ok, warn
from workflow.intake import (
    LOCAL_FILE_SYSTEMS,
    WATCHES,
    count_folders,
    echo_seconds,
    file_system,
    mount_options,
)
from workflow.settings import Settings
from workflow.state import network_file_system

MOST_CACHE_SECONDS = 5
_CACHING = ("cifs", "smb3", "nfs", "nfs4")
_ATTRIBUTE_CACHE = "actimeo"


def kind(settings: Settings, inbox: Path) -> Iterator[Finding]:
    """Say whether the system tells of changes there, and how files are found where it does not."""
    if sys.platform != "linux":
        network = network_file_system(inbox)
        yield (
            _mapped(inbox)
            if network == "mapped drive"
            else ok(f"{inbox} lies on {network or 'a local disk'}.")
        )
        return
    yield judge_kind(
        file_system(inbox), mount_options(inbox), settings.sweep_seconds, settings.network_sweep_seconds
    )


def judge_kind(
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
    if kind in _CACHING and (cache is None or cache > MOST_CACHE_SECONDS):
        known = f"are remembered for {cache} s" if cache is not None else "may be remembered for a minute"
        return warn(
            f"{means}; sizes {known} by the mount.",
            "Mount it with actimeo=1, or run stlflow on the file server itself.",
        )
    return ok(f"{means}.")


def notices(inbox: Path, *, read_only: bool = False) -> Iterator[Finding]:
    """Make a file, and measure how long the system takes to tell; where it never does, looks find files."""
    if read_only:
        yield ok("Not tried, for no file is made in a read-only inbox: without notices the looks find files.")
        return
    if not inbox.is_dir():
        yield ok("There is no inbox yet to listen to.")
        return
    if file_system(inbox) not in {None, *LOCAL_FILE_SYSTEMS}:
        yield ok("No notices are expected from this kind of mount: the looks find everything.")
        return
    try:
        seconds = echo_seconds(inbox)
    except OSError as error:
        yield warn(
            f"The system gives no notices of changes: {error.strerror or error}.",
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


def watches(inbox: Path) -> Iterator[Finding]:
    """Compare the folders of the inbox with how many one user may watch."""
    if not inbox.is_dir() or not WATCHES.is_file():
        yield ok("There is nothing to count here.")
        return
    yield judge_watches(count_folders(inbox), int(WATCHES.read_text("ascii")))


def judge_watches(folders: int, limit: int) -> Finding:
    """Decide whether the limit is far enough away: other programs of the user count, too."""
    says = f"{folders:,} folders in the inbox; {limit:,} may be watched by one user."
    if folders * 2 > limit:
        return warn(says, f"`sysctl fs.inotify.max_user_watches={max(524_288, folders * 4)}`")
    return ok(says)


def _mapped(inbox: Path) -> Finding:
    return warn(
        f"{inbox} lies on a mapped drive: a service has no drive letters of people.",
        r"Write the share's own name: \\server\share\folder.",
    )


def _cache_seconds(options: tuple[str, ...]) -> int | None:
    """Give how long attributes are remembered: `actimeo=1`, or NFS' `acregmax=60`."""
    values = dict(option.split("=", 1) for option in options if "=" in option)
    found = values.get(_ATTRIBUTE_CACHE, values.get("acregmax", ""))
    return int(found) if found.isdigit() else None
