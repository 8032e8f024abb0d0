"""The move from the database in the state folder to one that several machines share."""

from contextlib import closing
from pathlib import Path

from workflow.assembly import MOVED_LEDGER_FILE
from workflow.errors import (
    SettingsError,
    StateFolderError,
)
from workflow.ledger import Ledger, copy_ledger
from workflow.settings import LEDGER_FILE, Settings
from workflow.state_folder import (
    locked_state_folder,
)


def move_ledger_to_database(settings: Settings) -> tuple[int, Path]:
    """Move the ledger to the database of the settings; returns the number of submissions and the old file.

    Raises SettingsError when no other database is set, StateError when there is nothing to move, stlflow
    runs, or the new database is not empty.
    """
    old = settings.state.absolute() / LEDGER_FILE
    if settings.database_url is None:
        raise SettingsError("Set STLFLOW_DATABASE_URL to the new database first: postgresql://...")
    if not old.is_file():
        raise StateFolderError(f"There is no ledger to move at {old}.")
    with (
        locked_state_folder(settings.state),
        closing(Ledger(f"sqlite:///{old.as_posix()}")) as source,
        closing(Ledger(settings.database)) as target,
    ):
        moved = copy_ledger(source, target)
    left = old.with_name(MOVED_LEDGER_FILE)
    old.rename(left)
    return moved, left
