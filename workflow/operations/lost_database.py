"""What a person does when a database was lost, or might be: backup, restore, adoption of claimed files."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from workflow.assembly import ledger_exists, make_ledger, refuse_moved_ledger, share_from_ledger
from workflow.eiger import make_client
from workflow.errors import ShareError, StateFolderError
from workflow.ledger import back_up, restore_into, restore_sqlite
from workflow.pipeline.orphans import Adoption, adopt_claims, list_orphaned_claims
from workflow.settings import LEDGER_FILE, Settings
from workflow.state_folder import locked_state_folder, prepare_state_folder


def back_up_ledger(settings: Settings, file: Path) -> int:
    """Write the ledger to a file, and return how many submissions that are. Raises StateFolderError."""
    if not ledger_exists(settings):
        raise StateFolderError(f"There is no database to back up at {settings.state / LEDGER_FILE}.")
    return back_up(settings.database, file.absolute())


def restore_ledger(settings: Settings, file: Path) -> tuple[int, Path | None]:
    """Put a backup in the place of the ledger; return how many submissions, and where the former file is.

    Raises StateFolderError while stlflow runs on the state folder, or if a shared database is not empty.
    """
    prepare_state_folder(settings.state, settings.share)
    with locked_state_folder(settings.state):
        if settings.database_url is None:
            return restore_sqlite(file.absolute(), settings.state.absolute() / LEDGER_FILE)
        return restore_into(file.absolute(), settings.database), None


def adopt_orphans(settings: Settings) -> Iterator[Adoption]:
    """Adopt the files of other ledgers in processing/, one by one. Raises ShareError, CloudError, OSError."""
    refuse_moved_ledger(settings)
    prepare_state_folder(settings.state, settings.share)
    with closing(make_ledger(settings)) as ledger, make_client(settings) as client:
        share = share_from_ledger(settings, ledger)
        if (absence := share.absence_reason()) is not None:
            raise ShareError(f"{absence}.")
        yield from adopt_claims(ledger, share, client, list_orphaned_claims(share))
