"""Files that are taken and left in their places, known again on every machine that sees them.

Of the same file, seen from several machines at once, one submission is begun.

The memory of read-only inboxes: what was taken from them, and how it looked.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, or_, select, update

from workflow.ledger.ledger import Ledger, acquire_transaction_lock, append_event, seconds_now
from workflow.ledger.tables import in_place_files, submissions
from workflow.model import Step, Submission, SubmissionState


@dataclass(frozen=True, slots=True)
class InPlaceFile:
    """A file that is taken and left where it is: its path below a folder, and what identifies the folder.

    `folder` is said the same way on every machine (`intake.origin`), `place` is this machine's own path,
    `home` the machine that sees it there.
    """

    folder: str
    path: str
    place: str
    home: str

    @property
    def origin(self) -> str:
        """Give where the file stands, said the same way on every machine."""
        return f"{self.folder}/{self.path}"


def list_submissions_of_file(ledger: Ledger, file: InPlaceFile) -> tuple[Submission, ...]:
    """Give what was made of a file in its place before, from whatever machine, newest first."""
    return ledger.select_submissions(
        select(submissions).where(_same_file(file)).order_by(submissions.c.id.desc())
    )


def begin_in_place_submission(ledger: Ledger, file: InPlaceFile, after: int) -> int | None:
    """Begin a submission for a file in its place; gives its number.

    None when another one was begun since number `after`, the newest that was looked at (0: there was none).
    """
    with ledger.write_transaction() as connection:
        acquire_transaction_lock(connection, file.origin)
        newest = select(func.max(submissions.c.id)).where(_same_file(file))
        if (connection.execute(newest).scalar_one() or 0) != after:
            return None
        return insert_in_place_submission(connection, file)


def insert_in_place_submission(connection: Connection, file: InPlaceFile) -> int:
    """Begin a submission inside somebody's transaction; gives its number."""
    row = {
        "path": file.path,
        "state": SubmissionState.CLAIMED.value,
        "opened_at": seconds_now(),
        "claimed_as": file.place,
        "left_in_place": True,
        "home": file.home,
        "origin": file.origin,
        "step": Step.INTAKE.value,
        "due_at": seconds_now(),
    }
    result = connection.execute(insert(submissions).values(row))
    number = int(result.inserted_primary_key[0])  # type: ignore[index]  # one row was inserted
    append_event(connection, number, "claimed", file.place)
    return number


def _same_file(file: InPlaceFile) -> ColumnElement[bool]:
    """The place alone says nothing of another machine's disk; an older release wrote no origin."""
    here = and_(submissions.c.claimed_as == file.place, submissions.c.home == file.home)
    return or_(submissions.c.origin == file.origin, here)


FileStampTuple = tuple[int, int, int]
"""Size in bytes, mtime and ctime in nanoseconds."""
_STAMP_COLUMNS = (in_place_files.c.size, in_place_files.c.mtime_ns, in_place_files.c.ctime_ns)
_VALUES_PER_STATEMENT = 500
"""Values in one statement: SQLite takes no more than some thousands."""


class InPlaceRecord(NamedTuple):
    """What was last taken from a place: how it looked, and its content.

    `times` None: it is remembered by its submission alone, as one of a batch. `unread`: whoever took it is
    about to read it, and its content is not known yet.
    """

    number: int
    times: FileStampTuple | None
    sha256: str | None
    unread: bool


def read_in_place_files(ledger: Ledger, folder: str) -> Mapping[str, FileStampTuple]:
    """Give every file of a read-only inbox that was taken, by its path below. Raises StateError."""
    with ledger.read_connection() as connection:
        rows = connection.execute(
            select(in_place_files.c.path, *_STAMP_COLUMNS).where(_of_inbox(folder))
        ).all()
    older_first = sorted(rows, key=lambda row: str(row[0]).startswith("/"))
    return {_below(folder, path): (size, mtime, ctime) for path, size, mtime, ctime in older_first}


def find_in_place_record(ledger: Ledger, file: InPlaceFile) -> InPlaceRecord | None:
    """Give what was last taken from a place; None where nothing was. Raises StateError."""
    with ledger.read_connection() as connection:
        row = _select_record(connection, file)
    if row is not None:
        (last,) = ledger.among([row[0]])
        return InPlaceRecord(last.id, row[1], last.sha256, _is_unread(last))
    for last in list_submissions_of_file(ledger, file)[:1]:
        return InPlaceRecord(last.id, None, last.sha256, _is_unread(last))
    return None


