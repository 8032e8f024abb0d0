"""Checks of the machine and the state folder: versions, space, rights, owners, and whether stlflow runs."""

import os
import platform
import shutil
import sqlite3
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from workflow import __version__
from workflow.doctor.finding import Check, Finding, checks_of, fail, ok, quote_word, warn
from workflow.doctor.mount import account_name, own_user_id, probe_writing, user_name
from workflow.errors import EXIT_USAGE, StateFolderError, format_count
from workflow.intake import file_system_type
from workflow.settings import Settings
from workflow.state_folder import is_state_folder_locked, others_can_read, require_local_state_folder

REPORTED_PACKAGES = ("sqlalchemy", "watchdog", "requests", "urllib3", "numpy", "numpy-stl", "pydantic")
"""Packages whose release is most useful in a bug report."""
OPTIONAL_PACKAGES = ("psycopg",)
"""Of the extra `postgres`: named where they are installed."""


def check_versions() -> Iterator[Finding]:
    """Show the versions of stlflow, Python and its packages."""
    found = {name: _package_version(name) for name in REPORTED_PACKAGES}
    missing = [name for name, release in found.items() if release is None]
    if missing:
        yield fail(f"Not installed: {', '.join(missing)}.", "Install stlflow again: `pip install stlflow`.")
    found |= {name: _package_version(name) for name in OPTIONAL_PACKAGES}
    packages = ", ".join(f"{name} {release}" for name, release in found.items() if release)
    python = f"Python {platform.python_version()} on {platform.system()}"
    yield ok(f"stlflow {__version__}, {python}, SQLite {sqlite3.sqlite_version}; {packages}.")


def _package_version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


MACHINE_CHECKS = (
    Check("machine.versions", "which releases of stlflow, Python and packages run", check_versions),
)


MIN_FREE_BYTES = 64 * 2**20
"""Below this, a database, a log and one part hardly fit."""
_GIB, _MIB = 2**30, 2**20


def check_free_space(folder: Path, what: str, needed_bytes: int, needed_for: str) -> Iterator[Finding]:
    """Check the free space where a folder is, or will be."""
    place = next((above for above in (folder, *folder.parents) if above.exists()), None)
    if place is None:  # a drive of Windows that is not there
        yield fail(f"{folder} is on a drive that is not there.", "Connect the drive, or correct the path.")
        return
    yield judge_free_space(shutil.disk_usage(place).free, what, needed_bytes, needed_for)
    if hasattr(os, "statvfs"):
        seen = os.statvfs(place)
        if seen.f_files and not seen.f_favail:
            yield fail(f"No more files fit beside {what}: the disk has no inodes left.", "Delete many files.")


def judge_free_space(free_bytes: int, what: str, needed_bytes: int, needed_for: str) -> Finding:
    """Return whether that is enough; sizes in bytes."""
    free = f"{format_bytes(free_bytes)} free beside {what}"
    if free_bytes < MIN_FREE_BYTES:
        return fail(f"{free}: stlflow stops below {format_bytes(MIN_FREE_BYTES)}.", "Make room on that disk.")
    if free_bytes < needed_bytes:
        return warn(
            f"{free}, and {format_bytes(needed_bytes)} may be needed {needed_for}.", "Make room on that disk."
        )
    return ok(f"{free}; {format_bytes(needed_bytes)} may be needed {needed_for}.")


def format_bytes(count: int) -> str:
    """Return a number of bytes as people say it."""
    return f"{count / _GIB:.1f} GB" if count >= _GIB else f"{count / _MIB:.0f} MB"


DATABASE_AND_LOGS_BYTES = 256 * 2**20
SUBFOLDERS = ("spool", "logs")


def check_state_location(settings: Settings) -> Iterator[Finding]:
    """Check that it is on a local disk, and not in the share."""
    folder = settings.state.absolute()
    try:
        require_local_state_folder(settings.state, settings.share)
    except StateFolderError as error:
        yield fail(str(error), "Set STLFLOW_STATE to a folder on a disk of this machine.", EXIT_USAGE)
        return
    kind = file_system_type(folder) or "a disk"
    if folder.is_dir():
        yield ok(f"{folder} is on {kind}, outside of the share.")
    elif folder.exists():
        yield fail(f"{folder} is a file, and has to be a folder.", "Rename that file, or set STLFLOW_STATE.")
    else:
        yield warn(f"{folder} is not there yet.", "`stlflow run` makes it. Check that it is the right one.")


