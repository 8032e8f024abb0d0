"""How the inbox is heard, measured from outside: for whoever asks whether notices come at all."""

import os
import secrets
import threading
import time
from contextlib import suppress
from pathlib import Path

from workflow.intake.hints import ECHO, Hints

WATCHES = Path("/proc/sys/fs/inotify/max_user_watches")
"""How many folders one user may have watched (inotify(7))."""
_LIMIT_SECONDS = 2.0
_TICK_SECONDS = 0.001


def echo_seconds(inbox: Path) -> float | None:
    """Make and remove a hidden file, and give how long it takes to be told; None when it never is.

    One folder is watched for it, none below. Raises OSError when the system gives no (more) notices, or
    the file can't be made.
    """
    hints, tick = Hints(inbox, lambda: None, deep=False), threading.Event()
    hints.start()
    try:
        probe = inbox / f"{ECHO}{secrets.token_hex(4)}"
        began = time.monotonic()
        probe.touch(exist_ok=False)
        probe.unlink()
        while not hints.has_echoed():
            if time.monotonic() - began > _LIMIT_SECONDS:
                return None
            tick.wait(_TICK_SECONDS)
        return time.monotonic() - began
    finally:
        hints.stop()


def count_folders(inbox: Path) -> int:
    """Count the inbox and all folders below it: each takes one watch, links do not."""
    count, below = 1, [str(inbox)]
    while below:
        with suppress(OSError), os.scandir(below.pop()) as entries:
            folders = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
            count += len(folders)
            below += folders
    return count
