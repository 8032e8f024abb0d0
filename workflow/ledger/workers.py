"""The workers that take part: who is there, and the sign of life each gives.

A sign of life is a random word that changes. Whether a worker is silent is for others to see on their
own steady clocks; here it is only struck off, if it has not given a sign meanwhile.
"""

from collections.abc import Mapping
from uuid import uuid4

from sqlalchemy import delete, insert, select, update

from workflow.ledger.changes import seconds_now
from workflow.ledger.database import CLOCK
from workflow.ledger.leases import leased_by, requeue_steps
from workflow.ledger.ledger import Ledger
from workflow.ledger.rows import worker_from
from workflow.ledger.tables import workers
from workflow.model import Backpressure, Submission, Worker

Heartbeats = Mapping[str, str]
"""The last sign of life of each worker, by name."""
NO_BACKPRESSURE = Backpressure()


def register_worker(
    ledger: Ledger, home: str, host: str, pid: int, release: str, *, again: bool = False
) -> Worker:
    """Take part under a fresh name.

    At a start, any other worker of this `home` is dead: the caller holds the lock of its state folder.
    `again` is for one that was struck off while it lived.
    """
    with ledger.write_transaction() as connection:
        CLOCK.synchronize(connection)
        now = seconds_now()
        row = {
            "name": f"{host}-{uuid4().hex[:6]}",
            "home": home,
            "host": host,
            "pid": pid,
            "release": release,
            "since": now,
            "seen_at": now,
            "beat": uuid4().hex,
        }
        if not again:
            connection.execute(delete(workers).where(workers.c.home == home))
        connection.execute(insert(workers).values(row))
    return worker_from(row)


def send_heartbeat(ledger: Ledger, worker: Worker, strain: Backpressure = NO_BACKPRESSURE) -> bool:
    """Return a sign of life, and tell the others of complaints of the cloud.

    False says that the worker was struck off meanwhile, and has no steps.
    """
    with ledger.write_transaction() as connection:
        CLOCK.synchronize(connection)
        present = seconds_now()
        told = {"complaints": strain.complaints, "paused_until": present + strain.pause_seconds}
        sign = {"beat": uuid4().hex, "seen_at": present, **told}
        mine = workers.c.name == worker.name
        return connection.execute(update(workers).where(mine).values(sign)).rowcount == 1


def read_heartbeats(ledger: Ledger) -> Heartbeats:
    """Return the last sign of every worker that takes part."""
    with ledger.read_connection() as connection:
        rows = connection.execute(select(workers.c.name, workers.c.beat)).all()
    return {row.name: row.beat for row in rows}


def read_backpressure(ledger: Ledger) -> Mapping[str, Backpressure]:
    """Return what the cloud gave every worker to understand, as of its last sign; by name."""
    with ledger.read_connection() as connection:
        rows = connection.execute(select(workers.c.name, workers.c.complaints, workers.c.paused_until)).all()
    present = seconds_now()
    return {
        row.name: Backpressure(row.complaints or 0, max((row.paused_until or 0.0) - present, 0.0))
        for row in rows
    }


def remove_dead_worker(ledger: Ledger, name: str, beat: str) -> bool:
    """Strike a silent worker off, unless it gave a sign since; tells whether it was us who did."""
    silent = (workers.c.name == name) & (workers.c.beat == beat)
    with ledger.write_transaction() as connection:
        return connection.execute(delete(workers).where(silent)).rowcount == 1


def deregister_worker(ledger: Ledger, worker: Worker) -> tuple[Submission, ...]:
    """Take part no longer: its running steps are free for others at once."""
    with ledger.write_transaction() as connection:
        dropped = requeue_steps(connection, leased_by(worker.name), "was given back by")
        connection.execute(delete(workers).where(workers.c.name == worker.name))
    return dropped


def list_workers(ledger: Ledger) -> tuple[Worker, ...]:
    """Return all workers that take part, the longest there first."""
    with ledger.read_connection() as connection:
        rows = connection.execute(select(workers).order_by(workers.c.since)).mappings().all()
    return tuple(worker_from(dict(row)) for row in rows)
