"""The jobs of the shared queue on Postgres, next to the rows that they are for.

A row in progress has one job for its turn, queued or running. Each function here restores that: what became
due gets a job, what a dead worker ran gets a new turn with a new job, and so does a row whose job is lost.
The old job is deleted in the same transaction: a frozen worker that comes back can end nothing of the new
one.
"""

# ruff: noqa: S608  # the statements are made of constants

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, text, update

from workflow.frozen import frozen
from workflow.ledger.changes import MAX_DUE_AHEAD_SECONDS, append_event, seconds_now
from workflow.ledger.due_steps import list_steps_in_progress
from workflow.ledger.handover import HANDED_OVER, QUEUE_SCHEMA, hand_over, lock_of
from workflow.ledger.ledger import Ledger
from workflow.ledger.rows import submission_from
from workflow.ledger.statements import LOCK_SUBMISSION
from workflow.ledger.tables import submissions
from workflow.ledger.work import Work, work_of
from workflow.model import EventKind, Step, Submission, Worker

BATCH = 200
_STEPS = "'intake', 'deliver', 'finish'"
_JOBS = f"{QUEUE_SCHEMA}.procrastinate_jobs"
_IS_DUE = "(due_at <= :now or due_at > :too_far)"
_TAKE_DUE = text(
    f"update submissions s set due_at = null from (select id from submissions where step in ({_STEPS}) and "
    f"{_IS_DUE} order by due_at limit {BATCH} for update skip locked) due where s.id = due.id "
    "returning s.id, s.turn, s.step, s.home"
)
_IS_ORPHAN = "status = 'doing' and worker_id is null"
_QUEUE_STATE = (
    f"select exists(select 1 from {_JOBS} where {_IS_ORPHAN}) as orphaned, "
    f"(select min(due_at) from submissions where step in ({_STEPS})) as first, "
    f"(select max(due_at) from submissions where step in ({_STEPS})) as last"
)
_ORPHANS = text(f"select id, args from {_JOBS} where {_IS_ORPHAN} limit {BATCH} for update skip locked")
_DROPPED = text(
    f"select id, args from {_JOBS} where status = 'doing' and queueing_lock in :locks for update skip locked"
).bindparams(bindparam("locks", expanding=True))
_RUN_BY = text(f"select args from {_JOBS} where status = 'doing' and worker_id in :workers").bindparams(
    bindparam("workers", expanding=True)
)
_DELETE_JOB = text(f"select {QUEUE_SCHEMA}.procrastinate_finish_job_v1(:job, 'failed', true)")
_WITHOUT_JOB = text(
    f"select s.id, s.turn, s.step, s.home from submissions s where s.step in ({_STEPS}) and s.due_at is null "
    f"and not exists (select 1 from {_JOBS} j where j.status in ('todo', 'doing') "
    f"and j.queueing_lock = s.id || ':' || s.turn || ':' || s.step) limit {BATCH}"
)


@frozen
class QueueState:
    """What the shared queue has to do: orphaned steps to take over, and seconds until a step is due."""

    orphaned: bool
    next_seconds: float


def read_queue_state(ledger: Ledger) -> QueueState:
    """Return what is to be done, by one query: without anything due the time is infinite.

    A time so far ahead that nothing waits for it was written while the clock was wrong: due now.
    """
    with ledger.read_connection() as connection:
        orphaned, first, last = connection.exec_driver_sql(_QUEUE_STATE).one()
    now = seconds_now()
    if first is None:
        return QueueState(orphaned, float("inf"))
    return QueueState(orphaned, 0.0 if last > now + MAX_DUE_AHEAD_SECONDS else max(first - now, 0.0))


