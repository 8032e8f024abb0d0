"""What the intake promises, asked of a service in a process of its own, with real programs that write."""

import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from statistics import median

import pytest

from tests.intake.campaign import Lines, Taken, running_until_the_end, service, taken_by
from tests.intake.parts import FACET, HEADER, binary
from tests.intake.writing.job import write_at
from tests.waiting import until
from workflow.intake import Share
from workflow.intake.open_writers import sees_all_writers

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs mounts, signals and leases")
STL = binary()
SCALE = 0.2
"""All times of the gate are a fifth of the usual ones: 60 ms for a whole binary STL, 1 s for text."""


@dataclass(frozen=True)
class Corner:
    """A folder in the inbox of a service that is up, and what was taken from it."""

    share: Share
    intake: Lines
    folder: Path

    def taken(self) -> list[Taken]:
        name = f"{self.folder.relative_to(self.share.inbox).as_posix()}/".removeprefix("./")
        return [each for each in taken_by([self.intake]) if each.path.startswith(name)]

    def all_once(self, count: int, limit_seconds: float = 30) -> bool:
        """Wait until so many files are taken; tells whether each was taken once."""
        until(lambda: len(self.taken()) >= count, limit_seconds)
        return len(self.taken()) == len({each.path for each in self.taken()}) == count

    def drop(self, name: str, content: bytes = STL) -> None:
        place = self.folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)


@contextmanager
def awake(share: Share, start: Callable[[], Lines] | None = None) -> Iterator[Lines]:
    """Run a service, and wait until it takes files."""
    if not sees_all_writers(share.inbox):
        pytest.skip("the file system does not tell of writers")
    (share.inbox / "first.stl").write_bytes(STL)
    with running_until_the_end([start() if start else service(share, scale=SCALE)]) as (intake,):
        assert until(lambda: intake.lines)
        yield intake


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Share, Lines]]:
    """A share and a service that is up, for all tests that do it no harm."""
    share = Share(tmp_path_factory.mktemp("acceptance") / "share")
    share.prepare()
    with awake(share) as intake:
        yield share, intake


@pytest.fixture
def corner(running: tuple[Share, Lines], request: pytest.FixtureRequest) -> Corner:
    """A folder of its own for one test."""
    share, intake = running
    corner = Corner(share, intake, share.inbox / re.sub(r"\W+", " ", request.node.name))
    corner.folder.mkdir()
    return corner


def make_tree(top: Path, folders: int) -> None:
    for number in range(folders):
        place = top / f"{number // 100}" / f"{number % 100}"
        place.mkdir(parents=True)
        (place / "part.stl").write_bytes(STL)


# -- programs that write -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "facets", [20, pytest.param(10_000_000, marks=pytest.mark.long)], ids=["1 KB", "500 MB"]
)
def test_a_copy_is_taken_within_a_second_of_its_end(corner: Corner, tmp_path: Path, facets: int) -> None:
    source = tmp_path / "source"
    with source.open("wb", buffering=0) as file:
        file.write(HEADER + facets.to_bytes(4, "little"))
        for _ in range(20):
            write_at(file, file.tell(), FACET * (facets // 20))
    waits = []
    for number in range(3):  # one of them may meet a moment at which other tests take all of the machine
        subprocess.run(["cp", source, corner.folder / f"part{number}.stl"], check=True)
        copied = time.monotonic()
        assert corner.all_once(number + 1)
        waits.append(max(each.at for each in corner.taken()) - copied)
    assert median(waits) < 1


@pytest.mark.skipif(shutil.which("rsync") is None, reason="needs rsync")
@pytest.mark.parametrize("option", ["--times", "--inplace"])
def test_what_rsync_brings_is_taken_whole(corner: Corner, tmp_path: Path, option: str) -> None:
    parts = [binary(20 + number) for number in range(20)]
    for number, content in enumerate(parts):
        (tmp_path / f"part {number}.stl").write_bytes(content)
    subprocess.run(["rsync", "-r", option, f"{tmp_path}/", corner.folder], check=True)
    assert corner.all_once(20)
    assert {each.sha256 for each in corner.taken()} == {sha256(content).hexdigest() for content in parts}


WAYS = {
    "cp": "cp -r tree to",
    "mv": "mv tree to",
    "unzip": "cd tree && zip -q -r ../tree.zip . && cd .. && unzip -q tree.zip -d to",
    "tar": "mkdir to/tree && tar -C tree -c . | tar -C to/tree -x",
}
"""Commands that bring `tree` into the folder `to`."""
ALL = [
    pytest.param(way, folders, id=f"{way} {folders}", marks=pytest.mark.long if folders == 1000 else ())
    for way in WAYS
    for folders in (100, 1000)
]


@pytest.mark.parametrize(("way", "folders"), ALL)
def test_a_tree_of_folders_is_taken_whole(corner: Corner, way: str, folders: int) -> None:
    if shutil.which(way) is None:
        pytest.skip(f"needs {way}")
    outside = corner.share.root / corner.folder.name
    make_tree(outside / "tree", folders)
    (outside / "to").symlink_to(corner.folder)
    subprocess.run(WAYS[way], shell=True, cwd=outside, check=True)
    assert corner.all_once(folders)
    assert [*corner.folder.rglob("*.stl")] == []


def test_files_in_system_folders_are_ignored_although_events_report_them(corner: Corner) -> None:
    folders = ("@eaDir", ".hidden", "__MACOSX", "deep/$RECYCLE.BIN/deeper")
    for folder in folders:
        corner.drop(f"{folder}/notes.md", b"a folder that is listened to")
    corner.drop("first.stl")
    assert corner.all_once(1)
    for folder in folders:
        corner.drop(f"{folder}/part.stl")
    corner.drop("last.stl")
    assert corner.all_once(2)
    assert not until(lambda: len(corner.taken()) > 2, 0.6)


# -- floods and losses -------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1000, pytest.param(50_000, marks=pytest.mark.long)])
def test_what_arrives_while_the_service_is_frozen_is_taken_once(corner: Corner, count: int) -> None:
    """As while a virtual machine is paused; 50,000 files are more than the system's queue of notices."""
    corner.intake.process.send_signal(signal.SIGSTOP)
    for number in range(count):
        corner.drop(f"part {number}.stl")
    corner.intake.process.send_signal(signal.SIGCONT)
    assert corner.all_once(count, 300)


def test_folders_beyond_the_systems_limit_of_watches_are_swept(tmp_path: Path) -> None:
    """A user of its own with 50 watches, and 100 folders."""
    few = "echo 50 > /proc/sys/user/max_inotify_watches"
    alone = ["unshare", "--user", "--map-root-user", "sh", "-c"]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*alone, few], check=False, capture_output=True).returncode
    ):
        pytest.skip("needs a user namespace with a limit of its own: not permitted here")
    share = Share(tmp_path / "share")
    share.prepare()
    for number in range(100):
        (share.inbox / f"folder {number}").mkdir()
    start = partial(service, share, scale=SCALE, within=[*alone, f'{few}; exec "$@"', "sh"])
    with awake(share, start) as intake:
        corner = Corner(share, intake, share.inbox / ".")
        for number in range(100):
            corner.drop(f"folder {number}/part {number}.stl")
        assert corner.all_once(101)


