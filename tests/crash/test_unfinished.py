"""Writers that die: what they leave is rejected in the end, with what is there and what is missing."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import stl
from tests.cli.command import Desk
from tests.cloud import simulated
from tests.stl import box_facets
from tests.waiting import until
from workflow.model import SubmissionState

SECOND = [[(x + 50, y, z) for x, y, z in facet] for facet in box_facets()]
STL = stl.binary([*box_facets(), *SECOND])
"""Two boxes: the first one alone would be a good part."""
FIRST = 84 + 12 * 50
WRITER = """
import os, sys
file = open(sys.argv[1], "wb", buffering=0)
file.truncate(int(sys.argv[2]))
file.write(sys.stdin.buffer.read())
os.kill(os.getpid(), 9)
"""


def die_while_writing(place: Path, size: int, content: bytes) -> None:
    """Reserve a size, write some of the content, and be killed with the file open."""
    command = [sys.executable, "-c", WRITER, str(place), str(size)]
    assert subprocess.run(command, input=content, check=False).returncode == -signal.SIGKILL


def note_beside(place: Path) -> str:
    """Return what the person finds beside the file."""
    notes = [each for each in place.parent.iterdir() if each.name.startswith(place.name) and each != place]
    assert len(notes) == 1, notes
    return notes[0].read_text("utf-8-sig")


@pytest.mark.long
def test_what_dead_writers_leave_is_rejected_with_what_is_missing(tmp_path: Path) -> None:
    with simulated(slice_seconds=0) as cloud:
        desk = Desk(tmp_path, cloud.url)
        with desk.serving() as service:
            assert until((desk.share / "held").is_dir), service.said()
            inbox = desk.share / "inbox"
            die_while_writing(inbox / "cut.stl", 0, STL[:FIRST])
            die_while_writing(inbox / "reserved.stl", len(STL), STL[:FIRST])
            die_while_writing(inbox / "counted.stl", 0, STL[:80] + bytes(4))
            os.link(tmp_path / "stderr.txt", inbox / "linked.stl")
            assert until(lambda: len(desk.submissions()) == 3), service.said()
            assert desk.ended(3), desk.submissions()
            assert until(lambda: "linked.stl still waits" in service.said()), service.said()
            assert service.stop() == 0
        assert cloud.dispatches() == {}
    assert [path.name for path in (desk.share / "inbox").iterdir()] == ["linked.stl"]
    assert {each.state for each in desk.submissions().values()} == {SubmissionState.REJECTED}
    rejected = desk.share / "rejected"
    assert "12 of 24 facets are there: the file is cut off" in note_beside(rejected / "cut.stl")
    assert "12 of 24 facets are empty: room was reserved for them" in note_beside(rejected / "reserved.stl")
    assert "The file has no facets" in note_beside(rejected / "counted.stl")