def hand_over_due_steps(ledger: Ledger) -> tuple[Work, ...]:
    """Make jobs of the steps that became due, and return them. No two workers get the same one."""
    times = {"now": seconds_now(), "too_far": seconds_now() + MAX_DUE_AHEAD_SECONDS}
    with ledger.write_transaction() as connection:
        rows = connection.execute(_TAKE_DUE, times).all()
        works = tuple(Work(row.id, row.turn, Step(row.step)) for row in rows)
        for work, row in zip(works, rows, strict=True):
            hand_over(connection, work, row.home)
    return works


def take_over_orphaned_steps(ledger: Ledger) -> tuple[Submission, ...]:
    """Begin a new turn for every step whose worker was removed; return the submissions as they were."""
    with ledger.write_transaction() as connection:
        jobs = connection.execute(_ORPHANS).all()
        return _requeue(connection, jobs, "was run by a worker that is gone")


def requeue_dropped_jobs(ledger: Ledger, dropped: Collection[Work]) -> tuple[Submission, ...]:
    """Begin a new turn for jobs that are running according to the queue, and that no thread runs."""
    if not dropped:
        return ()
    with ledger.write_transaction() as connection:
        jobs = connection.execute(_DROPPED, {"locks": [lock_of(work) for work in dropped]}).all()
        return _requeue(connection, jobs, "was run by nobody")


def requeue_lost_steps(ledger: Ledger) -> tuple[Work, ...]:
    """Begin a new turn for rows in progress whose job is gone; return them as they were."""
    with ledger.read_connection() as connection:
        rows = connection.execute(_WITHOUT_JOB).all()
    if not rows:
        return ()
    lost = [(Work(row.id, row.turn, Step(row.step)), row.home) for row in rows]
    with ledger.write_transaction() as connection:
        return tuple(work for work, home in lost if _begin_next_turn(connection, work, home))


def jobs_of(ledger: Ledger, queue_workers: Collection[int]) -> tuple[Work, ...]:
    """Return what these workers run, according to the queue."""
    if not queue_workers:
        return ()
    with ledger.read_connection() as connection:
        found = connection.execute(_RUN_BY, {"workers": list(queue_workers)}).scalars()
        return tuple(_work_from(args) for args in found)


def list_steps_of(ledger: Ledger, worker: Worker) -> tuple[Submission, ...]:
    """Return the submissions that a worker works on; on SQLite there is only one worker."""
    in_progress = list_steps_in_progress(ledger)
    if ledger.url.startswith("sqlite"):
        return in_progress
    theirs = set(jobs_of(ledger, worker.queue_workers))
    return tuple(submission for submission in in_progress if work_of(submission) in theirs)


def _requeue(connection: Connection, jobs: Sequence[Any], why: str) -> tuple[Submission, ...]:
    """Delete jobs and begin new turns for their steps; return the submissions whose turn it still was."""
    requeued = []
    for job in jobs:
        connection.execute(_DELETE_JOB, {"job": job.id})
        work = _work_from(job.args)
        row = LOCK_SUBMISSION.execute(connection, number=work.number).mappings().first()
        submission = None if row is None else submission_from(row)
        if submission is None or (submission.turn, submission.step) != (work.turn, work.step):
            continue  # it has gone on meanwhile
        _begin_next_turn(connection, work, submission.home)
        append_event(connection, work.number, EventKind.TAKEN_OVER, f"{work.step} {why}")
        requeued.append(submission)
    return tuple(requeued)


def _begin_next_turn(connection: Connection, work: Work, home: str | None) -> bool:
    """Let a step begin again under a new turn; False if it has gone on meanwhile."""
    here = (submissions.c.id == work.number) & (submissions.c.turn == work.turn)
    ahead = {"turn": work.turn + 1, "due_at": HANDED_OVER}
    if connection.execute(update(submissions).where(here).values(ahead)).rowcount != 1:
        return False
    hand_over(connection, Work(work.number, work.turn + 1, work.step), home)
    return True


def _work_from(args: dict[str, Any]) -> Work:
    return Work(args["number"], args["turn"], Step(args["step"]))
