"""The workers that take part: who is there, and the sign of life each gives.

A sign of life is a random word that changes. Whether a worker is silent is for others to see on their
own steady clocks; here it is only struck off, if it has not given a sign meanwhile.
"""

from collections.abc import Mapping
from uuid import uuid4

from sqlalchemy import delete, insert, select, update

from workflow.ledger.claims import begin_anew, running_for
from workflow.ledger.clock import CLOCK
from workflow.ledger.ledger import Ledger
from workflow.ledger.rows import worker_from
from workflow.ledger.statements import seconds_now
from workflow.ledger.tables import workers
from workflow.model import Strain, Submission, Worker

Beats = Mapping[str, str]
"""The last sign of life of each worker, by name."""
CALM = Strain()


def join(ledger: Ledger, home: str, host: str, pid: int, release: str, *, again: bool = False) -> Worker:
    """Take part under a fresh name.

    At a start, whoever else bears this `home` is gone: the caller holds the lock of its state folder.
    `again` is for one that was struck off while it lived.
    """
    with ledger.writing() as connection:
        CLOCK.follow(connection)
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


def give_sign(ledger: Ledger, worker: Worker, strain: Strain = CALM) -> bool:
    """Give a sign of life, and tell the others of complaints of the cloud.

    False says that the worker was struck off meanwhile, and has nothing in hands.
    """
    with ledger.writing() as connection:
        CLOCK.follow(connection)
        present = seconds_now()
        told = {"complaints": strain.complaints, "paused_until": present + strain.pause_seconds}
        sign = {"beat": uuid4().hex, "seen_at": present, **told}
        mine = workers.c.name == worker.name
        return connection.execute(update(workers).where(mine).values(sign)).rowcount == 1


def signs(ledger: Ledger) -> Beats:
    """Give the last sign of every worker that takes part."""
    with ledger.reading() as connection:
        rows = connection.execute(select(workers.c.name, workers.c.beat)).all()
    return {row.name: row.beat for row in rows}


def strains(ledger: Ledger) -> Mapping[str, Strain]:
    """Give what the cloud gave every worker to understand, as of its last sign; by name."""
    with ledger.reading() as connection:
        rows = connection.execute(select(workers.c.name, workers.c.complaints, workers.c.paused_until)).all()
    present = seconds_now()
    return {
        row.name: Strain(row.complaints or 0, max((row.paused_until or 0.0) - present, 0.0)) for row in rows
    }


def strike_off(ledger: Ledger, name: str, beat: str) -> bool:
    """Strike a silent worker off, unless it gave a sign since; tells whether it was us who did."""
    silent = (workers.c.name == name) & (workers.c.beat == beat)
    with ledger.writing() as connection:
        return connection.execute(delete(workers).where(silent)).rowcount == 1


def leave(ledger: Ledger, worker: Worker) -> tuple[Submission, ...]:
    """Take part no longer: what is still in hands is free for others at once."""
    with ledger.writing() as connection:
        dropped = begin_anew(connection, running_for(worker.name), "was given back by")
        connection.execute(delete(workers).where(workers.c.name == worker.name))
    return dropped


def crew(ledger: Ledger) -> tuple[Worker, ...]:
    """Give all workers that take part, the longest there first."""
    with ledger.reading() as connection:
        rows = connection.execute(select(workers).order_by(workers.c.since)).mappings().all()
    return tuple(worker_from(dict(row)) for row in rows)
