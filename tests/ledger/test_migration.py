"""A database that an older release made opens, and everything in it goes on."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import inspect

from tests.ledger.queue_worker import QueueWorker, take_over
from workflow.errors import StateFolderError
from workflow.ledger import (
    AlreadySent,
    Ledger,
    SendIntent,
    list_abandoned_claims,
    list_steps_of,
    postpone_due_polls,
)
from workflow.ledger.database import migrate_schema, open_database
from workflow.ledger.tables import PARTIAL_INDEXES, metadata
from workflow.model import Step, SubmissionState

FIRST_RELEASE = Path(__file__).parent / "release_0_1.sql"


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Ledger]:
    """The database of the first release, opened by this one."""
    database = sqlite3.connect(tmp_path / "old.db")
    database.executescript(FIRST_RELEASE.read_text("utf-8"))
    database.commit()
    database.close()
    ledger = Ledger(f"sqlite:///{tmp_path / 'old.db'}")
    yield ledger
    ledger.close()


def test_what_the_last_release_left_goes_on(old: Ledger) -> None:
    worker = QueueWorker(old)
    assert [each.id for each in take_over(old)] == [2, 4]
    assert [each.id for each in worker.take(Step.INTAKE)] == [1, 2]
    assert [each.id for each in postpone_due_polls(old, 10)] == [3]
    (sending,) = worker.take(Step.DELIVER)
    assert old.sends.begin(sending, 1, 60) == SendIntent(token=_token(old, 4), times=2)
    assert [each.id for each in list_steps_of(old, worker.me)] == [1, 2, 4]
    assert [each.id for each in list_abandoned_claims(old)] == [7]


def test_what_it_had_ended_stays_ended(old: Ledger) -> None:
    sent = old.get(5)
    assert (sent.state, sent.step) == (SubmissionState.DISPATCHED, None)
    assert old.sends.begin(sent, 1, 60) == AlreadySent("r")
    assert [event.event for event in old.events(5)] == ["dispatched"]
    assert old.get(6).state is SubmissionState.HELD


def test_the_last_release_can_still_write_into_it(old: Ledger, tmp_path: Path) -> None:
    """Its columns are all there, and what is new has a default or may be null."""
    with sqlite3.connect(tmp_path / "old.db") as database:
        database.execute(
            "insert into submissions (path, state, opened_at, left_in_place, released, turn, tries) "
            "values ('new.stl', 'claimed', 1700000000, 0, 0, 0, 0)"
        )
    database.close()
    assert [each.path for each in list_abandoned_claims(old)] == ["opened.stl", "new.stl"]


def test_the_tables_that_tests_make_once_are_those_of_the_product(tmp_path: Path) -> None:
    for name in ("first", "second"):
        Ledger(f"sqlite:///{tmp_path / name}").close()
    engine = open_database(f"sqlite:///{tmp_path / 'product'}")
    with engine.begin() as connection:
        migrate_schema(connection)
    engine.dispose()
    assert made_in(tmp_path / "first") == made_in(tmp_path / "second") == made_in(tmp_path / "product")


def made_in(file: Path) -> set[tuple[str, ...]]:
    with closing(sqlite3.connect(file)) as database:
        made = database.execute("select type, name, tbl_name, sql from sqlite_master").fetchall()
    assert made
    return set(made)


def test_bringing_up_to_date_twice_changes_nothing(ledger: Ledger) -> None:
    engine = open_database(ledger.url)
    with engine.begin() as connection:
        migrate_schema(connection)
        columns = {
            table.name: {column["name"] for column in inspect(connection).get_columns(table.name)}
            for table in metadata.sorted_tables
        }
    engine.dispose()
    assert columns == {
        table.name: {column.name for column in table.columns} for table in metadata.sorted_tables
    }


def _token(ledger: Ledger, number: int) -> str:
    with ledger.read_connection() as connection:
        found = connection.exec_driver_sql(f"select token from sends where submission = {number}")
        return str(found.scalar_one())


def test_an_index_over_some_rows_is_one_on_either_database(ledger: Ledger) -> None:
    with ledger.write_transaction() as connection:
        found = {index["name"]: index for index in inspect(connection).get_indexes("submissions")}
        kind = connection.dialect.name
    for index in PARTIAL_INDEXES:
        assert found[index.name]["dialect_options"][f"{kind}_where"] is not None


def test_a_ledger_on_sqlite_loads_nothing_of_postgres(tmp_path: Path) -> None:
    opened = (
        f"from workflow.ledger import Ledger; Ledger('sqlite:///{(tmp_path / 'new.db').as_posix()}').close()"
    )
    told = "import sys; print([name for name in sys.modules if 'postgres' in name or 'psycopg' in name])"
    done = subprocess.run(
        [sys.executable, "-c", f"{opened}; {told}"], check=True, capture_output=True, text=True
    )
    assert done.stdout == "[]\n"


def test_a_database_that_is_none_of_ours_is_refused_in_words(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("create table submissions (id integer primary key)")
    other.close()
    with pytest.raises(StateFolderError) as refused:
        Ledger(f"sqlite:///{tmp_path / 'other.db'}")
    assert str(refused.value) == (
        "The ledger can't be opened: its table submissions lacks path. "
        "It is not one of stlflow's, or it is damaged."
    )
