"""The memory of read-only inboxes: what was taken from them, and how it looked."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, delete, insert, or_, select, update

from workflow.ledger.inplace import InPlace, insert_in_place, taken_from
from workflow.ledger.ledger import Ledger
from workflow.ledger.statements import one_at_a_time, seconds_now
from workflow.ledger.tables import left_files
from workflow.model import State, Submission

Times = tuple[int, int, int]
"""Size in bytes, mtime and ctime in nanoseconds."""
_TIMES = (left_files.c.size, left_files.c.mtime_ns, left_files.c.ctime_ns)
_AT_ONCE = 500
"""Values in one statement: SQLite takes no more than some thousands."""


class LeftBefore(NamedTuple):
    """What was last taken from a place: how it looked, and its content.

    `times` None: it is remembered by its submission alone, as one of a batch. `unread`: whoever took it is
    about to read it, and its content is not known yet.
    """

    number: int
    times: Times | None
    sha256: str | None
    unread: bool


def read_left(ledger: Ledger, folder: str) -> Mapping[str, Times]:
    """Give every file of a read-only inbox that was taken, by its path below. Raises StateError."""
    with ledger.reading() as connection:
        rows = connection.execute(select(left_files.c.path, *_TIMES).where(_of_inbox(folder))).all()
    older_first = sorted(rows, key=lambda row: str(row[0]).startswith("/"))
    return {_below(folder, path): (size, mtime, ctime) for path, size, mtime, ctime in older_first}


def left_before(ledger: Ledger, file: InPlace) -> LeftBefore | None:
    """Give what was last taken from a place; None where nothing was. Raises StateError."""
    with ledger.reading() as connection:
        row = _remembered(connection, file)
    if row is not None:
        (last,) = ledger.among([row[0]])
        return LeftBefore(last.id, row[1], last.sha256, _is_unread(last))
    for last in taken_from(ledger, file)[:1]:
        return LeftBefore(last.id, None, last.sha256, _is_unread(last))
    return None


def take_left(ledger: Ledger, file: InPlace, times: Times, instead_of: Times | None) -> int | None:
    """Begin a submission for a file in its place, and remember it, in one step; gives its number.

    None when what is remembered is no longer how it looked before (`instead_of`): somebody else was quicker.
    Raises StateError.
    """
    with ledger.writing() as connection:
        one_at_a_time(connection, file.origin)
        row = _remembered(connection, file)
        if (row and row[1]) != instead_of:
            return None
        number = insert_in_place(connection, file)
        _remember(connection, file, times, number)
        return number


def still_left(ledger: Ledger, file: InPlace, times: Times, number: int) -> None:
    """The file has new times, and the content that submission `number` took. Raises StateError."""
    with ledger.writing() as connection:
        one_at_a_time(connection, file.origin)
        _remember(connection, file, times, number)


def forget_gone(ledger: Ledger, folder: str, found: Collection[str], patience_seconds: float) -> int:
    """Forget files that were not found in a read-only inbox for so long; gives how many. Raises StateError.

    Where nothing of what is known was found, nothing is concluded: an empty mount point looks like that.
    """
    now = seconds_now()
    with ledger.reading() as connection:
        rows = connection.execute(select(left_files.c.path, left_files.c.gone_since).where(_of_inbox(folder)))
        since: dict[str, float | None] = {row.path: row.gone_since for row in rows}
    gone = {path for path in since if _below(folder, path) not in found}
    if gone == since.keys():
        return 0
    back = [path for path in since.keys() - gone if since[path] is not None]
    newly = [path for path in gone if since[path] is None]
    past = [path for path in gone if now - (since[path] or now) > patience_seconds]
    with ledger.writing() as connection:
        for paths, gone_since in ((back, None), (newly, now)):
            for some in _portions(paths):
                which = update(left_files).where(left_files.c.path.in_(some))
                connection.execute(which.values(gone_since=gone_since))
        for some in _portions(past):
            connection.execute(delete(left_files).where(left_files.c.path.in_(some)))
    return len(past)


def _remembered(connection: Connection, file: InPlace) -> tuple[int, Times] | None:
    """An older release wrote the path below the inbox alone: that counts where nothing better is known."""
    columns = (left_files.c.submission, *_TIMES)
    for path in (_key(file), file.path):
        row = connection.execute(select(*columns).where(left_files.c.path == path)).first()
        if row is not None:
            return row[0], (row[1], row[2], row[3])
    return None


def _remember(connection: Connection, file: InPlace, times: Times, number: int) -> None:
    """A file whose folder is called otherwise by now is remembered under its present name alone."""
    former = or_(left_files.c.path == _key(file), left_files.c.submission == number)
    connection.execute(delete(left_files).where(former))
    size, mtime, ctime = times
    row = {"path": _key(file), "size": size, "mtime_ns": mtime, "ctime_ns": ctime, "submission": number}
    connection.execute(insert(left_files).values(row))


def _is_unread(last: Submission) -> bool:
    return last.sha256 is None and last.state is State.CLAIMED


def _key(file: InPlace) -> str:
    return f"/{file.origin}"


def _below(folder: str, path: str) -> str:
    return path.removeprefix(f"/{folder}/")


def _of_inbox(folder: str) -> ColumnElement[bool]:
    ours = left_files.c.path.startswith(f"/{folder}/", autoescape=True)
    return or_(ours, left_files.c.path.not_like("/%"))


def _portions(paths: Sequence[str]) -> Iterator[Sequence[str]]:
    return (paths[start : start + _AT_ONCE] for start in range(0, len(paths), _AT_ONCE))
