"""While a file is worked on, its note stands where it was dropped, and says where it is and why it waits."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cloud import simulated
from tests.pipeline.conftest import Open, Shop, dispatched, held, opened, written
from tests.stl import box
from tests.waiting import until
from workflow.notes import note_path, note_title, write_note
from workflow.pipeline.commands import cancel_submission
from workflow.pipeline.progress_notes import ProgressNotes

RULES = """\
version: 1
intake:
  - {name: look, when: {path: "look/**"}, hold: Look first.}
  - {name: rest, preset: Onyx}
routing:
  - name: night
    when: {path: "night/**"}
    send_to: backlog
    not_before: "23:59"
  - name: rest
    send_to: device_queue
    device: {name: Mark Two - Anvil}
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop in which slicing takes until the simulated clock is put forward."""
    folder = tmp_path_factory.mktemp("progress")
    with (
        simulated(slice_seconds=3600) as cloud,
        opened(folder, cloud, rules=written(folder, RULES), timezone="Europe/Vienna") as shop,
    ):
        yield shop


def text_of(shop: Shop, path: str) -> str:
    place = note_path(shop.share / "inbox" / path)
    try:
        return place.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except OSError:
        return ""


def wait_for_text(shop: Shop, path: str, meant: Callable[[str], bool]) -> str:
    assert until(lambda: meant(text_of(shop, path)), 60), (text_of(shop, path), shop.history(path))
    return text_of(shop, path)


def test_the_note_is_where_the_file_was_dropped_until_the_end(shop: Shop) -> None:
    path = "lab/arm.stl"
    shop.drop(path, box(31, 20, 10))
    slicing = wait_for_text(shop, path, lambda text: "is being sliced" in text)
    assert slicing.startswith("stlflow note: received as submission ")
    assert "arm.stl is being sliced by Eiger, since " in slicing
    assert "CET" in slicing or "CEST" in slicing
    assert "Size      31.0 × 20.0 × 10.0 mm" in slicing
    assert "Preset    Onyx  (rule: rest)" in slicing
    assert "Printers  fits " in slicing
    shop.cloud.advance(4000)
    shop.wait(path, dispatched, 60)
    assert until(lambda: not note_path(shop.share / "inbox" / path).exists(), 60)
    assert "Mark Two - Anvil, " in shop.note(f"done/{path}")


def test_earlier_parts_say_how_long_such_a_part_takes(shop: Shop) -> None:
    for number in range(3):
        shop.drop(f"past/{number}.stl", box(40, 20, 10 + number / 10))
    for number in range(3):
        shop.wait(f"past/{number}.stl", lambda seen: seen.slice_job_id is not None, 60)
    shop.cloud.advance(4000)
    for number in range(3):
        shop.wait(f"past/{number}.stl", dispatched, 60)
    shop.drop("past/next.stl", box(40, 20, 11))
    text = wait_for_text(shop, "past/next.stl", lambda text: "earlier parts" in text)
    assert " earlier parts of about this size with this preset take " in text


def test_a_file_that_waits_says_why_and_since_when(shop: Shop) -> None:
    shop.drop("night/owl.stl", box(33))
    shop.wait("night/owl.stl", lambda seen: seen.slice_job_id is not None, 60)
    shop.cloud.advance(4000)
    text = wait_for_text(shop, "night/owl.stl", lambda text: "Why it waits" in text)
    assert "sends from 23:59. It goes by itself then. (since " in text
    assert "ready when an operator has printed it" in text or "cm³ Onyx" in text, (
        "the answer is known already"
    )


def test_a_held_file_has_its_note_in_held_alone(shop: Shop) -> None:
    shop.drop("look/lid.stl", box(34))
    shop.wait("look/lid.stl", held, 60)
    assert "is HELD" in shop.note("held/look/lid.stl")
    assert until(lambda: text_of(shop, "look/lid.stl") == "", 60)


def test_a_canceled_file_takes_its_note_along(shop: Shop) -> None:
    shop.drop("gone.stl", box(35))
    wait_for_text(shop, "gone.stl", lambda text: "is being sliced" in text)
    submission = shop.submission("gone.stl")
    assert submission is not None
    cancel_submission(shop.service.ledger, submission.id)
    shop.service.wake()
    assert until(lambda: text_of(shop, "gone.stl") == "", 60)


def test_a_persons_own_text_stays_as_it_is(shop: Shop) -> None:
    mine = shop.share / "inbox" / "own.stl.txt"
    mine.write_text("Milling first, then printing.", "utf-8")
    shop.drop("own.stl", box(36))
    numbered = shop.share / "inbox" / "own.stl (2).txt"
    assert until(numbered.is_file, 60)
    shop.cloud.advance(4000)
    shop.wait("own.stl", dispatched, 60)
    assert until(lambda: not numbered.exists(), 60)
    assert mine.read_text("utf-8") == "Milling first, then printing."


def test_what_an_earlier_run_left_is_put_right(open_shop: Open) -> None:
    """A kill leaves notes behind: they are removed, or brought up to date, with the next run."""
    shop = open_shop(contact="Kim, phone 4711")
    assert "Kim, phone 4711" in (shop.share / "HOW TO USE THIS FOLDER.txt").read_text("utf-8-sig")
    stale = note_path(shop.share / "inbox" / "old.stl")
    write_note(stale, "stlflow note: received as submission 4711\n\nold.stl is being checked.\n")
    assert note_title(stale) == "received as submission 4711"
    assert until(lambda: not stale.exists(), 60)


def test_a_note_whose_name_is_taken_before_it_is_written_is_seen_later(open_shop: Open) -> None:
    shop = open_shop()
    stale = note_path(shop.share / "inbox" / "slow.stl")
    stale.touch()
    shop.drop("beside.stl", box(38))
    shop.wait("beside.stl", dispatched, 60)  # by then a scan has seen the empty file
    write_note(
        stale.with_name("written.stl.txt"), "stlflow note: received as submission 4712\n\nIt is checked.\n"
    )
    stale.with_name("written.stl.txt").replace(stale)
    assert until(lambda: not stale.exists(), 60)


@pytest.fixture(scope="module")
def unnoted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop whose service writes no notes: the tests write them; slicing never ends."""
    quiet = {"progress_notes": False, "pictures": "none", "how_to_file": False}
    with (
        simulated(slice_seconds=36_000) as cloud,
        opened(tmp_path_factory.mktemp("unnoted"), cloud, **quiet) as shop,
    ):
        yield shop


