"""A person who may write to the share puts links and pipes where stlflow's own folders and files belong."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from workflow.errors import ShareError
from workflow.intake import Share
from workflow.intake.moves import exists_in_share, move_file
from workflow.intake.share import MARKER, read_marker

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs links and pipes")


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    return folder


def put_link(share: Share, name: str, outside: Path) -> None:
    (share.root / name).rmdir()
    (share.root / name).symlink_to(outside)


@pytest.mark.parametrize("name", ["done", "held", "rejected", "processing", "inbox"])
def test_a_share_with_a_linked_folder_is_refused(share: Share, outside: Path, name: str) -> None:
    put_link(share, name, outside)
    with pytest.raises(ShareError, match=rf"{name} is a link, and has to be a folder of the share\."):
        share.prepare()


def test_no_file_leaves_the_share_through_a_linked_folder(share: Share, outside: Path, way: str) -> None:
    claimed = share.processing / "1~bracket.stl"
    claimed.write_bytes(b"part")
    put_link(share, "done", outside)
    with pytest.raises(NotADirectoryError, match="done is a link or a file where a folder has to be"):
        move_file(share, "processing/1~bracket.stl", "done/bracket.stl")
    assert claimed.read_bytes() == b"part"
    assert list(outside.iterdir()) == []


def test_nothing_is_fetched_through_a_linked_folder(share: Share, outside: Path, way: str) -> None:
    (outside / "secret.stl").write_bytes(b"secret")
    put_link(share, "held", outside)
    assert not exists_in_share(share, "held/secret.stl")
    with pytest.raises(NotADirectoryError):
        move_file(share, "held/secret.stl", "processing/1~secret.stl")
    assert (outside / "secret.stl").read_bytes() == b"secret"


def test_a_running_service_waits_while_its_inbox_is_a_link(share: Share, outside: Path) -> None:
    known = replace(share, marker=share.prepare())
    put_link(share, "inbox", outside)
    assert str(known.absence_reason()).startswith(f"{share.inbox} is a link, and has to be a folder")


def test_a_pipe_in_place_of_the_marker_stops_nobody(share: Share) -> None:
    known = replace(share, marker=share.prepare())
    (share.root / MARKER).unlink()
    os.mkfifo(share.root / MARKER)
    with pytest.raises(OSError, match="has to be a plain file"):
        read_marker(share.root)
    assert known.absence_reason() == (f"{share.root}: {MARKER} has to be a plain file. Remove what is there")
    with pytest.raises(ShareError, match="has to be a plain file"):
        known.prepare()


def test_a_linked_marker_is_not_read(share: Share, outside: Path) -> None:
    (outside / "theirs").write_text("0" * 32)
    (share.root / MARKER).unlink()
    (share.root / MARKER).symlink_to(outside / "theirs")
    with pytest.raises(OSError, match="has to be a plain file"):
        read_marker(share.root)
