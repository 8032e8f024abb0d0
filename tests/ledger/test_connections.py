"""Kept connections: turns, durability, errors, what a burst leaves, and a server that ends them."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from sqlalchemy import text

from workflow.errors import StateFolderError
from workflow.ledger import Ledger, database, kept_connections
from workflow.ledger.changes import lock_submission

FULL, NORMAL = 2, 1


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")) as ledger:
        yield ledger


@pytest.mark.parametrize("order", [(True, False, True), (False, True, False)])
def test_each_transaction_is_as_durable_as_it_says(ledger: Ledger, order: tuple[bool, ...]) -> None:
    for durable in order:
        with ledger.write_transaction(durable=durable) as connection:
            level = connection.execute(text("pragma synchronous")).scalar_one()
        assert level == (FULL if durable else NORMAL)


def test_a_transaction_is_durable_unless_it_says_otherwise(ledger: Ledger) -> None:
    with ledger.write_transaction(durable=False):
        pass
    with ledger.write_transaction() as connection:
        assert connection.execute(text("pragma synchronous")).scalar_one() == FULL


def test_a_transaction_inside_another_one_is_refused_at_once_and_the_next_one_works(ledger: Ledger) -> None:
    with pytest.raises(RuntimeError, match="inside another one"), ledger.write_transaction():
        ledger.open("a.stl")
    assert ledger.open("b.stl") == 1


def test_threads_take_turns_and_lose_nothing(ledger: Ledger) -> None:
    with ThreadPoolExecutor(8) as threads:
        numbers = list(threads.map(ledger.open, (f"{n}.stl" for n in range(40))))
    assert sorted(numbers) == list(range(1, 41))


def test_after_an_error_of_the_database_the_next_transaction_opens_it_again(
    ledger: Ledger, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)) as other:
        other.execute("alter table submissions rename to away")
        with pytest.raises(StateFolderError, match="no such table: submissions"):
            ledger.open("a.stl")
        other.execute("alter table away rename to submissions")
    assert ledger.open("a.stl") == 1


def test_what_a_failed_transaction_wrote_is_undone(ledger: Ledger) -> None:
    def write_and_fail() -> None:
        with ledger.write_transaction() as connection:
            connection.execute(text("insert into set_aside (path, accepted) values ('a.stl', 0)"))
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        write_and_fail()
    with ledger.read_connection() as connection:
        assert connection.execute(text("select count(*) from set_aside")).scalar_one() == 0


def test_readers_that_nobody_needs_after_a_burst_are_closed(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as burst:
        opened = [burst.enter_context(ledger.read_connection()) for _ in range(3)]
    assert not any(each.closed for each in opened), "the next burst may come at once"
    monkeypatch.setattr(kept_connections, "UNUSED_SECONDS", 0.0)
    with ledger.read_connection() as used:
        assert used is opened[0], "the one used last"
    assert all(each.closed for each in opened)
    with ledger.read_connection() as connection:
        assert connection.execute(text("select 1")).scalar_one() == 1


def test_a_machine_that_freezes_in_a_transaction_keeps_no_row_locked(postgres_url: str) -> None:
    """Its submissions could not be taken over until it came back."""
    limit = "idle_in_transaction_session_timeout"
    with closing(Ledger(postgres_url)) as frozen, closing(Ledger(postgres_url)) as heir:
        number = frozen.open("a.stl")
        frozen.claimed(number, "processing/1~a.stl")

        def freeze() -> None:
            with frozen.write_transaction() as connection:
                lock_submission(connection, number)
                assert (
                    connection.exec_driver_sql(f"show {limit}").scalar_one() == database.IDLE_IN_TRANSACTION
                )
                connection.exec_driver_sql(f"set local {limit} = '200ms'")
                heir.update_submission(heir.get(number), reason="taken over")  # waits for the lock
                lock_submission(connection, number)

        with pytest.raises(StateFolderError):
            freeze()
        assert frozen.get(number).reason == "taken over"


_END_ALL_OTHERS = text(
    "select pg_terminate_backend(pid, 10000) from pg_stat_activity "
    "where pid <> pg_backend_pid() and datname = current_database()"
)


@pytest.mark.parametrize("was_unused", [True, False])
def test_a_connection_that_the_server_ended_is_opened_anew(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, *, was_unused: bool
) -> None:
    with closing(Ledger(postgres_url)) as ledger, closing(Ledger(postgres_url)) as other:
        number = ledger.open("a.stl")
        assert ledger.get(number).path == "a.stl"
        with other.read_connection() as connection:
            assert all(connection.execute(_END_ALL_OTHERS).scalars())
        if was_unused:
            for module in (database, kept_connections):
                monkeypatch.setattr(module, "UNUSED_SECONDS", 0.0)
        else:
            with pytest.raises(StateFolderError):  # once: a server is asked only if seconds have passed
                ledger.get(number)
        assert ledger.get(number).path == "a.stl"
