"""The ledger as the checkup sees it: nothing is made, mended or brought up to date by looking."""

import re
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.doctor.conftest import Look
from workflow import __version__
from workflow.doctor import Check, Grade, run_check, share
from workflow.doctor.ledger import LedgerAccess, ledger_checks
from workflow.ledger import Ledger, register_worker
from workflow.settings import Settings, load_settings
from workflow.state_folder import locked_state_folder, prepare_state_folder

SECRET = "hemmelig-19d2"
NOBODY = f"postgresql://stlflow:{SECRET}@127.0.0.1:9/parts"


@pytest.fixture
def book(context: Settings) -> Iterator[Ledger]:
    """The ledger of the shop, made by a first start."""
    prepare_state_folder(context.state, context.share)
    with closing(Ledger(context.database)) as ledger:
        yield ledger


@contextmanager
def silent_postgres() -> Iterator[str]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"postgresql://stlflow:{SECRET}@127.0.0.1:{listener.getsockname()[1]}/parts"


def alter(context: Settings, *statements: str) -> None:
    with closing(sqlite3.connect(context.state / "stlflow.db")) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()
        database.execute("pragma wal_checkpoint(truncate)")


def test_before_the_first_start(look: Look, context: Settings) -> None:
    seen = look(ledger_checks(LedgerAccess(context)))
    assert seen.select("ledger").says == "There is no database yet: it is made at the first start."
    assert seen.select("ledger.workers").says == "No worker has run yet: `stlflow run` starts one."


def test_no_worker_is_a_warning(look: Look, context: Settings, book: Ledger) -> None:
    found = look(ledger_checks(LedgerAccess(context))).select("ledger.workers")
    assert (found.grade, found.says.startswith("No worker is running")) == (Grade.WARN, True)


def test_one_of_this_release(look: Look, context: Settings, book: Ledger) -> None:
    database = context.state.absolute() / "stlflow.db"
    assert (
        look(ledger_checks(LedgerAccess(context))).select("ledger").says
        == f"{database} opens and is of this release."
    )


def test_one_of_an_older_release_is_not_changed(look: Look, context: Settings, book: Ledger) -> None:
    book.close()
    alter(context, "alter table submissions drop column copies")
    seen = look(ledger_checks(LedgerAccess(context)))
    assert seen.select("ledger").says.endswith("is from an older release: it lacks submissions.copies.")
    assert [found.name for found in context.state.glob("stlflow.db*")] == ["stlflow.db"]
    assert seen.select("ledger").fix.startswith("The next start updates it.")
    assert seen.select("ledger.workers").grade is Grade.SKIP


def test_a_table_of_a_later_release_is_missed_column_by_column(context: Settings, book: Ledger) -> None:
    book.close()
    alter(context, "drop table forgotten_sends")
    lacks = LedgerAccess(context).condition().lacks
    assert {"forgotten_sends.build_id", "forgotten_sends.receipt_id"} <= set(lacks)


def test_one_of_a_newer_release(look: Look, context: Settings, book: Ledger) -> None:
    book.close()
    alter(context, "alter table submissions add column colour text")
    assert (
        look(ledger_checks(LedgerAccess(context)))
        .select("ledger")
        .says.endswith("A newer stlflow has used it, too.")
    )


def test_a_damaged_one(look: Look, context: Settings, book: Ledger) -> None:
    book.close()
    alter(context, "pragma writable_schema=on", "update sqlite_schema set rootpage=4 where name='events'")
    damaged = look(ledger_checks(LedgerAccess(context))).select("ledger")
    assert damaged.grade is Grade.FAIL
    assert "is damaged: " in damaged.says
    assert damaged.fix.startswith("Stop stlflow, and put the state folder's stlflow.db back from a backup")


def test_one_that_another_program_keeps_locked(look: Look, context: Settings, book: Ledger) -> None:
    with closing(sqlite3.connect(context.state / "stlflow.db")) as browser:
        browser.execute("begin immediate")
        locked = look(ledger_checks(LedgerAccess(context))).select("ledger")
    assert locked.says.endswith("The ledger can't be written: database is locked.")
    assert locked.fix.startswith("Close the program that has it open for writing")


