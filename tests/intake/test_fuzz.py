"""Writers of every kind, with pauses: whatever the inbox takes was complete at that moment."""

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.intake.conftest import TIMES, Clock
from tests.intake.parts import ascii_solid, binary
from workflow.intake.open_writers import sees_all_writers
from workflow.intake.scan import scan_inbox
from workflow.intake.stability_tracker import StabilityTracker

CLOSED_PAUSES = st.sampled_from([0.0, 0.05, 0.2, 1.0, 3.5])
"""Between two goes of one writer; longer than the quiet time of ASCII nobody could tell."""
OPEN_PAUSES = st.sampled_from([0.0, 0.3, 3.0, 20.0])
CONTENTS = st.one_of(
    st.integers(1, 60).map(binary),
    st.integers(1, 30).map(ascii_solid),
    st.integers(1, 60).map(lambda facets: binary(facets, b"solid part".ljust(80))),
)


@dataclass
class Scene:
    """An inbox with one file being written, looked at after every step of its writer."""

    inbox: Path
    clock: Clock = field(default_factory=Clock)
    taken: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.part = self.inbox / "part.stl"
        self.settling = StabilityTracker(self.inbox, TIMES, self.clock)
        self.settling.sees_writers = sees_all_writers(self.inbox)

    def look(self, seconds: float) -> None:
        """Let time pass, with a look every now and then, and take what is ready."""
        end = self.clock.now + seconds
        while True:
            self.settling.update_from_scan(scan_inbox(self.inbox).paths)
            for path, _ in self.settling.find_stable_files():
                self.taken.append((self.inbox / path).read_bytes())
                (self.inbox / path).unlink()
                self.settling.untrack(path)
            if self.clock.now >= end:
                return
            self.clock.now = min(end, self.clock.now + 0.25)


def write(scene: Scene, file: FileIO, content: bytes, cuts: list[int], pause: float) -> None:
    for start, stop in zip([0, *cuts], [*cuts, len(content)], strict=True):
        file.seek(start)
        file.write(content[start:stop])
        scene.look(pause)


def cut(data: st.DataObject, content: bytes) -> list[int]:
    return sorted(data.draw(st.sets(st.integers(1, len(content) - 1), max_size=4)))


def straight(scene: Scene, content: bytes, data: st.DataObject) -> None:
    with FileIO(scene.part, "w") as file:
        write(scene, file, content, cut(data, content), data.draw(OPEN_PAUSES))


def reserved(scene: Scene, content: bytes, data: st.DataObject) -> None:
    """The size first, as Windows copies do it; then the pieces, in any order."""
    cuts = cut(data, content)
    pieces = data.draw(st.permutations(list(zip([0, *cuts], [*cuts, len(content)], strict=True))))
    pause = data.draw(OPEN_PAUSES)
    with FileIO(scene.part, "w") as file:
        os.truncate(file.fileno(), len(content))
        scene.look(pause)
        for start, stop in pieces:
            file.seek(start)
            file.write(content[start:stop])
            scene.look(pause)


def in_goes(scene: Scene, content: bytes, data: st.DataObject) -> None:
    """Opened and closed again for every piece."""
    cuts, pause = cut(data, content), data.draw(CLOSED_PAUSES)
    for start, stop in zip([0, *cuts], [*cuts, len(content)], strict=True):
        with FileIO(scene.part, "a") as file:
            file.write(content[start:stop])
        scene.look(pause)


def renamed(scene: Scene, content: bytes, data: st.DataObject) -> None:
    loading = scene.inbox / "part.stl.part"
    with FileIO(loading, "w") as file:
        write(scene, file, content, cut(data, content), data.draw(CLOSED_PAUSES))
    loading.rename(scene.part)


def count_last(scene: Scene, content: bytes, data: st.DataObject) -> None:
    assume(not content.endswith(b"endsolid part\n"))
    unfinished = content[:80] + data.draw(st.sampled_from([bytes(4), b"\xff" * 4])) + content[84:]
    with FileIO(scene.part, "w") as file:
        file.write(unfinished)
        scene.look(data.draw(OPEN_PAUSES))
        if data.draw(st.booleans()):
            file.seek(80)
            file.write(content[80:84])
            return
    scene.look(data.draw(CLOSED_PAUSES))
    with FileIO(scene.part, "r+") as file:
        file.seek(80)
        file.write(content[80:84])


def touched_first(scene: Scene, content: bytes, data: st.DataObject) -> None:
    scene.part.touch()
    scene.look(data.draw(CLOSED_PAUSES))
    scene.part.unlink()
    scene.look(data.draw(CLOSED_PAUSES))
    straight(scene, content, data)


Writer = Callable[[Scene, bytes, st.DataObject], None]
WRITERS: list[Writer] = [straight, reserved, in_goes, renamed, count_last, touched_first]
each_writer = pytest.mark.parametrize("writer", WRITERS, ids=[writer.__name__ for writer in WRITERS])


def take_what_is_written(writer: Writer, content: bytes, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        scene = Scene(Path(folder))
        if not scene.settling.sees_writers:
            pytest.skip("the file system does not tell of writers")
        writer(scene, content, data)
        scene.look(12)
        assert scene.taken == [content]


@each_writer
@given(content=CONTENTS, data=st.data())
def test_what_is_taken_is_what_was_written(writer: Writer, content: bytes, data: st.DataObject) -> None:
    take_what_is_written(writer, content, data)


@pytest.mark.long
@each_writer
@settings(max_examples=400, deadline=None)
@given(content=CONTENTS, data=st.data())
def test_what_is_taken_is_what_was_written_in_many_ways(
    writer: Writer, content: bytes, data: st.DataObject
) -> None:
    take_what_is_written(writer, content, data)
