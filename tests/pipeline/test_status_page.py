"""STATUS.html in the share: written by the service, true, never in the way, and never over another's file."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from loguru import logger

from tests.pipeline.conftest import Open, Shop, dispatched, held
from tests.stl import box, open_box
from tests.waiting import until
from workflow.errors import ShareError
from workflow.intake import Share
from workflow.pipeline.pictures import Pictures
from workflow.pipeline.status_page import (
    StatusPageWriter,
    is_status_page,
    status_page_place,
    write_status_page,
)

NAME = "<b>gap & \"co\" 'x' 🦊.stl"


def text_of(place: Path) -> str:
    return place.read_text("utf-8") if place.exists() else ""


@contextmanager
def log_lines() -> Iterator[list[str]]:
    lines: list[str] = []
    sink = logger.add(lambda line: lines.append(str(line)), level="WARNING", format="{message}")
    try:
        yield lines
    finally:
        logger.remove(sink)


def test_it_shows_each_change_and_a_stop(open_shop: Open, tmp_path: Path) -> None:
    shop = open_shop(status_page="STATUS.html", thumbnails=True)
    place = shop.share / "STATUS.html"
    assert until(lambda: "scanned" in text_of(place))
    assert "stlflow is running" in text_of(place)
    shop.drop("fine.stl", box(20))
    shop.drop(NAME, open_box(30))
    shop.wait("fine.stl", dispatched)
    shop.wait(NAME, held)
    assert until(lambda: "move the file to approved/" in text_of(place) and "fine.stl" in text_of(place))
    assert until(lambda: text_of(place).count("data:image/png;base64,") == 3), "two parts, one of them twice"
    assert "&lt;b&gt;gap &amp; &quot;co&quot; &#x27;x&#x27; 🦊.stl" in text_of(place)
    assert "replied" in text_of(place)
    shop.service.stop()
    assert "stlflow is stopped" in text_of(place)
    left = {each.name for each in shop.share.iterdir() if each.is_file()}
    assert left == {"STATUS.html", "HOW TO USE THIS FOLDER.txt", ".stlflow-share"}
    assert {each.path for each in shop.service.submissions()} == {"fine.stl", NAME}, "it is no part"


@dataclass
class Place:
    """A place among workers."""

    among: int = 1
    is_first: bool = True


@pytest.fixture
def writer(context: Shop, tmp_path: Path) -> StatusPageWriter:
    """A writer that no thread runs, with a place of its own."""
    return StatusPageWriter(context.service.context, tmp_path / "page.html", Place(), lambda: None)


def written_at(place: Path) -> str:
    found = re.search(r'data-written="(\d+)"', text_of(place))
    return found[1] if found else ""


def test_without_news_it_is_written_every_minute(writer: StatusPageWriter) -> None:
    seconds = [0.0]
    writer.clock = lambda: seconds[0]
    writer._write()
    first = written_at(writer.place)
    writer._write()
    assert written_at(writer.place) == first, "nothing has changed"
    seconds[0] = 61.0
    writer._write()
    assert written_at(writer.place) > first > ""


def test_a_page_that_a_power_cut_left_empty_is_written_again(writer: StatusPageWriter) -> None:
    writer.place.write_bytes(b"")
    writer._write()
    assert "stlflow is running" in text_of(writer.place)


def test_a_file_of_another_is_left_and_said_once(writer: StatusPageWriter) -> None:
    writer.place.write_text("my own page", "utf-8")
    with log_lines() as lines:
        writer._write()
        writer._write()
    assert text_of(writer.place) == "my own page"
    assert len(lines) == 1
    assert "is not a page of stlflow. Rename it, or set status_page to another place." in lines[0]
    assert [each.name for each in writer.place.parent.iterdir() if each.is_file()] == ["page.html"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_can_not_be_written_to_is_said_once(writer: StatusPageWriter) -> None:
    writer.place.parent.chmod(0o500)
    with log_lines() as lines:
        writer._write()
        writer._write()
    writer.place.parent.chmod(0o700)
    assert len(lines) == 1


def test_a_folder_that_is_gone_is_said_once_and_tried_again(writer: StatusPageWriter, tmp_path: Path) -> None:
    writer.place = tmp_path / "web" / "page.html"
    with log_lines() as lines:
        writer._write()
        writer._write()
    assert len(lines) == 1
    writer.place.parent.mkdir()
    writer._write()
    assert is_status_page(writer.place)


def test_a_share_that_is_away_gets_no_page(writer: StatusPageWriter, tmp_path: Path) -> None:
    writer.context = replace(writer.context, share=Share(tmp_path, marker="0" * 32))
    writer._write()
    assert not writer.place.exists()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "target.html"
    target.write_text("theirs", "utf-8")
    (tmp_path / "page.html").symlink_to(target)
    with pytest.raises(FileExistsError):
        write_status_page(tmp_path / "page.html", "<!-- stlflow status page -->")
    assert text_of(target) == "theirs"


@pytest.mark.parametrize("setting", ["inbox/STATUS.html", "held/x.html", "processing/a/b.html", "approved/x"])
def test_it_is_never_in_a_folder_for_parts(setting: str, tmp_path: Path) -> None:
    with pytest.raises(ShareError, match=r"in a folder for parts\. Name a file beside inbox/"):
        status_page_place(setting, Share(tmp_path))
    with pytest.raises(ShareError, match=r"is a folder\. Name a file in it"):
        status_page_place(str(tmp_path), Share(tmp_path / "share"))
    with pytest.raises(ShareError, match="in a folder for parts"):
        status_page_place(
            str(tmp_path / "in" / "a.html"), Share(tmp_path / "share", left_inbox=tmp_path / "in")
        )
    assert status_page_place("off", Share(tmp_path)) is None
    assert status_page_place("web/page.html", Share(tmp_path)) == tmp_path / "web" / "page.html"


def test_of_several_workers_the_first_writes(writer: StatusPageWriter) -> None:
    writer.workers = Place(among=2, is_first=False)
    writer._write()
    assert not writer.place.exists()
    writer.workers = Place(among=2, is_first=True)
    writer._write()
    writer._write(stopped=True)
    assert "stlflow is stopped" not in text_of(writer.place), "the other one still runs"
    writer.workers = Place()
    writer._write(stopped=True)
    assert "stlflow is stopped" in text_of(writer.place)


def test_a_part_that_another_machine_took_is_drawn_for_the_page(open_shop: Open, tmp_path: Path) -> None:
    shop = open_shop(status_page="off", thumbnails=False)
    for name in ("far.stl", "away.stl"):
        shop.drop(name, box(20 + len(name)))
        shop.wait(name, dispatched)
    assert until((shop.share / "done/away.stl").exists)
    (shop.share / "done/away.stl").unlink()
    context = replace(shop.service.context, thumbnails=tmp_path / "own")
    pictures = Pictures(context, thumbnails=context.thumbnails, beside_notes=False)
    asked: list[int] = []
    page = StatusPageWriter(context, tmp_path / "page.html", Place(among=2), lambda: None, draw=asked.append)
    for _ in range(3):
        page._write()
    assert sorted(asked) == sorted(each.id for each in shop.service.submissions()), "each once"
    drawn = [pictures._draw_safely(pictures._draw_thumbnail, number) for number in sorted(asked)]
    assert drawn == [True, False], "one is not in the share any more"
    page._write()
    assert text_of(page.place).count("data:image/png;base64,") == 1
    pictures._close()
