"""A share on a real disk, a clock that is turned by hand, and a register that remembers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from loguru import logger

from workflow.intake import GateTimes, Inbox, Share

TIMES = GateTimes(binary_seconds=0.3, ascii_seconds=5, wrong_seconds=5, stall_seconds=600, unsure_seconds=4)


@dataclass
class Clock:
    """Stands still until it is turned."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now

    def turn(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Book:
    """A register in memory. `trouble` is raised by the next calls."""

    rows: dict[int, str] = field(default_factory=dict)
    taken: dict[int, str] = field(default_factory=dict)
    forgotten: list[int] = field(default_factory=list)
    trouble: dict[str, Exception] = field(default_factory=dict)
    before_claim: Callable[[str], None] | None = None

    def open(self, path: str) -> int:
        self._fail("open")
        number = len(self.rows) + 1
        self.rows[number] = path
        if self.before_claim is not None:
            self.before_claim(path)
        return number

    def claimed(self, number: int, claimed_as: str) -> None:
        self._fail("claimed")
        self.taken[number] = claimed_as

    def forget(self, number: int) -> None:
        self._fail("forget")
        self.forgotten.append(number)

    def paths(self) -> list[str]:
        """The paths of all files that were taken."""
        return sorted(self.rows[number] for number in self.taken)

    def _fail(self, call: str) -> None:
        if call in self.trouble:
            raise self.trouble[call]


@pytest.fixture
def share(tmp_path: Path) -> Share:
    share = Share(tmp_path / "share")
    share.prepare()
    return share


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def book() -> Book:
    return Book()


@pytest.fixture
def inbox(share: Share, book: Book, clock: Clock) -> Inbox:
    return Inbox(share, book, times=TIMES, clock=clock)


@pytest.fixture
def said() -> Iterator[list[str]]:
    """Everything that was logged, as sentences."""
    lines: list[str] = []
    sink = logger.add(lambda line: lines.append(str(line).strip()), format="{message}", level="INFO")
    yield lines
    logger.remove(sink)
