"""What waits for its slice job: how much that is, whom a build concerns, and going on with it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import and_, func, select

from workflow.ledger.ledger import Ledger
from workflow.ledger.statements import append_event, change_submission, seconds_now
from workflow.ledger.tables import submissions
from workflow.model import State, Step, Submission

_AT_ONCE = 500
"""Values in one statement: SQLite takes no more than some thousands."""
_PARKED = and_(submissions.c.state == State.SLICING.value, submissions.c.step == Step.POLL.value)
_COUNT = select(func.count().label("waiting"), func.min(submissions.c.uploaded_at).label("since")).where(
    _PARKED
)


@dataclass(frozen=True, slots=True)
class Parked:
    """How many submissions wait for slicing, and when the first of them was uploaded."""

    count: int
    since: datetime | None


def parked(ledger: Ledger) -> Parked:
    """Tell how much waits for slicing. Raises StateError."""
    with ledger.reading() as connection:
        row = connection.execute(_COUNT).one()
    return Parked(row.waiting, None if row.since is None else datetime.fromtimestamp(row.since, UTC))


def parked_among(ledger: Ledger, numbers: Collection[int]) -> tuple[Submission, ...]:
    """Give those of these submissions that wait for slicing. Raises StateError."""
    wanted = sorted(numbers)
    some = (wanted[start : start + _AT_ONCE] for start in range(0, len(wanted), _AT_ONCE))
    queries = (select(submissions).where(submissions.c.id.in_(each), _PARKED) for each in some)
    return tuple(submission for query in queries for submission in ledger.several(query))


def parked_with(ledger: Ledger, part_version_ids: Collection[str]) -> tuple[Submission, ...]:
    """Give submissions that wait for the slicing of one of these part versions. Raises StateError."""
    ours = submissions.c.part_version_id.in_(list(part_version_ids))
    return ledger.several(select(submissions).where(ours, _PARKED))


def go_on_with(
    ledger: Ledger, submission: Submission, events: Sequence[tuple[str, str]], **changes: object
) -> None:
    """Begin to deliver what was parked, with all its news at once. Raises Superseded, StateError."""
    ahead = {"step": Step.DELIVER, "due_at": seconds_now(), "turn": submission.turn + 1, "worker": None}
    with ledger.writing() as connection:
        change_submission(connection, submission, {**ahead, **changes})
        for event, detail in events:
            append_event(connection, submission.id, event, detail)
