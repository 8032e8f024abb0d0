"""A share on a real disk, a clock that is turned by hand, and a register that remembers."""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from loguru import logger

from workflow.intake import FileStamp, Inbox, InboxScan, PreviousSubmission, Share, StabilityTimes, fs

TIMES = StabilityTimes(
    binary_seconds=0.3, ascii_seconds=5, wrong_seconds=5, stall_seconds=600, unsure_seconds=4
)


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
    """A register and a desk in memory. `trouble` is raised by the next calls."""

    rows: dict[int, str] = field(default_factory=dict)
    taken: dict[int, str] = field(default_factory=dict)
    forgotten: list[int] = field(default_factory=list)
    trouble: dict[str, Exception] = field(default_factory=dict)
    waitlist: dict[str, bool] = field(default_factory=dict)
    strangers: dict[str, str] = field(default_factory=dict)
    memory: dict[str, tuple[FileStamp, int]] = field(default_factory=dict)
    contents: dict[int, str] = field(default_factory=dict)
    came_back: int = 0
    left_inbox: Path = Path()
    before_claim: Callable[[str], None] | None = None

    def open_all(self, paths: Sequence[str]) -> Sequence[int]:
        self._fail("open")
        return [self._open(path) for path in paths]

    def _open(self, path: str) -> int:
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

    # -- what is not taken (a Desk) -----------------------------------------------------------------

    def on_share_available(self) -> None:
        self._fail("share_back")
        self.came_back += 1

    def on_untaken_file(self, path: str, why: str) -> None:
        assert self.strangers.get(path) != why, "told twice"
        self.strangers[path] = why

    def on_scan(self, found: InboxScan, settled: Collection[str]) -> None:
        for path in settled:
            del self.strangers[path]

    def mass_arrival_paths(self) -> Mapping[str, bool]:
        return dict(self.waitlist)

    def record_mass_arrival(self, paths: Collection[str]) -> None:
        self._fail("crowd")
        self.waitlist.update(dict.fromkeys(paths, False))

    def remove_mass_arrival(self, paths: Collection[str]) -> None:
        for path in paths:
            del self.waitlist[path]

    # -- what is taken and left (a LeftRegister) ----------------------------------------------------

    def left(self) -> Mapping[str, FileStamp]:
        return {path: left for path, (left, _number) in self.memory.items()}

    def previous_submission(self, path: str) -> PreviousSubmission | None:
        if path not in self.memory:
            return None
        left, number = self.memory[path]
        return PreviousSubmission(number, left, self.contents.get(number), number not in self.contents)

    def submit_in_place(self, path: str, left: FileStamp, before: PreviousSubmission | None) -> bool:
        self._fail("open")
        place = str(self.left_inbox / path)
        number = self._open(path)
        self.memory[path] = (left, number)
        self.taken[number] = place
        self.contents[number] = hashlib.sha256(Path(place).read_bytes()).hexdigest()
        return True

    def record_unchanged(self, path: str, left: FileStamp, before: PreviousSubmission) -> None:
        for former in [path for path, (_left, number) in self.memory.items() if number == before.number]:
            del self.memory[former]
        self.memory[path] = (left, before.number)

    def paths(self) -> list[str]:
        """The paths of all files that were taken."""
        return sorted(self.rows[number] for number in self.taken)

    def _fail(self, call: str) -> None:
        if call in self.trouble:
            raise self.trouble[call]


def scan_once(inbox: Inbox) -> tuple[str, ...]:
    """Do what one round of an inbox does without events; return the paths that were taken."""
    inbox.scan()
    return inbox.take_stable_files()


def nothing_waits(inbox: Inbox) -> bool:
    """True if a fresh scan of an inbox finds nothing to take."""
    inbox.scan()
    return inbox.waiting() == ()


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


@pytest.fixture(params=["one call", "reservation", "paths"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The ways to rename: the exclusive call, without it (NFS), and without calls by descriptor."""
    fs._exclusive_rename.cache_clear()  # each test looks it up by itself
    if request.param == "reservation":
        monkeypatch.setattr(fs, "_exclusive_rename", lambda: None)
    if request.param == "paths":
        monkeypatch.setattr(fs, "_BY_DESCRIPTOR", False)
    return str(request.param)
