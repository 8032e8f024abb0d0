"""Files that are taken and left in place, recognized again on each machine that sees them.

If several machines see the same file at once, one submission is begun. For read-only inboxes the ledger
remembers which files were taken, with their size and times.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, or_, select, update

from workflow.frozen import frozen
from workflow.ledger.changes import (
    acquire_transaction_lock,
    append_event,
    chunks,
    inserted_id,
    read_submission,
    seconds_now,
)
from workflow.ledger.mass_arrival import append_acceptance
from workflow.ledger.store import Store
from workflow.ledger.tables import in_place_files, submissions
from workflow.model import EventKind, Step, Submission, SubmissionState


@frozen
class InPlaceFile:
    """A file that is taken and left in place: its path below a folder, and what identifies the folder.

    `folder` is written the same way on each machine (`intake.folder_origin`), `place` is this machine's
    own path, `home` the machine that sees it there.
    """

    folder: str
    path: str
    place: str
    home: str

    @property
    def origin(self) -> str:
        """Return where the file is, written the same way on each machine."""
        return f"{self.folder}/{self.path}"


FileStampTuple = tuple[int, int, int]
"""Size in bytes, mtime and ctime in nanoseconds."""
_STAMP_COLUMNS = (in_place_files.c.size, in_place_files.c.mtime_ns, in_place_files.c.ctime_ns)


class InPlaceRecord(NamedTuple):
    """What was last taken from a place: its stamp and its content.

    `times` None: only its submission is known, as for a file of a batch. `unread`: its content is not known
    yet, because the worker that took it is about to read it.
    """

    number: int
    times: FileStampTuple | None
    sha256: str | None
    unread: bool


class InPlaceStore(Store):
    """Submissions of files that stay in place, and the memory of read-only inboxes."""

    def list_submissions(self, file: InPlaceFile) -> tuple[Submission, ...]:
        """Return the earlier submissions of a file in its place, from any machine, newest first."""
        return self.select_submissions(
            select(submissions).where(_same_file(file)).order_by(submissions.c.id.desc())
        )

    def begin(self, file: InPlaceFile, after: int) -> int | None:
        """Begin a submission for a file in its place, and return its number.

        None if another one was begun since number `after`, the newest that the caller knows (0: none).
        """
        with self.write_transaction() as connection:
            acquire_transaction_lock(connection, file.origin)
            newest = select(func.max(submissions.c.id)).where(_same_file(file))
            if (connection.execute(newest).scalar_one() or 0) != after:
                return None
            return insert_in_place_submission(connection, file)

    def read_files(self, folder: str) -> Mapping[str, FileStampTuple]:
        """Return the stamp of each file of a read-only inbox that was taken, by its path below."""
        with self.read_connection() as connection:
            rows = connection.execute(
                select(in_place_files.c.path, *_STAMP_COLUMNS).where(_of_inbox(folder))
            ).all()
        older_first = sorted(rows, key=lambda row: str(row[0]).startswith("/"))
        return {_below(folder, path): (size, mtime, ctime) for path, size, mtime, ctime in older_first}

    def find_record(self, file: InPlaceFile) -> InPlaceRecord | None:
        """Return what was last taken from a place; None if nothing was."""
        with self.read_connection() as connection:
            row = _select_record(connection, file)
        if row is not None:
            with self.read_connection() as connection:
                last = read_submission(connection, row[0])
            return InPlaceRecord(last.id, row[1], last.sha256, _is_unread(last))
        for last in self.list_submissions(file)[:1]:
            return InPlaceRecord(last.id, None, last.sha256, _is_unread(last))
        return None

    def begin_read_only(
        self,
        file: InPlaceFile,
        times: FileStampTuple,
        instead_of: FileStampTuple | None,
        arrived_as: str | None = None,
    ) -> int | None:
        """Begin a submission for a file in its place and remember the file, in one step; return its number.

        `arrived_as`: see `append_acceptance`.
        None if the remembered stamp is no longer `instead_of`: another worker was quicker.
        """
        with self.write_transaction() as connection:
            acquire_transaction_lock(connection, file.origin)
            row = _select_record(connection, file)
            if (row and row[1]) != instead_of:
                return None
            number = insert_in_place_submission(connection, file)
            append_acceptance(connection, number, arrived_as)
            _write_record(connection, file, times, number)
            return number

    def record_unchanged(self, file: InPlaceFile, times: FileStampTuple, number: int) -> None:
        """Record that the file has new times, and the content that submission `number` took."""
        with self.write_transaction() as connection:
            acquire_transaction_lock(connection, file.origin)
            _write_record(connection, file, times, number)

    def forget_missing(self, folder: str, found: Collection[str], patience_seconds: float) -> int:
        """Forget files that were missing from a read-only inbox for so long, and return how many.

        If no known file was found, nothing is concluded: an empty mount point looks like that.
        """
        now = seconds_now()
        with self.read_connection() as connection:
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
        with self.write_transaction() as connection:
            for paths, gone_since in ((back, None), (newly, now)):
                for some in chunks(paths):
                    which = update(in_place_files).where(in_place_files.c.path.in_(some))
                    connection.execute(which.values(gone_since=gone_since))
            for some in chunks(past):
                connection.execute(delete(in_place_files).where(in_place_files.c.path.in_(some)))
        return len(past)


def insert_in_place_submission(connection: Connection, file: InPlaceFile) -> int:
    """Begin a submission inside a transaction, and return its number."""
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
    number = inserted_id(result)
    append_event(connection, number, EventKind.CLAIMED, file.place)
    return number


def _same_file(file: InPlaceFile) -> ColumnElement[bool]:
    """Match the origin, or this machine's own path for rows of an older release, which wrote no origin."""
    here = and_(submissions.c.claimed_as == file.place, submissions.c.home == file.home)
    return or_(submissions.c.origin == file.origin, here)


def _select_record(connection: Connection, file: InPlaceFile) -> tuple[int, FileStampTuple] | None:
    """Return the record under the full path, or that of an older release under the path below the inbox."""
    columns = (in_place_files.c.submission, *_STAMP_COLUMNS)
    for path in (_key(file), file.path):
        row = connection.execute(select(*columns).where(in_place_files.c.path == path)).first()
        if row is not None:
            return row[0], (row[1], row[2], row[3])
    return None


def _write_record(connection: Connection, file: InPlaceFile, times: FileStampTuple, number: int) -> None:
    """Write the record under the file's present path, in place of one under an earlier path."""
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