def check_state_rights(settings: Settings) -> Iterator[Finding]:
    """Check that probe files can be written in it and its folders."""
    folder = settings.state.absolute()
    places = [each for each in (folder, *(folder / name for name in SUBFOLDERS)) if each.exists()]
    found = [finding for each in places for finding in probe_writing(each, f"the state folder's {each.name}")]
    yield from found
    if not found:
        yield ok(
            f"A probe file of {account_name()} was written in {', '.join(each.name for each in places)}."
        )


def check_file_owners(settings: Settings) -> Iterator[Finding]:
    """Find files of other users, as a command of root's leaves them: the service could not write those."""
    if os.name != "posix":
        yield ok("This system does not say who owns a file.")
        return
    folder = settings.state.absolute()
    owner = folder.stat().st_uid
    yield from _warn_other_account(folder, owner)
    owners = {each: file_owner(each) for each in _state_files(folder)}
    strange = {each: whose for each, whose in owners.items() if whose not in {owner, None}}
    if strange:
        name, (first, whose) = user_name(owner), next(iter(strange.items()))
        verb = "does" if len(strange) == 1 else "do"
        yield fail(
            f"{format_count(len(strange), 'file')} in {folder} {verb} not belong to {name} as the folder "
            f"does: {first.name} belongs to {user_name(whose or 0)}.",
            f"`chown -R {name} {quote_word(folder)}`; run commands as {name}, not as another user.",
        )
    else:
        yield ok(f"Everything in {folder} belongs to {user_name(owner)}.")


def file_owner(place: Path) -> int | None:
    """Return whose a file is; None for one that is gone: a running service makes and removes files."""
    try:
        return place.lstat().st_uid
    except FileNotFoundError:
        return None


def check_privacy(settings: Settings) -> Iterator[Finding]:
    """Find out whether other accounts can read the database, the logs and the copies of parts."""
    folder = settings.state.absolute()
    if others_can_read(folder):
        yield warn(
            f"Other accounts of this machine can read {folder}: parts, the database and the logs.",
            f"`chmod -R go= {quote_word(folder)}`",
        )
    else:
        yield ok(f"Only {user_name(folder.stat().st_uid)} can read {folder}.")


def check_running(settings: Settings) -> Iterator[Finding]:
    """Check whether stlflow runs on this state folder."""
    if is_state_folder_locked(settings.state):
        yield ok("stlflow runs on this state folder. A second one would be refused.")
    else:
        yield ok("stlflow does not run on this state folder.")


def check_state_space(settings: Settings) -> Iterator[Finding]:
    """Check the free space for the database, the logs and copies of parts."""
    folder = settings.state.absolute()
    spool = folder / "spool"
    copies = len(list(spool.iterdir())) if spool.is_dir() else 0
    held = format_count(copies, "copy of a part", "copies of parts")
    needed_for = f"for the database and logs (the spool holds {held} now)"
    yield from check_free_space(folder, "the state folder", DATABASE_AND_LOGS_BYTES, needed_for)


def _warn_other_account(folder: Path, owner: int) -> Iterator[Finding]:
    mine = own_user_id()
    if mine is not None and mine != owner:
        name = user_name(owner)
        yield warn(
            f"You are {user_name(mine)}, and {folder} belongs to {name}: the checks use your rights.",
            f"Run it as the service's user: `sudo -u {name} stlflow doctor`.",
        )


def _state_files(folder: Path) -> Iterator[Path]:
    yield from folder.iterdir()
    for name in SUBFOLDERS:
        if (folder / name).is_dir():
            yield from (folder / name).iterdir()


def state_checks(settings: Settings) -> tuple[Check, ...]:
    """Return the checks of the state folder."""
    return (
        Check(
            "state",
            "the state folder: local, and outside of the share",
            lambda: check_state_location(settings),
            gate=True,
        ),
        *checks_of(
            settings,
            ("state.rights", "a probe file written and removed there", check_state_rights),
            ("state.owners", "files there that belong to someone else", check_file_owners),
            ("state.privacy", "whether other accounts can read it", check_privacy),
            ("state.running", "whether stlflow runs on it now", check_running),
            ("state.space", "room for database and logs", check_state_space),
        ),
    )
