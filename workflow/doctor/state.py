"""The state folder: its place, rights, whose its files are, room, and whether somebody works on it."""

import os
from collections.abc import Iterator
from pathlib import Path

from workflow.doctor.checkup import Check
from workflow.doctor.finding import Finding, fail, ok, warn
from workflow.doctor.probe import account, name_of, prove_writing
from workflow.doctor.space import room
from workflow.errors import EXIT_USAGE, StateError
from workflow.intake import file_system
from workflow.settings import Settings
from workflow.state import is_locked, refuse_wrong_place

DATABASE_AND_LOGS = 256 * 2**20
SUBFOLDERS = ("spool", "logs")


def place(settings: Settings) -> Iterator[Finding]:
    """See where it is: on a local disk, and not in the share."""
    folder = settings.state.absolute()
    try:
        refuse_wrong_place(settings.state, settings.share)
    except StateError as error:
        yield fail(str(error), "Set STLFLOW_STATE to a folder on a disk of this machine.", EXIT_USAGE)
        return
    kind = file_system(folder) or "a disk"
    if folder.is_dir():
        yield ok(f"{folder} lies on {kind}, outside of the share.")
    elif folder.exists():
        yield fail(f"{folder} is a file, and has to be a folder.", "Rename that file, or set STLFLOW_STATE.")
    else:
        yield warn(f"{folder} is not there yet.", "`stlflow run` makes it. Is it the one you mean?")


def rights(settings: Settings) -> Iterator[Finding]:
    """Write into it and its folders."""
    folder = settings.state.absolute()
    places = [each for each in (folder, *(folder / name for name in SUBFOLDERS)) if each.exists()]
    found = [finding for each in places for finding in prove_writing(each, f"the state folder's {each.name}")]
    yield from found
    if not found:
        yield ok(f"A probe file of {account()} was written in {', '.join(each.name for each in places)}.")


def owners(settings: Settings) -> Iterator[Finding]:
    """Find files of other users, as a command of root's leaves them: the service could not write those."""
    if os.name != "posix":
        yield ok("This system does not tell whose files are.")
        return
    folder = settings.state.absolute()
    owner = folder.stat().st_uid
    yield from _other_account(folder, owner)
    strange = [each for each in _files(folder) if each.lstat().st_uid != owner]
    if strange:
        name = name_of(owner)
        yield fail(
            f"{len(strange)} files in {folder} do not belong to {name} as the folder does: {strange[0].name} "
            f"is {name_of(strange[0].lstat().st_uid)}'s.",
            f"`chown -R {name} {folder}`; run commands as {name}, not as another user.",
        )
    else:
        yield ok(f"Everything in {folder} belongs to {name_of(owner)}.")


def running(settings: Settings) -> Iterator[Finding]:
    """See whether a stlflow works on this state folder."""
    if is_running(settings):
        yield ok("A stlflow runs on this state folder; a second one would be refused.")
    else:
        yield ok("No stlflow runs on this state folder.")


def space(settings: Settings) -> Iterator[Finding]:
    """See how much is free for the database, logs and private copies of parts."""
    folder = settings.state.absolute()
    spool = folder / "spool"
    copies = len(list(spool.iterdir())) if spool.is_dir() else 0
    needed_for = f"for the database and logs (the spool holds {copies} copies of parts now)"
    yield from room(folder, "the state folder", DATABASE_AND_LOGS, needed_for)


def is_running(settings: Settings) -> bool:
    """Tell whether a stlflow holds the lock of the state folder; makes no lock file."""
    return (settings.state / "lock").is_file() and is_locked(settings.state)


def _other_account(folder: Path, owner: int) -> Iterator[Finding]:
    if os.geteuid() != owner:
        name = name_of(owner)
        yield warn(
            f"You are {name_of(os.geteuid())}, and {folder} is {name}'s: rights are seen as yours here.",
            f"Ask as the service's user: `sudo -u {name} stlflow doctor`.",
        )


def _files(folder: Path) -> Iterator[Path]:
    yield from folder.iterdir()
    for name in SUBFOLDERS:
        if (folder / name).is_dir():
            yield from (folder / name).iterdir()


def state_checks(settings: Settings) -> tuple[Check, ...]:
    """Give the checks of the state folder."""
    return (
        Check(
            "state", "the state folder: local, and outside of the share", lambda: place(settings), gate=True
        ),
        Check("state.rights", "a probe file written and removed there", lambda: rights(settings)),
        Check("state.owners", "files there that belong to somebody else", lambda: owners(settings)),
        Check("state.running", "whether a stlflow works on it now", lambda: running(settings)),
        Check("state.space", "room for database and logs", lambda: space(settings)),
    )
