"""Who has a step in hands: taking what is due, and taking over from whoever is gone.

A step that runs bears the name of its worker. A worker that stands no longer in `workers` has nothing:
its steps begin anew as new turns, so that it can change nothing any more should it come back.
"""

from collections.abc import Collection
from dataclasses import replace

from sqlalchemy import ColumnElement, Connection, Float, Select, Text, and_, bindparam, or_, select, update

from workflow.ledger.ledger import LONGEST_WAIT_SECONDS, Ledger
from workflow.ledger.rows import submission_from
from workflow.ledger.statements import append_event, seconds_now
from workflow.ledger.tables import submissions, workers
from workflow.model import Step, Submission, Worker

TAKEN_AT_ONCE = 500


def _is_due() -> ColumnElement[bool]:
    """Of `now` and `home`: a file that was left on a machine's own disk can be read there only."""
    now, home = bindparam("now", type_=Float), bindparam("home", type_=Text)
    at_hand = or_(
        submissions.c.step != Step.INTAKE.value, submissions.c.home.is_(None), submissions.c.home == home
    )
    return and_(or_(submissions.c.due_at <= now, submissions.c.due_at > now + LONGEST_WAIT_SECONDS), at_hand)


def _of_nobody() -> ColumnElement[bool]:
    alive: Select[tuple[str]] = select(workers.c.name)
    return or_(submissions.c.worker.is_(None), submissions.c.worker.not_in(alive))


# Asked several times a minute for years: written once, for writing them costs more than asking.
_RUNNING = and_(submissions.c.step.is_not(None), submissions.c.due_at.is_(None))
_ORPHANED = and_(_RUNNING, _of_nobody())
_DUE_STEPS = select(submissions.c.step).where(_is_due(), submissions.c.step.is_not(None)).distinct()
_ANY_ORPHAN = select(submissions.c.id).where(_ORPHANED).limit(1)
_IN_HANDS = select(submissions).where(_RUNNING, submissions.c.worker == bindparam("name", type_=Text))
_ABANDONED = select(submissions).where(submissions.c.claimed_as.is_(None), _of_nobody())


def take_due(ledger: Ledger, worker: Worker, steps: Collection[Step], limit: int) -> tuple[Submission, ...]:
    """Take up to so many submissions of which one of these steps is due, longest due first.

    No two workers get the same one. A file that was left on another machine's disk is taken there only.
    """
    if limit < 1:
        return ()
    among = submissions.c.step.in_([step.value for step in steps])
    query = select(submissions).where(_is_due(), among).order_by(submissions.c.due_at).limit(limit)
    with ledger.writing() as connection:
        rows = connection.execute(query.with_for_update(skip_locked=True), _now_for(worker)).mappings().all()
        taken = [submission_from(dict(row)) for row in rows]
        if not taken:
            return ()
        mine = {"due_at": None, "worker": worker.name}
        these = submissions.c.id.in_([submission.id for submission in taken])
        connection.execute(update(submissions).where(these).values(mine))
    return tuple(replace(submission, due_at=None, worker=worker.name) for submission in taken)


def due_for(ledger: Ledger, worker: Worker) -> frozenset[Step]:
    """Tell which steps are due for somebody; asked often, so it is one look that takes no lock."""
    with ledger.reading() as connection:
        return frozenset(map(Step, connection.execute(_DUE_STEPS, _now_for(worker)).scalars()))


def in_hands_of(ledger: Ledger, worker: Worker) -> tuple[Submission, ...]:
    """Give submissions whose present step this worker has taken."""
    return ledger.several(_IN_HANDS, {"name": worker.name})


def take_over(ledger: Ledger) -> tuple[Submission, ...]:
    """Let steps that nobody alive has in hands begin anew, at once; gives them as they were."""
    if not ledger.some(_ANY_ORPHAN):
        return ()
    with ledger.writing() as connection:
        return begin_anew(connection, _ORPHANED, "was in the hands of")


def begin_anew(connection: Connection, which: ColumnElement[bool], why: str) -> tuple[Submission, ...]:
    """Begin a new turn for running steps, inside somebody's transaction."""
    query = select(submissions).where(which).limit(TAKEN_AT_ONCE).with_for_update(skip_locked=True)
    found = tuple(submission_from(dict(row)) for row in connection.execute(query).mappings())
    for submission in found:
        ahead = {"turn": submission.turn + 1, "due_at": seconds_now(), "worker": None}
        connection.execute(update(submissions).where(submissions.c.id == submission.id).values(ahead))
        detail = f"{submission.step} {why} {submission.worker or 'nobody'}"
        append_event(connection, submission.id, "taken over", detail)
    return found


def abandoned(ledger: Ledger) -> tuple[Submission, ...]:
    """Give rows that were opened for a claim by somebody who is gone."""
    return ledger.several(_ABANDONED)


def running_for(name: str) -> ColumnElement[bool]:
    """Give the condition for steps in the hands of one worker."""
    return and_(_RUNNING, submissions.c.worker == name)


def _now_for(worker: Worker) -> dict[str, object]:
    return {"now": seconds_now(), "home": worker.home}
