"""The memory of a read-only inbox: what was taken from it, and how it looked."""

from collections.abc import Mapping

from sqlalchemy import Connection, delete, insert, select, update

from workflow.ledger.ledger import Ledger
from workflow.ledger.statements import append_event, seconds_now
from workflow.ledger.tables import left_files, submissions
from workflow.model import State, Step

Times = tuple[int, int, int]
"""Size in bytes, mtime and ctime in nanoseconds."""


def read_left(ledger: Ledger) -> Mapping[str, Times]:
    """Give every file that was taken and left, by its path. Raises StateError."""
    columns = (left_files.c.path, left_files.c.size, left_files.c.mtime_ns, left_files.c.ctime_ns)
    with ledger.reading() as connection:
        return {
            path: (size, mtime, ctime) for path, size, mtime, ctime in connection.execute(select(*columns))
        }


def content_left(ledger: Ledger, path: str) -> str | None:
    """Give the sha256 of what was last taken from a path; None where none is known. Raises StateError."""
    query = (
        select(submissions.c.sha256)
        .join(left_files, left_files.c.submission == submissions.c.id)
        .where(left_files.c.path == path)
    )
    with ledger.reading() as connection:
        return connection.execute(query).scalar_one_or_none()


def take_left(ledger: Ledger, home: str, path: str, place: str, times: Times) -> int | None:
    """Begin a submission for a file in its place, and remember it, in one step; gives its number.

    `home` is the machine that sees it in this place.

    None when it was begun before, as the file is now. Raises StateError.
    """
    with ledger.writing() as connection:
        if _known_times(connection, path) == times:
            return None
        row = {
            "path": path,
            "state": State.CLAIMED.value,
            "opened_at": seconds_now(),
            "claimed_as": place,
            "left_in_place": True,
            "home": home,
            "step": Step.INTAKE.value,
            "due_at": seconds_now(),
        }
        result = connection.execute(insert(submissions).values(row))
        number = int(result.inserted_primary_key[0])  # type: ignore[index]  # one row was inserted
        append_event(connection, number, "claimed", place)
        connection.execute(delete(left_files).where(left_files.c.path == path))
        size, mtime, ctime = times
        remembered = {"path": path, "size": size, "mtime_ns": mtime, "ctime_ns": ctime, "submission": number}
        connection.execute(insert(left_files).values(remembered))
        return number


def still_left(ledger: Ledger, path: str, times: Times) -> None:
    """The file has new times and its old content. Raises StateError."""
    size, mtime, ctime = times
    with ledger.writing() as connection:
        same = update(left_files).where(left_files.c.path == path)
        connection.execute(same.values(size=size, mtime_ns=mtime, ctime_ns=ctime))


def _known_times(connection: Connection, path: str) -> Times | None:
    columns = (left_files.c.size, left_files.c.mtime_ns, left_files.c.ctime_ns)
    row = connection.execute(select(*columns).where(left_files.c.path == path).with_for_update()).first()
    return (row[0], row[1], row[2]) if row is not None else None
