import os
import socket
import sys
import time
from pathlib import Path
from threading import Event, Thread

import pytest

from workflow.errors import NotAPlainFile
from workflow.intake import fs
from workflow.intake.fs import open_folder, open_regular_file, remove_empty_folders

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="needs links and pipes")


def read(base: Path, *below: str, name: str) -> bytes:
    with open_folder(base, below) as folder:
        fd = open_regular_file(folder, name)
        with os.fdopen(fd, "rb") as file:
            return file.read()


@pytest.fixture(params=[True, False], ids=["by descriptor", "by path"])
def base(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(fs, "_BY_DESCRIPTOR", request.param and fs._BY_DESCRIPTOR)
    (tmp_path / "inbox" / "rush").mkdir(parents=True)
    return tmp_path / "inbox"


def test_plain_files_are_opened(base: Path) -> None:
    (base / "rush" / "x.stl").write_bytes(b"content")
    assert read(base, "rush", name="x.stl") == b"content"


def test_folders_are_made_below_the_base_only(base: Path) -> None:
    with open_folder(base, ("a", "b"), make=True) as folder:
        assert folder.path.is_dir()
    with pytest.raises(FileNotFoundError), open_folder(base / "absent", ("a",), make=True):
        pass
    assert not (base / "absent").exists()


@posix_only
def test_only_plain_files_are_opened(base: Path) -> None:
    (base / "real.stl").write_bytes(b"secret")
    (base / "link.stl").symlink_to("real.stl")
    (base / "loop.stl").symlink_to("loop.stl")
    (base / "folder.stl").mkdir()
    os.mkfifo(base / "pipe.stl")
    (base / "zero.stl").symlink_to("/dev/zero")
    refused = {"link": "a link", "loop": "a link", "folder": "a folder", "pipe": "a pipe", "zero": "a link"}
    for name, kind in refused.items():
        with pytest.raises(NotAPlainFile, match=rf"^{name}\.stl is {kind}, not a file of its own"):
            read(base, name=f"{name}.stl")


@posix_only
def test_sockets_and_devices_are_not_opened(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(base)  # names of sockets must be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket.stl")
        with pytest.raises(NotAPlainFile, match="is a socket"):
            read(base, name="socket.stl")
    with pytest.raises(NotAPlainFile, match="null is a device"):
        read(Path("/dev"), name="null")


@posix_only
def test_a_folder_that_is_a_link_is_not_entered(base: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "x.stl").write_bytes(b"secret")
    (base / "sub").symlink_to(tmp_path / "outside")
    with pytest.raises(NotADirectoryError, match="sub is a link or a file where a folder has to be"):
        read(base, "sub", name="x.stl")


@posix_only
def test_a_folder_swapped_for_a_link_leaks_nothing(tmp_path: Path) -> None:
    """Somebody swaps the parent folder for a link to a folder outside, again and again."""
    inside, outside, link = tmp_path / "in" / "sub", tmp_path / "outside", tmp_path / "link"
    for folder, content in ((inside, b"inside"), (outside, b"secret")):
        folder.mkdir(parents=True)
        (folder / "x.stl").write_bytes(content)
    link.symlink_to(outside)
    done = Event()

    def swap() -> None:
        while not done.is_set():
            inside.rename(tmp_path / "aside")
            link.rename(inside)
            inside.rename(link)
            (tmp_path / "aside").rename(inside)

    swapper = Thread(target=swap)
    swapper.start()
    tries = read_inside = 0
    last = time.monotonic() + 30
    try:
        while tries < 1500 or (not read_inside and time.monotonic() < last):
            tries += 1
            try:
                assert read(inside.parent, "sub", name="x.stl") == b"inside"
                read_inside += 1
            except (FileNotFoundError, NotADirectoryError):
                continue
    finally:
        done.set()
        swapper.join()
    assert read_inside > 0


def test_only_empty_folders_are_removed(base: Path) -> None:
    (base / "a" / "b" / "c").mkdir(parents=True)
    (base / "a" / "keep").touch()
    remove_empty_folders(base, ("a", "b", "c"))
    assert [path.name for path in (base / "a").iterdir()] == ["keep"]
    assert base.is_dir()