# -- the share comes and goes ------------------------------------------------------------------------


@contextmanager
def mounted(source: Path, place: Path) -> Iterator[None]:
    """Show a folder in another place; skips where that is not allowed."""
    source.mkdir(exist_ok=True)
    if subprocess.run(["mount", "--bind", source, place], capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount: run as root on Linux")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def test_a_share_that_is_unmounted_and_mounted_again_loses_and_repeats_nothing(tmp_path: Path) -> None:
    disk, place = tmp_path / "disk", tmp_path / "mount"
    place.mkdir()
    share = Share(place)
    with ExitStack() as stack:
        with mounted(disk, place):
            share.prepare()
            intake = stack.enter_context(awake(share))
            corner = Corner(share, intake, share.inbox / ".")
            corner.drop("one.stl")
            assert corner.all_once(2)
        (disk / "inbox" / "two.stl").write_bytes(STL)
        assert not until(lambda: [*place.iterdir()], 0.6), "nothing is made in the empty mount point"
        with mounted(disk, place):
            assert corner.all_once(3)
            with mounted(tmp_path / "another disk", place):
                assert not until(lambda: [*place.iterdir()], 0.6), "nor on another disk"
            corner.drop("four.stl")
            assert corner.all_once(4)


# -- hostile writers ---------------------------------------------------------------------------------

OPENER = "import os, sys\nwhile True: os.close(os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT, 0o644))"


@pytest.mark.parametrize("seconds", [1, pytest.param(60, marks=pytest.mark.long)])
def test_a_writer_that_opens_a_file_again_and_again_does_not_kill_the_service(
    corner: Corner, seconds: float
) -> None:
    """The question about writers is answered by a signal, which ends a process by default."""
    with subprocess.Popen([sys.executable, "-c", OPENER, str(corner.folder / "busy.stl")]) as opener:
        try:
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                corner.drop("busy.stl")
                before = len(corner.taken())
                corner.drop("part.stl")
                assert until(lambda: len(corner.taken()) > before)  # noqa: B023
                assert corner.intake.process.poll() is None
        finally:
            opener.kill()


def test_a_folder_that_is_swapped_for_a_link_again_and_again_leaks_nothing(
    corner: Corner, tmp_path: Path
) -> None:
    """Ten thousand swaps while the service looks and takes: no content from outside the share."""
    outside = tmp_path / "outside"
    secret = binary(33)
    real, link, shown = corner.share.root / "real", corner.share.root / "link", corner.folder / "desk"
    link.symlink_to(outside)
    for folder in (outside, real):
        folder.mkdir()
        for number in range(200):
            (folder / f"part {number}.stl").write_bytes(secret if folder == outside else STL)
    for _ in range(5000):
        for folder in (real, link):
            folder.rename(shown)
            shown.rename(folder)
    real.rename(shown)
    assert until(lambda: not [*shown.glob("*.stl")])
    assert corner.all_once(200)
    assert {each.sha256 for each in corner.taken()} == {sha256(STL).hexdigest()}
    assert len([*outside.iterdir()]) == 200
