import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.intake.parts import binary
from workflow.intake.events import FileEvents, FolderWatcher

PATIENCE_SECONDS = 120.0


class Ear:
    """Hints that add up until what the test waits for was heard."""

    def __init__(self, inbox: Path) -> None:
        self._woken = threading.Event()
        self.hints = FolderWatcher(inbox, self._woken.set)
        self.closed: dict[str, int] = {}
        self.born: set[str] = set()
        self.everywhere = False

    def hears(self, enough: Callable[[], bool]) -> bool:
        while not enough():
            if not self._woken.wait(PATIENCE_SECONDS):
                return False
            self._woken.clear()
            heard = self.hints.take_events() or FileEvents()
            for path, times in heard.closed.items():
                self.closed[path] = self.closed.get(path, 0) + times
            self.born |= heard.born
            self.everywhere = self.everywhere or heard.everywhere
        return True

    @contextmanager
    def deaf(self) -> Iterator[None]:
        """Keep the interpreter busy, so that the observer's threads read nothing."""
        before = sys.getswitchinterval()
        sys.setswitchinterval(60)
        try:
            yield
        finally:
            sys.setswitchinterval(before)

    def hears_closing(self, path: str, times: int) -> bool:
        return self.hears(lambda: self.closed.get(path) == times)


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    (tmp_path / "inbox" / "rush").mkdir(parents=True)
    return tmp_path / "inbox"


@pytest.fixture
def ear(inbox: Path) -> Iterator[Ear]:
    ear = Ear(inbox)
    ear.hints.start()
    yield ear
    ear.hints.stop()


def test_a_copied_file_has_an_event(ear: Ear, inbox: Path) -> None:
    (inbox / "rush" / "part.STL").write_bytes(binary())
    assert ear.hears(lambda: ear.closed.get("rush/part.STL", 0) >= 1)


def test_writers_that_close_one_after_the_other_are_counted(ear: Ear, inbox: Path) -> None:
    for times in (1, 2, 3):
        with (inbox / "part.stl").open("ab") as writer:
            writer.write(b"x")
        assert ear.hears_closing("part.stl", times)
    assert ear.born == {"part.stl"}


def test_two_writers_in_quick_succession_are_counted_as_two(ear: Ear, inbox: Path) -> None:
    """Also while nobody reads the system's notices: it tells two equal ones in a row as one."""
    count = 50
    with ear.deaf():
        for number in range(count):
            for _ in range(2):
                with (inbox / f"part {number}.stl").open("ab") as writer:
                    writer.write(b"x")
    assert ear.hears(lambda: sum(ear.closed.values()) >= 2 * count), ear.closed


def test_a_file_that_is_written_again_is_not_born_again(ear: Ear, inbox: Path) -> None:
    (inbox / "part.stl").write_bytes(b"x")
    assert ear.hears_closing("part.stl", 1)
    ear.born.clear()
    (inbox / "part.stl").write_bytes(b"xy")
    assert ear.hears_closing("part.stl", 2)
    assert ear.born == set()


def test_a_file_that_is_moved_in_has_an_event(ear: Ear, inbox: Path, tmp_path: Path) -> None:
    (tmp_path / "part.stl").write_bytes(binary())
    (tmp_path / "part.stl").rename(inbox / "part.stl")
    assert ear.hears(lambda: ear.closed == {"part.stl": 1}), "a rename ends what was written before it"
    assert ear.born == {"part.stl"}


def test_a_download_that_gets_its_name_has_an_event(ear: Ear, inbox: Path) -> None:
    (inbox / "part.stl.part").write_bytes(binary())
    (inbox / "part.stl.part").rename(inbox / "part.stl")
    assert ear.hears(lambda: "part.stl" in ear.closed)
    assert set(ear.closed) == {"part.stl"}


def test_moved_folders_ask_for_a_walk(ear: Ear, inbox: Path, tmp_path: Path) -> None:
    (tmp_path / "tree" / "sub").mkdir(parents=True)
    shutil.move(tmp_path / "tree", inbox / "tree")
    assert ear.hears(lambda: ear.everywhere)


def test_hints_end_with_the_folder_and_leave_no_thread(ear: Ear, inbox: Path) -> None:
    assert ear.hints.is_watching()
    ear.hints.stop()
    assert not ear.hints.is_watching()
    assert [thread for thread in threading.enumerate() if "otify" in type(thread).__name__] == []


def test_folders_that_come_and_go_quickly_neither_deafen_nor_stop_the_stopping(
    ear: Ear, inbox: Path, tmp_path: Path
) -> None:
    real, link, desk = tmp_path / "real", tmp_path / "link", inbox / "desk"
    real.mkdir()
    (tmp_path / "elsewhere").mkdir()
    link.symlink_to(tmp_path / "elsewhere")
    for _ in range(3000):
        for folder in (real, link):
            folder.rename(desk)
            desk.rename(folder)
    (inbox / "rush" / "part.stl").write_bytes(binary())
    assert ear.hears(lambda: "rush/part.stl" in ear.closed)
    ear.hints.stop()
    assert [thread for thread in threading.enumerate() if "otify" in type(thread).__name__] == []


def test_a_folder_that_is_missing_gives_no_hints(tmp_path: Path) -> None:
    hints = FolderWatcher(tmp_path / "absent", lambda: None)
    with pytest.raises(OSError, match="No such file or directory"):
        hints.start()
    assert not hints.is_watching()
    assert [thread for thread in threading.enumerate() if "otify" in type(thread).__name__] == []
