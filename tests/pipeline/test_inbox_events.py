"""What the inbox does not take: notes, crowds, a share that is not there, an inbox that is only read."""

import shutil
from contextlib import closing
from pathlib import Path
from socket import gethostname

import pytest
from sqlalchemy import update

from tests.cloud import simulated
from tests.intake.conftest import nothing_waits
from tests.pipeline.conftest import Open, Shop, dispatched, held, opened
from tests.stl import box
from tests.waiting import until
from workflow.intake import folder_origin
from workflow.ledger import Ledger
from workflow.ledger.tables import in_place_files
from workflow.model import EventKind, SubmissionState
from workflow.notes import MASS_ARRIVAL_NOTE
from workflow.pipeline.commands import release_submission
from workflow.pipeline.decider import Decider
from workflow.pipeline.mass_arrival import accept_mass_arrival


def words(note: Path) -> str:
    return note.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")


def test_a_stranger_gets_a_note_that_opens_in_notepad(open_shop: Open) -> None:
    context = open_shop(stranger_seconds=0.2)
    context.drop("rush/part.step", b"ISO-10303-21;")
    note = context.share / "inbox" / "rush" / "part.step.txt"
    assert until(note.exists)
    assert words(note) == (
        "stlflow note: rush/part.step is not taken\n\n"
        "Why, and what to do next\n"
        "  stlflow takes STL files: export it as STL.\n"
        "  The file is left as it is. This note goes away when that is put right.\n\n"
        "(stlflow c1a0aca4. Remarks below this line are kept.)\n"
    )
    assert (context.share / "inbox" / "rush" / "part.step").read_bytes() == b"ISO-10303-21;"


def test_a_note_goes_when_its_cause_does(open_shop: Open) -> None:
    context = open_shop(stranger_seconds=0.2)
    inbox = context.share / "inbox"
    context.drop("rush/part.step", b"ISO-10303-21;")
    context.drop("b.sync-conflict-20260101-101010-ABC.stl", box(23))
    notes = [inbox / "rush" / "part.step.txt", inbox / "b.sync-conflict-20260101-101010-ABC.stl.txt"]
    assert until(lambda: all(note.exists() for note in notes))
    (inbox / "rush" / "part.step").unlink()
    (inbox / "b.sync-conflict-20260101-101010-ABC.stl").rename(inbox / "b.stl")
    context.wait("b.stl", dispatched)
    assert until(lambda: not any(note.exists() for note in notes))


def test_a_note_whose_file_went_while_nothing_ran_goes_at_the_next_start(tmp_path: Path) -> None:
    with simulated() as cloud:
        with opened(tmp_path, cloud, stranger_seconds=0.2) as context:
            context.drop("part.step", b"ISO-10303-21;")
            note = context.share / "inbox" / "part.step.txt"
            assert until(note.exists)
        (context.share / "inbox" / "part.step").unlink()
        with opened(tmp_path, cloud, stranger_seconds=0.2):
            assert until(lambda: not note.exists())


def test_the_note_of_a_held_file_goes_with_it_and_leaves_no_orphan(open_shop: Open) -> None:
    context = open_shop()
    for name in ("tiny.stl", "other.stl"):
        context.drop(name, box(1, 1, 1 if name == "tiny.stl" else 1.5))
        context.wait(name, held)
        assert until((context.share / "held" / f"{name}.txt").exists)
    folder = context.share / "held"
    (folder / "tiny.stl").rename(context.share / "inbox" / "moved.stl")
    (folder / "tiny.stl.txt").rename(context.share / "inbox" / "moved.stl.txt")
    assert until(lambda: not (context.share / "inbox" / "moved.stl.txt").exists())
    (folder / "other.stl").rename(context.settings.share.parent / "elsewhere.stl")
    assert until(lambda: not (folder / "other.stl.txt").exists())


def test_someones_own_text_beside_a_stranger_stays(open_shop: Open) -> None:
    context = open_shop(stranger_seconds=0.2)
    context.drop("part.step.txt", b"mine")
    context.drop("part.step", b"ISO-10303-21;")
    assert until((context.share / "inbox" / "part.step (2).txt").exists) or until(
        (context.share / "inbox" / "part.step.txt").exists
    )
    assert (context.share / "inbox" / "part.step.txt").read_bytes() == b"mine"


def test_a_mass_arrival_waits_with_a_note_until_it_is_accepted(open_shop: Open) -> None:
    context = open_shop(mass_arrival_files=3)
    paths = [f"old/{number}.stl" for number in range(5)]
    folder = context.share / "folder"
    folder.mkdir()
    for number in range(5):
        (folder / f"{number}.stl").write_bytes(box(20 + number))
    folder.rename(context.share / "inbox" / "old")
    note = context.share / "inbox" / MASS_ARRIVAL_NOTE
    assert until(note.exists)
    assert until(lambda: len(context.service.ledger.mass_arrival.read_paths()) == 5)
    assert "stlflow note: 5 files wait" in words(note)
    assert "More than 3 files came at once." in words(note)
    assert [context.submission(path) for path in paths] == [None] * 5
    anna = Decider("Anna", "the archive of 2019")
    assert accept_mass_arrival(context.service.ledger, paths, anna) == 5
    for path in paths:
        number = context.wait(path, dispatched).id
        accepted = [
            each for each in context.service.ledger.events(number) if each.event == EventKind.ACCEPTED
        ]
        assert [each.detail for each in accepted] == ["5 files at once, by Anna: the archive of 2019"]
    assert until(lambda: not note.exists())
    assert until(lambda: not context.service.ledger.mass_arrival.read_paths())


