"""Checks of the state folder: location, rights, owners, privacy, space, and whether stlflow runs on it."""

import os
from collections.abc import Iterator
from pathlib import Path

from workflow.doctor.finding import Check, Finding, fail, ok, warn
from workflow.doctor.machine import check_free_space
from workflow.doctor.mount import account_name, probe_writing, user_name
from workflow.errors import EXIT_USAGE, StateFolderError
from workflow.intake import file_system_type
from workflow.settings import Settings
from workflow.state_folder import is_state_folder_locked, others_can_read, require_local_state_folder

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
        yield ok(f"{folder} lies on {kind}, outside of the share.")
    elif folder.exists():
        yield fail(f"{folder} is a file, and has to be a folder.", "Rename that file, or set STLFLOW_STATE.")
    else:
        yield warn(f"{folder} is not there yet.", "`stlflow run` makes it. Is it the one you mean?")


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
        yield ok("This system does not tell whose files are.")
        return
    folder = settings.state.absolute()
    owner = folder.stat().st_uid
    yield from _warn_other_account(folder, owner)
    strange = [each for each in _state_files(folder) if each.lstat().st_uid != owner]
    if strange:
        name = user_name(owner)
        yield fail(
            f"{len(strange)} files in {folder} do not belong to {name} as the folder does: {strange[0].name} "
            f"is {user_name(strange[0].lstat().st_uid)}'s.",
            f"`chown -R {name} {folder}`; run commands as {name}, not as another user.",
        )
    else:
        yield ok(f"Everything in {folder} belongs to {user_name(owner)}.")


def check_privacy(settings: Settings) -> Iterator[Finding]:
    """Find out whether other accounts can read the database, the logs and the copies of parts."""
    folder = settings.state.absolute()
    if others_can_read(folder):
        yield warn(
            f"Other accounts of this machine can read {folder}: parts, the database and the logs.",
            f"`chmod -R go= {folder}`",
        )
    else:
        yield ok(f"Only {user_name(folder.stat().st_uid)} can read {folder}.")


def check_running(settings: Settings) -> Iterator[Finding]:
    """Check whether stlflow runs on this state folder."""
    if is_service_running(settings):
        yield ok("A stlflow runs on this state folder; a second one would be refused.")
    else:
        yield ok("No stlflow runs on this state folder.")


def check_state_space(settings: Settings) -> Iterator[Finding]:
    """Check the free space for the database, the logs and copies of parts."""
    folder = settings.state.absolute()
    spool = folder / "spool"
    copies = len(list(spool.iterdir())) if spool.is_dir() else 0
    needed_for = f"for the database and logs (the spool holds {copies} copies of parts now)"
    yield from check_free_space(folder, "the state folder", DATABASE_AND_LOGS_BYTES, needed_for)


def is_service_running(settings: Settings) -> bool:
    """True if a stlflow holds the lock of the state folder; makes no lock file."""
    return (settings.state / "lock").is_file() and is_state_folder_locked(settings.state)


def _warn_other_account(folder: Path, owner: int) -> Iterator[Finding]:
    if os.geteuid() != owner:
        name = user_name(owner)
        yield warn(
            f"You are {user_name(os.geteuid())}, and {folder} is {name}'s: rights are seen as yours here.",
            f"Ask as the service's user: `sudo -u {name} stlflow doctor`.",
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
        Check("state.rights", "a probe file written and removed there", lambda: check_state_rights(settings)),
        Check("state.owners", "files there that belong to someone else", lambda: check_file_owners(settings)),
        Check("state.privacy", "whether other accounts can read it", lambda: check_privacy(settings)),
        Check("state.running", "whether a stlflow works on it now", lambda: check_running(settings)),
        Check("state.space", "room for database and logs", lambda: check_state_space(settings)),
    )
