"""One writer's work on one file: what it writes, where, and what is complete when."""

import hashlib
import struct
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from io import FileIO
from itertools import pairwise
from pathlib import Path
from random import Random

Steps = Generator[float, None, None]
"""A writer at work; it gives the seconds that it pauses for."""

LONGEST_PAUSE_SECONDS = 3.5
"""Shorter than every quiet time for what can't be told from complete (ASCII 5 s, an unknown writer 4 s)."""
_PAUSES = (0.0, 0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, LONGEST_PAUSE_SECONDS)
_FACET = struct.Struct("<12fH")


@dataclass
class Job:
    """A file to be written at `place`, in a way that `chance` decides."""

    place: Path
    chance: Random
    versions: list[str] = field(default_factory=list)
    """The sha256 of every content that was complete at some moment."""
    finished_at: float = 0.0
    others: list[str] = field(default_factory=list)
    """Further names under which the file stood on its way."""

    def whole(self, content: bytes) -> None:
        """Note that what stands there now is complete."""
        self.versions.append(hashlib.sha256(content).hexdigest())
        self.finished_at = time.monotonic()

    def pause(self) -> float:
        """Choose a pause in seconds."""
        return self.chance.choice(_PAUSES)

    def binary(self, *, like: bytes = b"") -> bytes:
        """Make a binary STL, of the size of another one if that is given."""
        count = (len(like) - 84) // 50 if like else int(12 * (20_000 / 12) ** self.chance.random())
        first_word = self.chance.choice([b"solid", b"part", b"\x00"])
        header = (first_word + b" %d" % self.chance.getrandbits(64)).ljust(80)
        return header + struct.pack("<I", count) + self.chance.randbytes(50 * count)

    def ascii(self, facets: int | None = None) -> bytes:
        """Make an ASCII STL of one solid."""
        name, end = b"part %d" % self.chance.getrandbits(64), self.chance.choice([b"\n", b"\r\n"])
        count = facets or self.chance.randint(4, 400)
        facet = (
            b"facet normal 0 0 1\n outer loop\n  vertex 0 0 1\n  vertex 1 0 1\n"
            b"  vertex 0 1 1\n endloop\nendfacet\n"
        )
        text = b"solid " + name + b"\n" + facet * count + b"endsolid " + name + b"\n"
        return text.replace(b"\n", end)

    def pieces(self, content: bytes) -> list[tuple[int, bytes]]:
        """Cut a content into two to six pieces, each with its place."""
        most = max(1, min(5, len(content) - 1))
        cuts = sorted(self.chance.sample(range(1, len(content)), self.chance.randint(1, most)))
        edges = [0, *cuts, len(content)]
        return [(start, content[start:stop]) for start, stop in pairwise(edges)]

    def beside(self, name: str) -> Path:
        """Return another name in the same folder."""
        self.others.append(name)
        return self.place.with_name(name)


def write_at(file: FileIO, start: int, piece: bytes) -> None:
    """Write all of a piece at its place."""
    file.seek(start)
    rest = memoryview(piece)
    while rest:
        rest = rest[file.write(rest) :]


def slowly(job: Job, file: FileIO, pieces: list[tuple[int, bytes]]) -> Iterator[float]:
    """Write pieces in the order given, with a pause after each."""
    for start, piece in pieces:
        write_at(file, start, piece)
        yield job.pause()
