"""The memory of a read-only inbox: which memory counts, and when it ends."""

import pytest
from sqlalchemy import insert, select, update

from workflow.ledger import InPlaceFile, Ledger
from workflow.ledger.tables import in_place_files

FOLDER = "nas:/exports"
DAY = 86_400.0


def file(path: str, folder: str = FOLDER) -> InPlaceFile:
    return InPlaceFile(folder, path, f"/mnt/{path}", "home")


def taken(ledger: Ledger, path: str, folder: str = FOLDER) -> int:
    number = ledger.in_place.begin_read_only(file(path, folder), (684, 1, 1), None)
    assert number is not None
    return number


def remembered(ledger: Ledger) -> set[str]:
    with ledger.read_connection() as connection:
        return set(connection.execute(select(in_place_files.c.path)).scalars())


def time_goes_by(ledger: Ledger, seconds: float) -> None:
    with ledger.write_transaction() as connection:
        connection.execute(update(in_place_files).values(gone_since=in_place_files.c.gone_since - seconds))


def test_of_two_that_take_the_same_the_second_learns_that_it_is_late(ledger: Ledger) -> None:
    number = taken(ledger, "a.stl")
    assert ledger.in_place.begin_read_only(file("a.stl"), (684, 2, 2), None) is None
    before = ledger.in_place.find_record(file("a.stl"))
    assert before is not None
    assert tuple(before) == (number, (684, 1, 1), None, True)
    assert ledger.in_place.begin_read_only(file("a.stl"), (684, 2, 2), before.times) == number + 1


def test_each_inbox_has_a_memory_of_its_own(ledger: Ledger) -> None:
    number = taken(ledger, "a.stl")
    taken(ledger, "a.stl", "nas:/exports of others")
    ledger.in_place.record_unchanged(file("a.stl"), (684, 9, 9), number)
    assert ledger.in_place.read_files(FOLDER) == {"a.stl": (684, 9, 9)}
    assert ledger.in_place.read_files("nas:/exports of others") == {"a.stl": (684, 1, 1)}


def test_what_an_older_release_remembered_counts_until_it_is_known_better(ledger: Ledger) -> None:
    """It wrote the path below the inbox alone."""
    number = ledger.open("a.stl")
    row = {"path": "a.stl", "size": 684, "mtime_ns": 5, "ctime_ns": 5, "submission": number}
    with ledger.write_transaction() as connection:
        connection.execute(insert(in_place_files).values(row))
    before = ledger.in_place.find_record(file("a.stl"))
    assert before is not None
    assert (before.number, before.times) == (number, (684, 5, 5))
    assert ledger.in_place.read_files(FOLDER) == {"a.stl": (684, 5, 5)}
    ledger.in_place.record_unchanged(file("a.stl"), (684, 6, 6), number)
    assert ledger.in_place.read_files(FOLDER) == {"a.stl": (684, 6, 6)}
    assert remembered(ledger) == {f"/{FOLDER}/a.stl"}


def test_what_is_gone_for_long_is_forgotten(ledger: Ledger) -> None:
    for path in ("a.stl", "b%_.stl", "c.stl"):
        taken(ledger, path)
    taken(ledger, "a.stl", "nas:/other")
    assert ledger.in_place.forget_missing(FOLDER, {"a.stl"}, 30 * DAY) == 0
    time_goes_by(ledger, 29 * DAY)
    assert ledger.in_place.forget_missing(FOLDER, {"a.stl", "c.stl"}, 30 * DAY) == 0  # one is back
    time_goes_by(ledger, 2 * DAY)
    assert ledger.in_place.forget_missing(FOLDER, {"a.stl"}, 30 * DAY) == 1
    assert remembered(ledger) == {f"/{FOLDER}/a.stl", f"/{FOLDER}/c.stl", "/nas:/other/a.stl"}


@pytest.mark.parametrize("found", [set(), {"new.stl"}])
def test_where_nothing_of_what_is_known_is_found_nothing_is_concluded(
    ledger: Ledger, found: set[str]
) -> None:
    """A mount that is not there shows an empty folder, or another one."""
    taken(ledger, "a.stl")
    for _ in range(3):
        assert ledger.in_place.forget_missing(FOLDER, found, 0) == 0
    assert remembered(ledger) == {f"/{FOLDER}/a.stl"}