def begin_read_only_submission(
    ledger: Ledger, file: InPlaceFile, times: FileStampTuple, instead_of: FileStampTuple | None
) -> int | None:
    """Begin a submission for a file in its place, and remember it, in one step; gives its number.

    None when what is remembered is no longer how it looked before (`instead_of`): somebody else was quicker.
    Raises StateError.
    """
    with ledger.write_transaction() as connection:
        acquire_transaction_lock(connection, file.origin)
        row = _select_record(connection, file)
        if (row and row[1]) != instead_of:
            return None
        number = insert_in_place_submission(connection, file)
        _write_record(connection, file, times, number)
        return number


def record_unchanged_file(ledger: Ledger, file: InPlaceFile, times: FileStampTuple, number: int) -> None:
    """The file has new times, and the content that submission `number` took. Raises StateError."""
    with ledger.write_transaction() as connection:
        acquire_transaction_lock(connection, file.origin)
        _write_record(connection, file, times, number)


def forget_missing_files(ledger: Ledger, folder: str, found: Collection[str], patience_seconds: float) -> int:
    """Forget files that were not found in a read-only inbox for so long; gives how many. Raises StateError.

    Where nothing of what is known was found, nothing is concluded: an empty mount point looks like that.
    """
    now = seconds_now()
    with ledger.read_connection() as connection:
        rows = connection.execute(
            select(in_place_files.c.path, in_place_files.c.gone_since).where(_of_inbox(folder))
        )
        since: dict[str, float | None] = {row.path: row.gone_since for row in rows}
    gone = {path for path in since if _below(folder, path) not in found}
    if gone == since.keys():
        return 0
    back = [path for path in since.keys() - gone if since[path] is not None]
    newly = [path for path in gone if since[path] is None]
    past = [path for path in gone if now - (since[path] or now) > patience_seconds]
    with ledger.write_transaction() as connection:
        for paths, gone_since in ((back, None), (newly, now)):
            for some in _batches(paths):
                which = update(in_place_files).where(in_place_files.c.path.in_(some))
                connection.execute(which.values(gone_since=gone_since))
        for some in _batches(past):
            connection.execute(delete(in_place_files).where(in_place_files.c.path.in_(some)))
    return len(past)


def _select_record(connection: Connection, file: InPlaceFile) -> tuple[int, FileStampTuple] | None:
    """An older release wrote the path below the inbox alone: that counts where nothing better is known."""
    columns = (in_place_files.c.submission, *_STAMP_COLUMNS)
    for path in (_key(file), file.path):
        row = connection.execute(select(*columns).where(in_place_files.c.path == path)).first()
        if row is not None:
            return row[0], (row[1], row[2], row[3])
    return None


def _write_record(connection: Connection, file: InPlaceFile, times: FileStampTuple, number: int) -> None:
    """A file whose folder is called otherwise by now is remembered under its present name alone."""
    former = or_(in_place_files.c.path == _key(file), in_place_files.c.submission == number)
    connection.execute(delete(in_place_files).where(former))
    size, mtime, ctime = times
    row = {"path": _key(file), "size": size, "mtime_ns": mtime, "ctime_ns": ctime, "submission": number}
    connection.execute(insert(in_place_files).values(row))


def _is_unread(last: Submission) -> bool:
    return last.sha256 is None and last.state is SubmissionState.CLAIMED


def _key(file: InPlaceFile) -> str:
    return f"/{file.origin}"


def _below(folder: str, path: str) -> str:
    return path.removeprefix(f"/{folder}/")


def _of_inbox(folder: str) -> ColumnElement[bool]:
    ours = in_place_files.c.path.startswith(f"/{folder}/", autoescape=True)
    return or_(ours, in_place_files.c.path.not_like("/%"))


def _batches(paths: Sequence[str]) -> Iterator[Sequence[str]]:
    return (
        paths[start : start + _VALUES_PER_STATEMENT] for start in range(0, len(paths), _VALUES_PER_STATEMENT)
    )
