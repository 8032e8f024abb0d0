"""What the inbox does not take: notes, crowds, a share that is not there, an inbox that is only read."""

import shutil
from contextlib import closing
from pathlib import Path
from socket import gethostname

import pytest
from sqlalchemy import update

from tests.cloud import simulated
from tests.pipeline.conftest import Open, Shop, dispatched, held, opened
from tests.stl import box
from tests.waiting import until
from workflow.feedback import CROWD_NOTE
from workflow.intake import origin_of
from workflow.ledger import Ledger, accept_waitlist, read_left, read_waitlist
from workflow.ledger.tables import left_files
from workflow.model import State
from workflow.pipeline.orders import release


def words(note: Path) -> str:
    return note.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")


def test_a_stranger_gets_a_note_that_opens_in_notepad(open_shop: Open) -> None:
    shop = open_shop(stranger_seconds=0.2)
    shop.drop("rush/part.step", b"ISO-10303-21;")
    note = shop.share / "inbox" / "rush" / "part.step.txt"
    assert until(note.exists)
    assert words(note) == (
        "stlflow note: part.step is not taken\n\n"
        "Why, and what to do next\n"
        "  stlflow takes STL files: export it as STL.\n"
        "  The file is left as it is.\n"
    )
    assert (shop.share / "inbox" / "rush" / "part.step").read_bytes() == b"ISO-10303-21;"


def test_somebodys_own_text_beside_a_stranger_stays(open_shop: Open) -> None:
    shop = open_shop(stranger_seconds=0.2)
    shop.drop("part.step.txt", b"mine")
    shop.drop("part.step", b"ISO-10303-21;")
    assert until((shop.share / "inbox" / "part.step (2).txt").exists) or until(
        (shop.share / "inbox" / "part.step.txt").exists
    )
    assert (shop.share / "inbox" / "part.step.txt").read_bytes() == b"mine"


def test_a_crowd_waits_with_a_note_until_it_is_accepted(open_shop: Open) -> None:
    shop = open_shop(mass_arrival_files=3)
    paths = [f"old/{number}.stl" for number in range(5)]
    folder = shop.share / "folder"
    folder.mkdir()
    for number in range(5):
        (folder / f"{number}.stl").write_bytes(box(20 + number))
    folder.rename(shop.share / "inbox" / "old")
    note = shop.share / "inbox" / CROWD_NOTE
    assert until(note.exists)
    assert until(lambda: len(read_waitlist(shop.service.ledger)) == 5)
    assert "stlflow note: 5 files wait" in words(note)
    assert "More than 3 files came at once." in words(note)
    assert [shop.submission(path) for path in paths] == [None] * 5
    assert accept_waitlist(shop.service.ledger) == 5
    for path in paths:
        shop.wait(path, dispatched)
    assert until(lambda: not note.exists())
    assert until(lambda: not read_waitlist(shop.service.ledger))


def test_the_note_of_a_crowd_that_was_accepted_between_two_runs_goes(tmp_path: Path) -> None:
    with simulated() as cloud:
        with opened(tmp_path, cloud, mass_arrival_files=1) as shop:
            folder = shop.share / "folder"
            folder.mkdir()
            for number in range(2):
                (folder / f"{number}.stl").write_bytes(box(26 + number))
            folder.rename(shop.share / "inbox" / "old")
            note = shop.share / "inbox" / CROWD_NOTE
            assert until(note.exists)
        with closing(Ledger(shop.settings.database)) as ledger:
            assert accept_waitlist(ledger) == 2
        with opened(tmp_path, cloud, mass_arrival_files=1) as shop:
            shop.wait("old/0.stl", dispatched)
            assert until(lambda: not note.exists())


def test_a_share_that_is_mounted_late_is_waited_for(tmp_path: Path) -> None:
    with simulated() as cloud:
        with opened(tmp_path, cloud) as shop:
            shop.drop("a.stl", box(30))
            shop.wait("a.stl", dispatched)
        share, elsewhere = shop.share, tmp_path / "elsewhere"
        share.rename(elsewhere)
        share.mkdir()  # the bare mount point
        (elsewhere / "inbox" / "b.stl").write_bytes(box(31))
        with opened(tmp_path, cloud) as shop:
            inbox = shop.service.inbox
            assert inbox is not None
            assert until(lambda: inbox._lost)
            assert list(share.iterdir()) == [], "nothing is made in the place of a mount"
            share.rmdir()
            elsewhere.rename(share)
            assert shop.sent(shop.wait("b.stl", dispatched)) == 1