def drop_and_wait(shop: Shop, path: str) -> None:
    shop.drop(path, box(41, 20, 10 + len(path) / 10))
    shop.wait(path, lambda seen: seen.slice_job_id is not None)


def test_of_several_workers_one_writes_the_notes_of_all(unnoted: Shop) -> None:
    drop_and_wait(unnoted, "both.stl")
    writes = [False]
    other = ProgressNotes(unnoted.service.context, lambda: writes[0])
    stale = write_note(
        note_path(unnoted.share / "inbox/ended.stl"), "stlflow note: received as submission 4713\n"
    )
    other.write_due()
    other.check_texts([stale.name])
    assert text_of(unnoted, "both.stl") == ""
    assert stale.is_file()
    writes[0] = True  # the worker that wrote them is gone
    other.check_texts([stale.name])
    other.write_due()
    assert "is being sliced" in text_of(unnoted, "both.stl")
    assert not stale.exists()


def test_a_file_of_a_read_only_inbox_has_its_note_in_processing(tmp_path: Path) -> None:
    inbox = tmp_path / "exports"
    (inbox / "rack").mkdir(parents=True)
    (inbox / "rack/arm.stl").write_bytes(box(31, 20, 11))
    inbox.chmod(0o555)
    with simulated(slice_seconds=3600) as cloud:
        with opened(tmp_path, cloud, read_only_inbox=inbox) as shop:
            number = shop.wait("rack/arm.stl", lambda seen: seen.slice_job_id is not None, 60).id
            place = shop.share / f"processing/rack/{number}~arm.stl.txt"
            assert until(lambda: place.exists() and "is being sliced" in place.read_text("utf-8-sig"), 60)
            left = write_note(
                place.with_name("4711~old.stl.txt"), "stlflow note: received as submission 4711\n"
            )
        assert place.exists(), "the next run goes on"
        cloud.advance(4000)
        with opened(tmp_path, cloud, read_only_inbox=inbox) as shop:
            shop.wait("rack/arm.stl", dispatched, 60)
            assert until(lambda: not place.exists() and not left.exists(), 60)
            assert until((shop.share / f"done/rack/{number}~arm.stl.txt").exists, 60)
            assert until(lambda: not place.parent.exists(), 60), "without the folders that were made for it"
    assert [found.name for found in inbox.rglob("*")] == ["rack", "arm.stl"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_no_note_is_written_through_a_link_in_the_place_of_a_folder(unnoted: Shop, tmp_path: Path) -> None:
    drop_and_wait(unnoted, "swapped/part.stl")
    swapped = unnoted.share / "inbox/swapped"
    for left in swapped.iterdir():
        left.unlink()
    swapped.rmdir()
    swapped.symlink_to(tmp_path, target_is_directory=True)
    ProgressNotes(unnoted.service.context).write_due()
    assert list(tmp_path.iterdir()) == []
    swapped.unlink()


def test_the_setting_switches_them_off(open_shop: Open, tmp_path: Path) -> None:
    shop = open_shop(progress_notes=False, pictures="none", how_to_file=False)
    shop.drop("a.stl", box(37))
    shop.wait("a.stl", dispatched, 60)
    assert [thread.name for thread in shop.service._threads if thread.name == "notes"] == []
    assert not (shop.share / "HOW TO USE THIS FOLDER.txt").exists()
