"""Backup and restore of a ledger. A backup is one SQLite file, whichever database the ledger is in."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from sqlalchemy import make_url, text

from workflow.errors import StateFolderError, error_reason
from workflow.ledger.copy import copy_ledger
from workflow.ledger.integrity import check_integrity
from workflow.ledger.ledger import Ledger
from workflow.ledger.metadata import RESTORED_KEY

NUMBERS_SKIPPED = 1_000
"""Numbers of submissions that were made after the backup are not used again."""


def back_up(url: str, file: Path) -> int:
    """Write the ledger to a new file while stlflow may run, and return how many submissions are in it.

    The file appears under its name once it is complete. Raises StateFolderError.
    """
    if file.exists():
        raise StateFolderError(f"{file} exists. Name a file that does not.")
    if not file.parent.is_dir():
        raise StateFolderError(f"The backup {file} can't be written: there is no folder {file.parent}.")
    unfinished = file.with_name(f"{file.name}.{uuid4().hex[:8]}.tmp")
    try:
        if url.startswith("sqlite"):
            _copy_sqlite(Path(str(make_url(url).database)), unfinished)
        else:
            unfinished.touch(mode=0o600)
            with closing(Ledger(url, as_it_is=True)) as source, closing(_new_ledger(unfinished)) as target:
                copy_ledger(source, target)
        count = _count(unfinished)
        unfinished.replace(file)
    except (sqlite3.Error, OSError) as error:
        raise StateFolderError(f"The backup {file} can't be written: {_reason(error)}.") from None
    finally:
        _remove(unfinished)
    return count


def restore_sqlite(file: Path, place: Path) -> tuple[int, Path | None]:
    """Put a backup in the place of the database, while no stlflow runs.

    Return how many submissions are in it, and where the former database is now; None if there was none.
    Raises StateFolderError; then nothing is changed.
    """
    check_backup(file)
    unfinished = place.with_name(f"{place.name}.{uuid4().hex[:8]}.tmp")
    try:
        _copy_sqlite(file, unfinished)
        with closing(Ledger(f"sqlite:///{unfinished.as_posix()}")) as restored:
            _mark_restored(restored)
        count = _count(unfinished)
        former = _set_aside(place)
        unfinished.replace(place)
    except (sqlite3.Error, OSError) as error:
        raise StateFolderError(f"The backup can't be restored to {place}: {_reason(error)}.") from None
    finally:
        _remove(unfinished)
    return count, former


def restore_into(file: Path, url: str) -> int:
    """Copy a backup into an empty database, and return how many submissions it holds.

    Raises StateFolderError; then nothing is changed.
    """
    check_backup(file)
    working = file.with_name(f"{file.name}.{uuid4().hex[:8]}.tmp")
    try:
        _copy_sqlite(
            file, working
        )  # an older backup gets the tables of this release, the file itself does not
        with closing(_new_ledger(working)) as source, closing(Ledger(url)) as target:
            count = copy_ledger(source, target)
            _mark_restored(target)
    except (sqlite3.Error, OSError) as error:
        raise StateFolderError(f"The backup {file} can't be read: {_reason(error)}.") from None
    finally:
        _remove(working)
    return count


def check_backup(file: Path) -> None:
    """Raise StateFolderError if a file is no whole backup of a ledger."""
    if not file.is_file():
        raise StateFolderError(f"There is no backup {file}.")
    report = check_integrity(f"sqlite:///{file.absolute().as_posix()}", page_by_page=True)
    if report.damage is not None:
        raise StateFolderError(f"The backup {file} is damaged: {report.damage}.")
    if report.empty or report.strange:
        raise StateFolderError(f"{file} is no backup of stlflow.")


def _mark_restored(ledger: Ledger) -> None:
    """What happened after the backup is unknown: claimed files that the ledger does not know are held."""
    ledger.metadata.write(RESTORED_KEY, datetime.now(UTC).isoformat(timespec="seconds"))
    with ledger.write_transaction() as connection:
        if connection.dialect.name == "sqlite":
            skip = text("update sqlite_sequence set seq = seq + :skipped where name = 'submissions'")
            connection.execute(skip, {"skipped": NUMBERS_SKIPPED})
        else:
            sequence = "pg_get_serial_sequence('submissions', 'id')"
            skip = text(f"select setval({sequence}, nextval({sequence}) + :skipped)")
            connection.execute(skip, {"skipped": NUMBERS_SKIPPED})


def _copy_sqlite(source: Path, target: Path) -> None:
    """Copy with SQLite's backup interface: what is only in the WAL is copied as well."""
    if not source.is_file():
        raise StateFolderError(f"There is no database {source}.")
    target.touch(mode=0o600)
    with closing(sqlite3.connect(source, timeout=30)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
        new.execute("pragma journal_mode=delete")  # one file, without -wal and -shm beside it


def _set_aside(place: Path) -> Path | None:
    if not place.exists():
        return None
    former = place.with_name(f"{place.name}.before-restore-{datetime.now(UTC):%Y%m%d-%H%M%S}")
    for suffix in ("", "-wal", "-shm"):
        part = place.with_name(f"{place.name}{suffix}")
        if part.exists():
            part.replace(former.with_name(f"{former.name}{suffix}"))
    return former


def _new_ledger(place: Path) -> Ledger:
    return Ledger(f"sqlite:///{place.absolute().as_posix()}")


def _count(place: Path) -> int:
    with closing(sqlite3.connect(place)) as database:
        return int(database.execute("select count(*) from submissions").fetchone()[0])


def _remove(unfinished: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        unfinished.with_name(f"{unfinished.name}{suffix}").unlink(missing_ok=True)


def _reason(error: sqlite3.Error | OSError) -> str:
    return error_reason(error) if isinstance(error, OSError) else str(error)