# -- a read-only inbox ---------------------------------------------------------------------------


@pytest.fixture
def exports(tmp_path: Path) -> Path:
    folder = tmp_path / "exports"
    (folder / "rush").mkdir(parents=True)
    return folder


def open_leaving(open_shop: Open, exports: Path) -> Shop:
    return open_shop(read_only_inbox=exports)


def test_files_of_a_read_only_inbox_are_sent_and_stay(open_shop: Open, exports: Path) -> None:
    place = exports / "rush" / "a.stl"
    place.write_bytes(box(40))
    exports.chmod(0o555)
    shop = open_leaving(open_shop, exports)
    done = shop.wait("rush/a.stl", dispatched)
    assert shop.sent(done) == 1
    assert place.read_bytes() == box(40)
    assert [found.name for found in exports.rglob("*")] == ["rush", "a.stl"]
    note = shop.share / "done" / "rush" / f"{done.id}~a.stl.txt"
    assert until(note.exists)
    assert "is among the job requests" in words(note) or "is in the queue" in words(note)
    assert not (shop.share / "inbox").exists()


def test_what_is_released_gets_its_note_where_it_ends(open_shop: Open, exports: Path) -> None:
    (exports / "tiny.stl").write_bytes(box(1, 1, 1))
    shop = open_leaving(open_shop, exports)
    waits = shop.wait("tiny.stl", held)
    note = shop.share / "held" / f"{waits.id}~tiny.stl.txt"
    assert until(note.exists)
    release(shop.service.ledger, waits.id)
    shop.wait("tiny.stl", dispatched)
    assert until((shop.share / "done" / f"{waits.id}~tiny.stl.txt").exists)
    assert not note.exists()


def test_a_new_version_is_sent_and_a_restart_sends_nothing(tmp_path: Path, exports: Path) -> None:
    (exports / "a.stl").write_bytes(box(41))
    with simulated() as cloud:
        with opened(tmp_path, cloud, read_only_inbox=exports) as shop:
            first = shop.wait("a.stl", dispatched)
            (exports / "a.stl").write_bytes(box(42))
            second = shop.wait("a.stl", lambda seen: seen.id != first.id and dispatched(seen))
            assert "revision" in [event.event for event in shop.service.ledger.events(second.id)]
        with opened(tmp_path, cloud, read_only_inbox=exports) as shop:
            inbox = shop.service.inbox
            assert inbox is not None
            assert until(inbox.idle)
            assert len(shop.service.ledger.all()) == 2


def test_a_read_only_inbox_that_goes_away_is_waited_for(
    open_shop: Open, exports: Path, tmp_path: Path
) -> None:
    shop = open_leaving(open_shop, exports)
    exports.rename(tmp_path / "unmounted")
    assert until(lambda: shop.service.inbox is not None and shop.service.inbox._lost)
    (tmp_path / "unmounted" / "a.stl").write_bytes(box(43))
    (tmp_path / "unmounted").rename(exports)
    assert shop.wait("a.stl", dispatched).state is State.DISPATCHED
    shutil.rmtree(exports)


def test_what_has_long_been_gone_from_a_read_only_inbox_is_forgotten(open_shop: Open, tmp_path: Path) -> None:
    exports = tmp_path / "exports"
    exports.mkdir()
    for number, name in enumerate(("a.stl", "b.stl")):
        (exports / name).write_bytes(box(40 + number))
    shop = open_shop(read_only_inbox=exports)
    for name in ("a.stl", "b.stl"):
        shop.wait(name, dispatched)
    ledger, folder = shop.service.ledger, origin_of(exports, gethostname())
    (exports / "a.stl").unlink()
    shop.service.make_room()
    assert set(read_left(ledger, folder)) == {"a.stl", "b.stl"}
    with ledger.writing() as connection:
        connection.execute(update(left_files).values(gone_since=left_files.c.gone_since - 31 * 86_400))
    shop.service.make_room()
    assert set(read_left(ledger, folder)) == {"b.stl"}
