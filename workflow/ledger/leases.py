"""Leases on steps: acquire what is due, and taking over from dead workers.

A step that runs bears the name of its worker. A worker that stands no longer in `workers` has nothing:
its steps begin again as new turns, so that it can change nothing any more should it come back.

What waits for its slice job: how much that is, whom a build concerns, and going on with it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Unpack

from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    Select,
    Text,
    and_,
    bindparam,
    func,
    or_,
    select,
    update,
)

from workflow.ledger.changes import (
    MAX_DUE_AHEAD_SECONDS,
    append_event,
    apply_changes,
    chunks,
    next_turn,
    seconds_now,
)
from workflow.ledger.ledger import Ledger
from workflow.ledger.rows import submission_from
from workflow.ledger.tables import submissions, workers
from workflow.model import EventKind, Step, Submission, SubmissionChanges, SubmissionState, Worker

TAKEOVER_BATCH = 500


def _is_due() -> ColumnElement[bool]:
    """Of `now` and `home`: a file that was left on a machine's own disk can be read there only."""
    now, home = bindparam("now", type_=Float), bindparam("home", type_=Text)
    at_hand = or_(
        submissions.c.step != Step.INTAKE.value, submissions.c.home.is_(None), submissions.c.home == home
    )
    return and_(or_(submissions.c.due_at <= now, submissions.c.due_at > now + MAX_DUE_AHEAD_SECONDS), at_hand)


def _has_no_live_worker() -> ColumnElement[bool]:
    alive: Select[tuple[str]] = select(workers.c.name)
    return or_(submissions.c.worker.is_(None), submissions.c.worker.not_in(alive))


# Asked several times a minute for years: written once, for writing them costs more than asking.
IN_PROGRESS = and_(submissions.c.step.is_not(None), submissions.c.due_at.is_(None))
_ORPHANED = and_(IN_PROGRESS, _has_no_live_worker())
_DUE_STEPS = select(submissions.c.step).where(_is_due(), submissions.c.step.is_not(None)).distinct()
_ANY_ORPHAN = select(submissions.c.id).where(_ORPHANED).limit(1)
_of_worker = submissions.c.worker == bindparam("name", type_=Text)
_LEASED_BY_WORKER = select(submissions).where(IN_PROGRESS, _of_worker)
_ABANDONED_CLAIMS = select(submissions).where(submissions.c.claimed_as.is_(None), _has_no_live_worker())


def acquire_due_steps(
    ledger: Ledger, worker: Worker, steps: Collection[Step], limit: int
) -> tuple[Submission, ...]:
    """Take up to so many submissions of which one of these steps is due, longest due first.

    No two workers get the same one. A file that was left on another machine's disk is taken there only.
    """
    if limit < 1:
        return ()
    among = submissions.c.step.in_([step.value for step in steps])
    query = select(submissions).where(_is_due(), among).order_by(submissions.c.due_at).limit(limit)
    with ledger.write_transaction() as connection:
        rows = connection.execute(query.with_for_update(skip_locked=True), _now_for(worker)).mappings().all()
        taken = [submission_from(dict(row)) for row in rows]
        if not taken:
            return ()
        mine = {"due_at": None, "worker": worker.name}
        these = submissions.c.id.in_([submission.id for submission in taken])
        connection.execute(update(submissions).where(these).values(mine))
    return tuple(replace(submission, due_at=None, worker=worker.name) for submission in taken)


def find_due_steps(ledger: Ledger, worker: Worker) -> frozenset[Step]:
    """Return which steps are due for someone; asked often, so it is one look that takes no lock."""
    with ledger.read_connection() as connection:
        return frozenset(map(Step, connection.execute(_DUE_STEPS, _now_for(worker)).scalars()))


def list_leased_steps(ledger: Ledger, worker: Worker) -> tuple[Submission, ...]:
    """Return submissions whose present step this worker has taken."""
    return ledger.select_submissions(_LEASED_BY_WORKER, {"name": worker.name})


