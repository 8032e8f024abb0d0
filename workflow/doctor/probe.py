"""Probe files: what may be done in a folder shows only when it is done."""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from workflow.doctor.finding import Finding, fail

PROBE = ".stlflow-probe-"
"""Hidden, and no STL: no look into the inbox takes such a file, or says a word about it."""
_BYTES = b"stlflow looks whether it may write here.\n" * 100
_FULL = {errno.ENOSPC, errno.EDQUOT} if hasattr(errno, "EDQUOT") else {errno.ENOSPC}


def prove_writing(folder: Path, what: str) -> Iterator[Finding]:
    """Write, read, and remove a file and a folder; nothing is said when all of that works."""
    probe = folder / f"{PROBE}{secrets.token_hex(4)}"
    doing = "written"
    try:
        with probe.open("xb") as file:
            file.write(_BYTES)
            file.flush()
            os.fsync(file.fileno())
        doing = "read back"
        if probe.read_bytes() != _BYTES:
            yield fail(f"{what} ({folder}) gives back other bytes than were written.", "Replace that disk.")
        doing = "removed"
        probe.unlink()
        doing = "made as a folder and removed"
        probe.mkdir()
        probe.rmdir()
    except OSError as error:
        yield fail(*_trouble(folder, what, doing, error))
    finally:
        with suppress(OSError):
            probe.rmdir() if probe.is_dir() else probe.unlink(missing_ok=True)
    with suppress(OSError):
        if probe.exists():
            yield fail(f"{probe} was made for this look and can't be removed.", "Remove it by hand.")


def _trouble(folder: Path, what: str, doing: str, error: OSError) -> tuple[str, str]:
    says = f"A probe file in {what} ({folder}) can't be {doing}: {error.strerror or error}."
    if error.errno in _FULL:
        return says, "Make room there: delete what is old, or raise the quota."
    if error.errno == errno.EROFS:
        return says, "It is mounted read-only: mount it with the right to write."
    if isinstance(error, PermissionError):
        return says, f"Give {account()} the right to write and delete there."
    return says, "Look at that disk or mount; stlflow can't go on without it."


def account() -> str:
    """Name the account that this process runs as."""
    if not hasattr(os, "geteuid"):
        return "the service's account"
    return f"user {name_of(os.geteuid())}"


def name_of(uid: int) -> str:
    """Give the name of a user; the number where it has none, and on Windows."""
    try:
        import pwd

        return pwd.getpwuid(uid).pw_name
    except (ImportError, KeyError):
        return str(uid)
