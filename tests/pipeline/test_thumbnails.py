"""Thumbnails of inspected parts: small, of the newest, never of another part, and never in the way."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.pipeline.conftest import Open, Shop, dispatched, held
from tests.stl import box, flat_box, open_box
from tests.waiting import until
from workflow.errors import InspectionFailed
from workflow.mesh import Inspector
from workflow.model import MeshReport, Submission, SubmissionState
from workflow.pipeline.context import now
from workflow.pipeline.pictures import BURST_SECONDS, MAX_WAITING, Pictures
from workflow.pipeline.thumbnails import (
    MAX_FILE_BYTES,
    MAX_THUMBNAIL_BYTES,
    needs_thumbnail,
    read_thumbnail,
    remove_old_thumbnails,
    thumbnail_path,
    write_thumbnail,
)

FOLDER = Path("thumbnails")


def part(number: int = 1, sha256: str | None = "ab" * 32) -> Submission:
    size_mm = (1.0, 2.0, 3.0)
    mesh = MeshReport("a.stl", "accept", None, (), "binary", 12, size_mm, 6e-3, 0.2, True, 0, 0.1, "")
    return Submission(number, "a.stl", SubmissionState.SLICING, now(), sha256=sha256, mesh=mesh, size=684)


def test_each_inspected_part_gets_a_small_one(open_shop: Open) -> None:
    shop = open_shop(thumbnails=True)
    folder = shop.settings.state / "thumbnails"
    shop.drop("fine.stl", box(20))
    shop.drop("gap.stl", open_box(30))
    parts = shop.wait("fine.stl", dispatched), shop.wait("gap.stl", held)
    assert until(lambda: all(read_thumbnail(folder, each) for each in parts))
    assert max(len(read_thumbnail(folder, each) or b"") for each in parts) < 8192
    assert sorted(each.suffix for each in folder.iterdir()) == [".png", ".png"]


def test_the_setting_turns_them_off(open_shop: Open) -> None:
    shop = open_shop(thumbnails=False, pictures="all")
    shop.drop("fine.stl", box(20))
    shop.wait("fine.stl", dispatched)
    assert until((shop.share / "done" / "fine.stl.png").is_file), "the thread has drawn"
    assert not (shop.settings.state / "thumbnails").exists()


def test_only_what_was_measured_and_is_small_needs_one() -> None:
    assert needs_thumbnail(FOLDER, part())
    assert not needs_thumbnail(FOLDER, part(sha256=None))
    assert not needs_thumbnail(FOLDER, replace(part(), mesh=None))
    assert not needs_thumbnail(FOLDER, replace(part(), size=MAX_FILE_BYTES + 1))


def drawn(number: int, sha256: str = "ab" * 32) -> Path:
    place = thumbnail_path(FOLDER, part(number, sha256))
    assert place is not None
    FOLDER.mkdir(exist_ok=True)
    place.write_bytes(b"\x89PNG")
    return place


def test_a_thumbnail_is_never_that_of_another_content() -> None:
    drawn(1)
    assert read_thumbnail(FOLDER, part(1)) == b"\x89PNG"
    assert read_thumbnail(FOLDER, part(1, "cd" * 32)) is None, "a restored database counts from 1 again"
    assert read_thumbnail(FOLDER, part(2)) is None


@pytest.mark.parametrize("content", [b"", b"text", b"\x89PNG" + bytes(MAX_THUMBNAIL_BYTES)])
def test_what_is_no_thumbnail_is_not_shown(content: bytes) -> None:
    drawn(1).write_bytes(content)
    assert read_thumbnail(FOLDER, part(1)) is None


def test_the_oldest_make_room_and_other_files_stay() -> None:
    places = [drawn(number) for number in (9, 10, 11, 100)]
    (FOLDER / "mine.png").write_bytes(b"")
    remove_old_thumbnails(FOLDER, most=2)
    assert [each.exists() for each in places] == [False, False, True, True]
    assert (FOLDER / "mine.png").exists()
    remove_old_thumbnails(Path("nowhere"))


def test_what_can_not_be_drawn_leaves_nothing(tmp_path: Path) -> None:
    place = FOLDER / "1-abababab.png"
    Path("flat.stl").write_bytes(b"<html>")
    Path("fine.stl").write_bytes(box())
    with Inspector() as inspector:
        with pytest.raises(InspectionFailed):
            write_thumbnail(inspector, Path("flat.stl"), place)
        assert list(FOLDER.iterdir()) == []
        assert write_thumbnail(inspector, Path("fine.stl"), place)
        Path("flat.stl").write_bytes(flat_box())
        assert write_thumbnail(inspector, Path("flat.stl"), place), "it can be seen, if not printed"
    assert [each.name for each in FOLDER.iterdir()] == ["1-abababab.png"]


def test_of_a_crowd_the_newest_wait(context: Shop) -> None:
    seconds = [0.0]
    pictures = Pictures(context.service.context, clock=lambda: seconds[0])
    for number in range(MAX_WAITING + 5):
        pictures.add(number)
    assert min(pictures._for_thumbnail) == 5
    assert not pictures._next_round(), "none is drawn while stages end many at once"
    seconds[0] = BURST_SECONDS
    assert next(number for _, number, _ in pictures._next_round()) == MAX_WAITING + 4, "the newest is first"
