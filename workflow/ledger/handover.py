"""Handing a step over to the shared queue: on Postgres a step that is due becomes a job of procrastinate's.

The job is deferred in the transaction that makes the step due, so neither exists without the other. On SQLite
the row itself is the queue and nothing is handed over.

What a row says: a step with a due time waits in the ledger; a step without one is in progress, which on
Postgres means that a job for its turn is queued or runs.
"""

import json

from sqlalchemy import Connection

from workflow.ledger.database import CLOCK
from workflow.ledger.work import Work
from workflow.model import Step

HANDED_OVER: None = None
"""The due time of a step that is in progress."""
QUEUE_SCHEMA = "stlflow_queue"
"""The schema of procrastinate's tables."""
INTAKE_QUEUE, DELIVER_QUEUE = "intake", "deliver"
STAGE_TASK = "stage"

_DEFER = f"""
    select {QUEUE_SCHEMA}.procrastinate_defer_jobs_v1(array[row(
        %(queue)s::varchar, '{STAGE_TASK}'::varchar, 0, null, %(lock)s::text, %(args)s::jsonb, null
    )::{QUEUE_SCHEMA}.procrastinate_job_to_defer_v1])
    where not exists (
        select 1 from {QUEUE_SCHEMA}.procrastinate_jobs where queueing_lock = %(lock)s and status = 'todo'
    )
"""  # noqa: S608  # constants of our own
"""A job that is there already aborts nothing: it is enough."""


def becomes_job(connection: Connection, step: Step | None, due_at: object) -> bool:
    """True if a step with this due time is handed over in this transaction, and so has no due time then."""
    if connection.dialect.name != "postgresql" or step is None or step is Step.POLL:
        return False
    return isinstance(due_at, float) and due_at <= CLOCK.seconds()


def hand_over(connection: Connection, work: Work, home: str | None = None) -> None:
    """Defer the job of a step inside the caller's transaction; `home` is the only machine that can run it."""
    values = {"queue": queue_of(work.step, home), "lock": lock_of(work), "args": json.dumps(args_of(work))}
    connection.exec_driver_sql(_DEFER, values)


def queue_of(step: Step, home: str | None) -> str:
    """Return the queue of a step: a file on one machine's own disk can be taken in there only."""
    if step is not Step.INTAKE:
        return DELIVER_QUEUE
    return INTAKE_QUEUE if home is None else f"{INTAKE_QUEUE}@{home}"


def lock_of(work: Work) -> str:
    """Return the queueing lock of a step in one turn: there is one job for it."""
    return f"{work.number}:{work.turn}:{work.step}"


def args_of(work: Work) -> dict[str, object]:
    """Return the arguments of a step's job."""
    return {"number": work.number, "turn": work.turn, "step": work.step.value}