def test_who_asks_again_after_a_silence_waits_no_more(context: Settings) -> None:
    with silent_postgres() as url:
        silent = LedgerAccess(context.model_copy(update={"database_url": url}))
        gate = replace(ledger_checks(silent)[0], limit_seconds=0.2)
        (found,) = run_check(gate)
        assert (found.says, found.exit_code) == ("0.2 s without an answer.", 3)
        assert not silent.can_be_read
        marker = Check("share.marker", "", lambda: share.check_share_marker(silent))
        assert [each.says for each in run_check(marker)] == [
            "Not checked, because of ledger: it holds the right marker."
        ]


def test_what_is_no_database(look: Look, context: Settings) -> None:
    (context.state / "stlflow.db").write_text("this is no database" * 100)
    seen = look(ledger_checks(LedgerAccess(context)))
    assert seen.select("ledger").says.endswith("The ledger can't be opened: file is not a database.")
    assert seen.select("ledger.workers").grade is Grade.SKIP


def test_a_database_of_someone_else(look: Look, tmp_path: Path) -> None:
    with closing(sqlite3.connect("other.db")) as other:
        other.execute("create table invoices (id integer)")
    foreign = load_settings(database_url="sqlite:///other.db")
    assert (
        look(ledger_checks(LedgerAccess(foreign))).select("ledger").says
        == "other.db is not a database of stlflow."
    )


def test_a_database_that_is_away_is_exit_code_3_and_shows_no_password(look: Look) -> None:
    seen = look(ledger_checks(LedgerAccess(load_settings(database_url=NOBODY))))
    away = seen.select("ledger")
    assert away.says.startswith(
        "The database parts at 127.0.0.1: The ledger can't be opened: connection failed"
    )
    assert (away.grade, away.exit_code) == (Grade.FAIL, 3)
    assert away.fix == "Check that the database server runs and can be reached."
    assert SECRET not in str(seen)


def test_workers_of_another_release_and_silent_ones(look: Look, context: Settings, book: Ledger) -> None:
    silent, older = (register_worker(book, home, home, 17, "0.0.9") for home in ("lathe", "mill"))
    alter(context, f"update peers set seen_at = seen_at - 100 where name = '{silent.name}'")
    with locked_state_folder(context.state):
        found = look(ledger_checks(LedgerAccess(context))).of("ledger.workers")
    assert [(each.grade, re.sub(r"1\d\d s", "100 s", each.says)) for each in found] == [
        (Grade.WARN, f"{silent.name} (process 17) sent no heartbeat for 100 s."),
        (Grade.WARN, f"{older.name} runs release 0.0.9, and {__version__} is installed here."),
    ]


def test_tables_that_an_older_engine_left_are_named_with_what_drops_them(
    look: Look, context: Settings, book: Ledger
) -> None:
    clean = look(ledger_checks(LedgerAccess(context))).select("ledger.unused")
    assert (clean.grade, clean.says) == (Grade.OK, "No tables of an older engine are left.")
    left = ("dbos_migrations", "queues", "workflow_status")
    alter(context, *(f"create table {name} (id integer)" for name in left))
    found = look(ledger_checks(LedgerAccess(context))).select("ledger.unused")
    assert found.grade is Grade.WARN
    assert found.says.startswith("DBOS, the engine of an older release, left its tables behind.")
    assert found.fix.endswith("drop table dbos_migrations; drop table queues; drop table workflow_status;")
    alter(context, *found.fix.partition("drop them: ")[2].removesuffix(";").split("; "))
    assert look(ledger_checks(LedgerAccess(context))).select("ledger.unused").grade is Grade.OK


def test_the_older_engines_schema_on_postgres_is_named(
    look: Look, context: Settings, postgres_url: str
) -> None:
    with closing(Ledger(postgres_url)) as ledger, ledger.write_transaction() as connection:
        connection.exec_driver_sql("create schema dbos")
    shared = context.model_copy(update={"database_url": postgres_url})
    assert (
        look(ledger_checks(LedgerAccess(shared)))
        .select("ledger.unused")
        .fix.endswith("drop schema dbos cascade;")
    )