def take_over_orphaned_steps(ledger: Ledger) -> tuple[Submission, ...]:
    """Let steps that no live worker runs begin again, at once; gives them as they were."""
    if not ledger.exists(_ANY_ORPHAN):
        return ()
    with ledger.write_transaction() as connection:
        return requeue_steps(connection, _ORPHANED, "was in the hands of")


def requeue_steps(connection: Connection, which: ColumnElement[bool], why: str) -> tuple[Submission, ...]:
    """Begin a new turn for running steps, inside someone's transaction."""
    query = select(submissions).where(which).limit(TAKEOVER_BATCH).with_for_update(skip_locked=True)
    found = tuple(submission_from(dict(row)) for row in connection.execute(query).mappings())
    for submission in found:
        ahead = {"turn": submission.turn + 1, "due_at": seconds_now(), "worker": None}
        connection.execute(update(submissions).where(submissions.c.id == submission.id).values(ahead))
        detail = f"{submission.step} {why} {submission.worker or 'nobody'}"
        append_event(connection, submission.id, EventKind.TAKEN_OVER, detail)
    return found


def list_abandoned_claims(ledger: Ledger) -> tuple[Submission, ...]:
    """Return rows that were opened for a claim by someone who is gone."""
    return ledger.select_submissions(_ABANDONED_CLAIMS)


def leased_by(name: str) -> ColumnElement[bool]:
    """Return the condition for steps in the hands of one worker."""
    return and_(IN_PROGRESS, submissions.c.worker == name)


def _now_for(worker: Worker) -> dict[str, object]:
    return {"now": seconds_now(), "home": worker.home}


_WAITING_FOR_SLICING = and_(
    submissions.c.state == SubmissionState.SLICING.value, submissions.c.step == Step.POLL.value
)
_WAITING_COUNT = select(
    func.count().label("waiting"), func.min(submissions.c.uploaded_at).label("since")
).where(_WAITING_FOR_SLICING)


@dataclass(frozen=True, slots=True)
class WaitingForSlicing:
    """How many submissions wait for slicing, and when the first of them was uploaded."""

    count: int
    since: datetime | None


def count_waiting_for_slicing(ledger: Ledger) -> WaitingForSlicing:
    """Return how much waits for slicing. Raises StateError."""
    with ledger.read_connection() as connection:
        row = connection.execute(_WAITING_COUNT).one()
    return WaitingForSlicing(
        row.waiting, None if row.since is None else datetime.fromtimestamp(row.since, UTC)
    )


def filter_waiting_for_slicing(ledger: Ledger, numbers: Collection[int]) -> tuple[Submission, ...]:
    """Return those of these submissions that wait for slicing. Raises StateError."""
    some = chunks(sorted(numbers))
    queries = (select(submissions).where(submissions.c.id.in_(each), _WAITING_FOR_SLICING) for each in some)
    return tuple(submission for query in queries for submission in ledger.select_submissions(query))


def find_waiting_by_part_version(ledger: Ledger, part_version_ids: Collection[str]) -> tuple[Submission, ...]:
    """Return submissions that wait for the slicing of one of these part versions. Raises StateError."""
    ours = submissions.c.part_version_id.in_(list(part_version_ids))
    return ledger.select_submissions(select(submissions).where(ours, _WAITING_FOR_SLICING))


def start_delivery(
    ledger: Ledger,
    submission: Submission,
    events: Sequence[tuple[EventKind, str]],
    **changes: Unpack[SubmissionChanges],
) -> None:
    """Begin to deliver what was parked, with all its news at once. Raises Superseded, StateError."""
    present = datetime.fromtimestamp(seconds_now(), UTC)
    ahead = next_turn(submission, Step.DELIVER, present)
    with ledger.write_transaction() as connection:
        delivery: SubmissionChanges = {**ahead, **changes}
        apply_changes(connection, submission, delivery, *events)
