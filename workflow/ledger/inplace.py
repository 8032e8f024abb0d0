"""Files that are taken and left in their places, known again on every machine that sees them.

Of the same file, seen from several machines at once, one submission is begun.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, func, insert, or_, select

from workflow.ledger.ledger import Ledger
from workflow.ledger.statements import append_event, one_at_a_time, seconds_now
from workflow.ledger.tables import submissions
from workflow.model import State, Step, Submission


@dataclass(frozen=True, slots=True)
class InPlace:
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


def taken_from(ledger: Ledger, file: InPlace) -> tuple[Submission, ...]:
    """Give what was made of a file in its place before, from whatever machine, newest first."""
    return ledger.several(select(submissions).where(_same_file(file)).order_by(submissions.c.id.desc()))


def take_in_place(ledger: Ledger, file: InPlace, after: int) -> int | None:
    """Begin a submission for a file in its place; gives its number.

    None when another one was begun since number `after`, the newest that was looked at (0: there was none).
    """
    with ledger.writing() as connection:
        one_at_a_time(connection, file.origin)
        newest = select(func.max(submissions.c.id)).where(_same_file(file))
        if (connection.execute(newest).scalar_one() or 0) != after:
            return None
        return insert_in_place(connection, file)


def insert_in_place(connection: Connection, file: InPlace) -> int:
    """Begin a submission inside somebody's transaction; gives its number."""
    row = {
        "path": file.path,
        "state": State.CLAIMED.value,
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


def _same_file(file: InPlace) -> ColumnElement[bool]:
    """The place alone says nothing of another machine's disk; an older release wrote no origin."""
    here = and_(submissions.c.claimed_as == file.place, submissions.c.home == file.home)
    return or_(submissions.c.origin == file.origin, here)
