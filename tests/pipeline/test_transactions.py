"""How many transactions one part takes, from the drop to done/: the figure that throughput depends on."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection

from tests.cloud import simulated
from tests.pipeline.conftest import Open, dispatched
from tests.stl import box
from workflow.ledger.connections import Connections

WRITES = 11
"""open, claimed, taken, examined, uploading, uploaded, routed, intent, sending, sent, ended.

Files that come together share the first and the third one.
"""
DURABLE_WRITES = 5
"""open, uploading, uploaded, sending, sent."""


def test_one_part_takes_no_more_transactions(open_shop: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    writes = writes_of_parts(open_shop, monkeypatch, parts=1)
    assert len(writes) <= WRITES, writes
    assert sum(durable for _, durable in writes) <= DURABLE_WRITES, writes


def test_parts_that_come_together_take_fewer_transactions(
    open_shop: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = 20  # that many are opened together
    writes = writes_of_parts(open_shop, monkeypatch, parts)
    openings = parts // 2  # files become due one after the other, and a round takes those that are
    shared = WRITES - 1, DURABLE_WRITES - 1
    assert len(writes) <= parts * shared[0] + openings, writes
    assert sum(durable for _, durable in writes) <= parts * shared[1] + openings, writes


def writes_of_parts(open_shop: Open, monkeypatch: pytest.MonkeyPatch, parts: int) -> list[tuple[str, bool]]:
    """Take so many parts to their queue; return each write's thread, and whether it was durable."""
    writes: list[tuple[str, bool]] = []
    begin = Connections.write_transaction

    @contextmanager
    def counted(connections: Connections, *, durable: bool = True) -> Iterator[Connection]:
        with begin(connections, durable=durable) as connection:
            yield connection
        thread = threading.current_thread().name
        if not thread.startswith("heartbeat"):
            writes.append((thread, durable))

    with simulated(slice_seconds=0) as cloud:
        monkeypatch.setattr(Connections, "write_transaction", counted)
        context = open_shop(cloud, slice_first_poll_seconds=0)
        context.service.context.catalog.on_devices = lambda _: None  # the state of printers is no part's
        writes.clear()
        order = context.share / "order"
        order.mkdir()
        for part in range(parts):
            (order / f"{part}.stl").write_bytes(box(31 + part))
        order.rename(context.share / "inbox" / "order")  # all of them are there at once
        for part in range(parts):
            context.wait(f"order/{part}.stl", dispatched)
    return writes
