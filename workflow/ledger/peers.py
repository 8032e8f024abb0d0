"""The running copies of stlflow that share a ledger: who is there, when each sent its last heartbeat.

The others decide whether a worker is dead; here it is removed, unless it sent a heartbeat meanwhile. On
Postgres its workers in procrastinate's tables are removed with it, which frees its jobs.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict
from uuid import uuid4

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    bindparam,
    column,
    delete,
    insert,
    or_,
    select,
    table,
    update,
)

from workflow.ledger.changes import seconds_now
from workflow.ledger.database import CLOCK
from workflow.ledger.handover import QUEUE_SCHEMA
from workflow.ledger.ledger import Ledger
from workflow.ledger.rows import worker_from
from workflow.ledger.statements import PreparedStatement
from workflow.ledger.tables import peers, submissions
from workflow.model import Backpressure, Submission, Worker

Heartbeats = Mapping[str, float]
"""When each worker sent its last heartbeat, by name."""
NO_BACKPRESSURE = Backpressure()
_BEAT_IN_QUEUE = (
    f"select {QUEUE_SCHEMA}.procrastinate_update_heartbeat_v1(each) "  # noqa: S608  # a constant of our own
    "from unnest(%(workers)s::bigint[]) each"
)
_STRAYS = (
    f"select id from {QUEUE_SCHEMA}.procrastinate_workers w where not exists "  # noqa: S608  # likewise
    "(select 1 from peers where coalesce(queue_workers, '[]')::jsonb @> to_jsonb(w.id))"
)
_VITALS = ("seen_at", "complaints", "paused_until", "queue_workers", "vitals")
_BEAT = PreparedStatement(
    update(peers)
    .where(peers.c.name == bindparam("worker"))
    .values({name: bindparam(f"new_{name}") for name in _VITALS})
)
_LIST_BEATS = PreparedStatement(select(peers.c.name, peers.c.seen_at))
_WORKERS = table("procrastinate_workers", column("id", BigInteger), schema=QUEUE_SCHEMA)
_ABANDONED_CLAIMS = select(submissions).where(
    submissions.c.claimed_as.is_(None),
    or_(submissions.c.opened_by.is_(None), submissions.c.opened_by.not_in(select(peers.c.name))),
)


def register_worker(
    ledger: Ledger, home: str, host: str, pid: int, release: str, *, again: bool = False
) -> Worker:
    """Insert this process under a new name, and return it.

    At a start, any other worker of this `home` is dead: the caller holds the lock of its state folder.
    `again` is for one that was removed while it was alive.
    """
    with ledger.write_transaction() as connection:
        CLOCK.synchronize(connection)
        now = seconds_now()
        name = f"{host}-{uuid4().hex[:6]}"
        row = {"name": name, "home": home, "host": host, "pid": pid, "release": release}
        row |= {"since": now, "seen_at": now}
        if not again:
            _remove(connection, peers.c.home == home)
        connection.execute(insert(peers).values(row))
    return worker_from({**row, "queue_workers": None, "vitals": None})


def send_heartbeat(ledger: Ledger, worker: Worker, strain: Backpressure = NO_BACKPRESSURE) -> bool:
    """Write a heartbeat, with what the cloud complained about. False if the worker was removed meanwhile."""
    with ledger.write_transaction() as connection:
        CLOCK.synchronize(connection)
        present = seconds_now()
        beat = {
            "new_seen_at": present,
            "new_complaints": strain.complaints,
            "new_paused_until": present + strain.pause_seconds,
            "new_queue_workers": json.dumps(worker.queue_workers),
            "new_vitals": json.dumps(asdict(worker.vitals)),
        }
        written = _BEAT.execute(connection, worker=worker.name, **beat)
        if worker.queue_workers:
            connection.exec_driver_sql(_BEAT_IN_QUEUE, {"workers": list(worker.queue_workers)})
        return written.rowcount == 1


def read_heartbeats(ledger: Ledger) -> Heartbeats:
    """Return when each worker sent its last heartbeat."""
    with ledger.read_connection() as connection:
        rows = _LIST_BEATS.execute(connection).mappings().all()
    return {row["name"]: row["seen_at"] for row in rows}


def read_backpressure(ledger: Ledger) -> Mapping[str, Backpressure]:
    """Return what the cloud told each worker, as of its last heartbeat, by name."""
    with ledger.read_connection() as connection:
        rows = connection.execute(select(peers.c.name, peers.c.complaints, peers.c.paused_until)).all()
    present = seconds_now()
    return {
        row.name: Backpressure(row.complaints or 0, max((row.paused_until or 0.0) - present, 0.0))
        for row in rows
    }


def remove_dead_worker(ledger: Ledger, name: str, seen_at: float) -> bool:
    """Remove a silent worker: its jobs are free. False if it sent a heartbeat, or another was quicker."""
    with ledger.write_transaction() as connection:
        return _remove(connection, (peers.c.name == name) & (peers.c.seen_at == seen_at)) == 1


def deregister_worker(ledger: Ledger, worker: Worker) -> None:
    """Remove this process: what it still has is free for others at once."""
    with ledger.write_transaction() as connection:
        _remove(connection, peers.c.name == worker.name)
        _remove_from_queue(connection, worker.queue_workers)


def list_workers(ledger: Ledger) -> tuple[Worker, ...]:
    """Return all workers, the one that started first at the front."""
    with ledger.read_connection() as connection:
        rows = connection.execute(select(peers).order_by(peers.c.since)).mappings().all()
    return tuple(worker_from(dict(row)) for row in rows)


def list_hanging(ledger: Ledger) -> str:
    """Return which calls of any worker hang, in sentences; "" if none does."""
    return " ".join(each.vitals.hanging for each in list_workers(ledger) if each.vitals.hanging)


def list_stray_queue_workers(ledger: Ledger) -> frozenset[int]:
    """Return workers in procrastinate's table that belong to no running stlflow; they may have just begun."""
    with ledger.read_connection() as connection:
        if connection.dialect.name == "sqlite":
            return frozenset()
        return frozenset(connection.exec_driver_sql(_STRAYS).scalars())


def remove_queue_workers(ledger: Ledger, workers: Collection[int]) -> None:
    """Remove workers from procrastinate's table: their jobs are free."""
    with ledger.write_transaction() as connection:
        _remove_from_queue(connection, workers)


def list_abandoned_claims(ledger: Ledger) -> tuple[Submission, ...]:
    """Return rows that were opened for a claim by a worker that is gone."""
    return ledger.select_submissions(_ABANDONED_CLAIMS)


def _remove(connection: Connection, which: ColumnElement[bool]) -> int:
    """Delete workers and what they are in procrastinate's table; return how many."""
    gone = connection.execute(delete(peers).where(which).returning(peers.c.queue_workers)).scalars().all()
    _remove_from_queue(connection, [each for some in gone for each in json.loads(some or "[]")])
    return len(gone)


def _remove_from_queue(connection: Connection, workers: Collection[int]) -> None:
    if workers and connection.dialect.name != "sqlite":
        connection.execute(delete(_WORKERS).where(_WORKERS.c.id.in_(list(workers))))
