"""Alone at something: one thread, and on Postgres one machine, at a time; nobody waits for a frozen one."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from tests.waiting import until
from workflow.errors import StateFolderError
from workflow.ledger import DEVICE_CHOICE_LOCK, Ledger


@pytest.fixture
def other_machine(ledger: Ledger) -> Iterator[Ledger]:
    """The same database, opened once more; on SQLite that is another thread's view."""
    if ledger.url.startswith("sqlite"):
        yield ledger
        return
    other = Ledger(ledger.url)
    yield other
    other.close()


def test_one_at_a_time_and_what_it_wrote_is_seen_by_the_next(ledger: Ledger, other_machine: Ledger) -> None:
    def count(at: Ledger) -> None:
        for _ in range(10):
            with at.locks.exclusive(DEVICE_CHOICE_LOCK):
                seen = len(at.all())
                at.claimed(at.open("a.stl"), f"place {seen}")

    with ThreadPoolExecutor(4) as machines:
        list(machines.map(count, [ledger, other_machine] * 2))
    assert len({submission.claimed_as for submission in ledger.all()}) == 40


def test_what_is_alone_at_something_else_waits_for_nobody(ledger: Ledger) -> None:
    with ledger.locks.exclusive(DEVICE_CHOICE_LOCK), ledger.locks.exclusive("something else"):
        assert ledger.all() == ()


def test_nobody_waits_for_a_machine_that_is_frozen(postgres_url: str) -> None:
    """Its session is ended by the server; when it wakes, it learns that its turn was over."""
    frozen, other = Ledger(postgres_url), Ledger(postgres_url)
    begun, woken = threading.Event(), threading.Event()

    def freeze() -> None:
        with frozen.locks.exclusive(DEVICE_CHOICE_LOCK, longest_seconds=0.2):
            begun.set()
            assert woken.wait(60)

    with ThreadPoolExecutor(1) as machine:
        frozen_one = machine.submit(freeze)
        assert begun.wait(60)
        with other.locks.exclusive(DEVICE_CHOICE_LOCK, longest_seconds=5):
            woken.set()
            with pytest.raises(StateFolderError):
                frozen_one.result(10)
    for each in (frozen, other):
        each.close()


def test_a_turn_that_was_lost_hides_no_error_of_the_work(postgres_url: str) -> None:
    """The cloud was away for too long: that is the reason to wait, not that others passed by."""
    ledger = Ledger(postgres_url)

    waits = text(
        "select 1 from pg_stat_activity where datname = current_database() and state like 'idle in%'"
    )

    def is_over() -> bool:
        with ledger.read_connection() as connection:
            return connection.execute(waits).first() is None

    def work() -> None:
        with ledger.locks.exclusive(DEVICE_CHOICE_LOCK, longest_seconds=0.2):
            assert until(is_over)
            raise ValueError("inside")

    with pytest.raises(ValueError, match="inside"):
        work()
    ledger.close()


def test_an_error_inside_ends_the_turn(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="inside"), ledger.locks.exclusive(DEVICE_CHOICE_LOCK):
        raise ValueError("inside")
    with ledger.locks.exclusive(DEVICE_CHOICE_LOCK):
        assert ledger.all() == ()
