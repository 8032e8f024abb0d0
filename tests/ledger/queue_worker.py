"""A worker that takes steps as the queue of its database does, one at a time, and can die at any moment."""

from contextlib import closing
from dataclasses import replace
from typing import Any

from sqlalchemy import text

from workflow.ledger import (
    DueSteps,
    Ledger,
    hand_over_due_steps,
    queue_of,
    read_heartbeats,
    register_worker,
    remove_dead_worker,
    requeue_interrupted_steps,
    send_heartbeat,
    take_due_steps,
    take_over_orphaned_steps,
)
from workflow.model import Step, Submission

_REGISTER = text("select worker_id from stlflow_queue.procrastinate_register_worker_v1()")
_FETCH = text("select args from stlflow_queue.procrastinate_fetch_job_v2(:queues, :worker)")


class QueueWorker:
    """One running stlflow."""

    def __init__(self, ledger: Ledger, home: str = "here") -> None:
        self.ledger, self.home = ledger, home
        self.me = register_worker(ledger, home, "host", 1, "1.0")
        if not is_sqlite(ledger):
            with ledger.write_transaction() as connection:
                number = connection.execute(_REGISTER).scalar_one()
            self.me = replace(self.me, queue_workers=(number,))
            send_heartbeat(ledger, self.me)

    def take(self, step: Step, limit: int = 10) -> tuple[Submission, ...]:
        """Begin what is due of a step; on Postgres what is due of its queue."""
        numbers = self._take_rows(step, limit) if is_sqlite(self.ledger) else self._take_jobs(step, limit)
        return tuple(self.ledger.get(number) for number in numbers)

    def die(self) -> None:
        """Be removed by the others, who heard nothing for a while."""
        beat = read_heartbeats(self.ledger)[self.me.name]
        assert remove_dead_worker(self.ledger, self.me.name, beat)

    def _take_rows(self, step: Step, limit: int) -> list[int]:
        with closing(DueSteps(self.ledger, self.home)) as due:
            return [work.number for work in take_due_steps(self.ledger, due.find([step], limit))]

    def _take_jobs(self, step: Step, limit: int) -> list[int]:
        hand_over_due_steps(self.ledger)
        queues = [queue_of(step, None), queue_of(step, self.home)]
        jobs: list[Any] = []
        with self.ledger.write_transaction() as connection:
            for _ in range(limit):
                jobs += connection.execute(
                    _FETCH, {"queues": queues, "worker": self.me.queue_workers[0]}
                ).scalars()
        return [job["number"] for job in jobs if job is not None]


def take_over(ledger: Ledger) -> tuple[Submission, ...]:
    """Begin a new turn for what dead workers ran; return it as it was."""
    return requeue_interrupted_steps(ledger) if is_sqlite(ledger) else take_over_orphaned_steps(ledger)


def is_sqlite(ledger: Ledger) -> bool:
    """True if one process owns the database."""
    return ledger.url.startswith("sqlite")
