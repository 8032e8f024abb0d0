"""Backup and restore of the database: while it is written, whole, and with every promise kept."""

import sqlite3
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from workflow.errors import StateFolderError
from workflow.ledger import RESTORED_KEY, Ledger, SendIntent
from workflow.ledger.backup import NUMBERS_SKIPPED, back_up, restore_into, restore_sqlite

URL = "sqlite:///{}"


def filled(ledger: Ledger, count: int = 3) -> None:
    for _ in range(count):
        number = ledger.open("a.stl")
        ledger.claimed(number, f"processing/{number}~a.stl")
    intent = ledger.sends.begin(ledger.get(1), 1, 60)
    assert isinstance(intent, SendIntent)
    ledger.sends.complete(ledger.get(1), 1, intent, "r-1")


def snapshot(ledger: Ledger) -> object:
    return [(each, ledger.events(each.id), ledger.sends.list_receipts(each.id)) for each in ledger.all()]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "state" / "stlflow.db"


@pytest.fixture
def restored_at(place: Path) -> Path:
    place.parent.mkdir()
    return place


def test_what_is_backed_up_is_restored(ledger: Ledger, tmp_path: Path, restored_at: Path) -> None:
    """On both databases, while they are open: what is only in the WAL is in the backup as well."""
    filled(ledger)
    assert back_up(ledger.url, tmp_path / "backup.db") == 3
    if sys.platform != "win32":
        assert (tmp_path / "backup.db").stat().st_mode & 0o077 == 0, "as private as the database"
    assert restore_sqlite(tmp_path / "backup.db", restored_at) == (3, None)
    with closing(Ledger(URL.format(restored_at))) as restored:
        assert snapshot(restored) == snapshot(ledger)
        assert restored.metadata.read(RESTORED_KEY)
        assert restored.open("b.stl") > 3 + NUMBERS_SKIPPED, "no number is used twice"


def test_a_backup_is_restored_into_postgres(tmp_path: Path, postgres_url: str) -> None:
    with closing(Ledger(URL.format(tmp_path / "ledger.db"))) as old:
        filled(old)
        back_up(old.url, tmp_path / "backup.db")
        assert restore_into(tmp_path / "backup.db", postgres_url) == 3
        with closing(Ledger(postgres_url)) as restored:
            assert snapshot(restored) == snapshot(old)
            assert restored.open("b.stl") > 3 + NUMBERS_SKIPPED
        with pytest.raises(StateFolderError, match="holds submissions already"):
            restore_into(tmp_path / "backup.db", postgres_url)


def test_a_backup_is_whole_while_others_write(ledger: Ledger, tmp_path: Path) -> None:
    filled(ledger)
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            number = ledger.open("busy.stl")
            ledger.claimed(number, f"processing/{number}~busy.stl")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        counts = [back_up(ledger.url, tmp_path / f"{number}.db") for number in range(3)]
    finally:
        stop.set()
        writer.join()
    assert counts == sorted(counts)
    with closing(Ledger(URL.format(tmp_path / "2.db"))) as copied:
        unclaimed = 1  # one may be open and not yet claimed
        assert len(copied.all()) in {counts[2], counts[2] - unclaimed}
        assert all(copied.events(each.id) for each in copied.all())


def test_a_restore_keeps_the_former_database(tmp_path: Path, restored_at: Path) -> None:
    with closing(Ledger(URL.format(tmp_path / "ledger.db"))) as ledger:
        filled(ledger)
        back_up(ledger.url, tmp_path / "backup.db")
    with closing(Ledger(URL.format(restored_at))) as present:
        present.open("only here.stl")
    count, former = restore_sqlite(tmp_path / "backup.db", restored_at)
    assert count == 3
    assert former is not None
    with closing(sqlite3.connect(former)) as kept:
        assert kept.execute("select path from submissions").fetchall() == [("only here.stl",)]


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + b"\xff" * 5000])
def test_what_is_no_backup_changes_nothing(tmp_path: Path, restored_at: Path, content: bytes) -> None:
    (tmp_path / "backup.db").write_bytes(content)
    with closing(Ledger(URL.format(restored_at))) as present:
        present.open("a.stl")
    before = restored_at.read_bytes()
    with pytest.raises(StateFolderError):
        restore_sqlite(tmp_path / "backup.db", restored_at)
    assert restored_at.read_bytes() == before
    assert sorted(each.name for each in restored_at.parent.iterdir()) == ["stlflow.db"]


def test_a_backup_replaces_no_file(ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / "mine.db").write_bytes(b"mine")
    with pytest.raises(StateFolderError, match=r"mine\.db exists\. Name a file that does not"):
        back_up(ledger.url, tmp_path / "mine.db")
    with pytest.raises(StateFolderError, match="can't be written"):
        back_up(ledger.url, tmp_path / "no folder" / "backup.db")


def test_an_older_backup_gets_the_tables_of_this_release(tmp_path: Path, restored_at: Path) -> None:
    old = (Path(__file__).parent / "release_0_1.sql").read_text("utf-8")
    with closing(sqlite3.connect(tmp_path / "old.db")) as database:
        database.executescript(old)
    count, _ = restore_sqlite(tmp_path / "old.db", restored_at)
    with closing(Ledger(URL.format(restored_at))) as ledger, ledger.read_connection() as connection:
        assert connection.execute(text("select count(*) from submissions")).scalar_one() == count


@pytest.mark.parametrize("suffix", ["", "-wal"])
def test_a_database_that_is_deleted_while_it_is_open_is_noticed(tmp_path: Path, suffix: str) -> None:
    """What is written to a deleted file is lost, and a send after that would be forgotten."""
    with closing(Ledger(URL.format(tmp_path / "ledger.db"))) as ledger:
        ledger.open("a.stl")
        file = tmp_path / f"ledger.db{suffix}"
        file.rename(tmp_path / "away")
        with pytest.raises(StateFolderError, match=r"was deleted or replaced while stlflow runs\. Stop"):
            ledger.open("b.stl")
        assert not file.exists(), "no empty database takes its place"
        (tmp_path / "away").rename(file)
        assert ledger.open("b.stl") == 2