def test_the_note_of_a_mass_arrival_that_was_accepted_between_two_runs_goes(tmp_path: Path) -> None:
    with simulated() as cloud:
        with opened(tmp_path, cloud, mass_arrival_files=1) as context:
            folder = context.share / "folder"
            folder.mkdir()
            for number in range(2):
                (folder / f"{number}.stl").write_bytes(box(26 + number))
            folder.rename(context.share / "inbox" / "old")
            note = context.share / "inbox" / MASS_ARRIVAL_NOTE
            assert until(note.exists)
        with closing(Ledger(context.settings.database)) as ledger:
            assert accept_mass_arrival(ledger, ledger.mass_arrival.list_waiting()) == 2
        with opened(tmp_path, cloud, mass_arrival_files=1) as context:
            context.wait("old/0.stl", dispatched)
            assert until(lambda: not note.exists())


def test_a_share_that_is_mounted_late_is_waited_for(tmp_path: Path) -> None:
    with simulated() as cloud:
        with opened(tmp_path, cloud) as context:
            context.drop("a.stl", box(30))
            context.wait("a.stl", dispatched)
        share, elsewhere = context.share, tmp_path / "elsewhere"
        share.rename(elsewhere)
        share.mkdir()  # the bare mount point
        (elsewhere / "inbox" / "b.stl").write_bytes(box(31))
        with opened(tmp_path, cloud) as context:
            inbox = context.service.inbox
            assert inbox is not None
            assert until(lambda: inbox._lost)
            assert list(share.iterdir()) == [], "nothing is made in the place of a mount"
            share.rmdir()
            elsewhere.rename(share)
            assert context.sent(context.wait("b.stl", dispatched)) == 1


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
    context = open_leaving(open_shop, exports)
    done = context.wait("rush/a.stl", dispatched)
    assert context.sent(done) == 1
    assert place.read_bytes() == box(40)
    assert [found.name for found in exports.rglob("*")] == ["rush", "a.stl"]
    note = context.share / "done" / "rush" / f"{done.id}~a.stl.txt"
    assert until(note.exists)
    assert "is in Eiger's job requests" in words(note) or "is in the queue" in words(note)
    assert not (context.share / "inbox").exists()


def test_what_is_released_gets_its_note_where_it_ends(open_shop: Open, exports: Path) -> None:
    (exports / "tiny.stl").write_bytes(box(1, 1, 1))
    context = open_leaving(open_shop, exports)
    waits = context.wait("tiny.stl", held)
    note = context.share / "held" / f"{waits.id}~tiny.stl.txt"
    assert until(note.exists)
    release_submission(context.service.ledger, waits.id)
    context.wait("tiny.stl", dispatched)
    assert until((context.share / "done" / f"{waits.id}~tiny.stl.txt").exists)
    assert not note.exists()


def test_a_new_version_is_sent_and_a_restart_sends_nothing(tmp_path: Path, exports: Path) -> None:
    (exports / "a.stl").write_bytes(box(41))
    with simulated() as cloud:
        with opened(tmp_path, cloud, read_only_inbox=exports) as context:
            first = context.wait("a.stl", dispatched)
            (exports / "a.stl").write_bytes(box(42))
            second = context.wait("a.stl", lambda seen: seen.id != first.id and dispatched(seen))
            assert "revision" in [event.event for event in context.service.ledger.events(second.id)]
        with opened(tmp_path, cloud, read_only_inbox=exports) as context:
            inbox = context.service.inbox
            assert inbox is not None
            assert until(lambda: nothing_waits(inbox))
            assert len(context.service.ledger.all()) == 2


def test_a_read_only_inbox_that_goes_away_is_waited_for(
    open_shop: Open, exports: Path, tmp_path: Path
) -> None:
    context = open_leaving(open_shop, exports)
    exports.rename(tmp_path / "unmounted")
    assert until(lambda: context.service.inbox is not None and context.service.inbox._lost)
    (tmp_path / "unmounted" / "a.stl").write_bytes(box(43))
    (tmp_path / "unmounted").rename(exports)
    assert context.wait("a.stl", dispatched).state is SubmissionState.DISPATCHED
    shutil.rmtree(exports)


def test_what_has_long_been_gone_from_a_read_only_inbox_is_forgotten(open_shop: Open, tmp_path: Path) -> None:
    exports = tmp_path / "exports"
    exports.mkdir()
    for number, name in enumerate(("a.stl", "b.stl")):
        (exports / name).write_bytes(box(40 + number))
    context = open_shop(read_only_inbox=exports)
    for name in ("a.stl", "b.stl"):
        context.wait(name, dispatched)
    ledger, folder = context.service.ledger, folder_origin(exports, gethostname())
    (exports / "a.stl").unlink()
    context.service.apply_retention()
    assert set(ledger.in_place.read_files(folder)) == {"a.stl", "b.stl"}
    with ledger.write_transaction() as connection:
        connection.execute(
            update(in_place_files).values(gone_since=in_place_files.c.gone_since - 31 * 86_400)
        )
    context.service.apply_retention()
    assert set(ledger.in_place.read_files(folder)) == {"b.stl"}
