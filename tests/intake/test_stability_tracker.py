"""What is taken and what waits: real files, real writers, and a clock that is turned."""

import mmap
import os
import socket
import stat
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.intake.conftest import TIMES, Clock
from tests.intake.parts import FACET, HEADER, ascii_solid, binary
from tests.intake.test_open_writers import held_by
from workflow.intake import Share
from workflow.intake.events import FileEvents
from workflow.intake.open_writers import sees_all_writers
from workflow.intake.scan import scan_inbox
from workflow.intake.stability_tracker import StabilityTracker

STL = binary()


class Watcher:
    """Checks an inbox the way the service does, at moments that the test chooses."""

    def __init__(self, share: Share, clock: Clock) -> None:
        self.inbox, self._clock = share.inbox, clock
        self.settling = StabilityTracker(share.inbox, TIMES, clock, wall=lambda: 0.0)
        self.settling.sees_writers = sees_all_writers(share.inbox)
        self._known: frozenset[str] = frozenset()

    def after(self, seconds: float) -> list[str]:
        """Turn the clock, look, and give what is ready. Every arrival is heard of, as of one session."""
        self._clock.turn(seconds)
        paths = scan_inbox(self.inbox).paths
        self.settling.update_from_scan(paths)
        self.settling.update_from_events(
            FileEvents(dict.fromkeys(paths - self._known, 1), paths - self._known)
        )
        self._known = paths
        return sorted(path for path, _ in self.settling.find_stable_files())

    def why(self, path: str = "part.stl") -> str:
        return next(waiting.why for waiting in self.settling.waiting().values() if waiting.path == path)


@pytest.fixture
def watcher(share: Share, clock: Clock) -> Watcher:
    watcher = Watcher(share, clock)
    if not watcher.settling.sees_writers:
        pytest.skip("the file system does not tell of writers")
    return watcher


@pytest.fixture
def part(share: Share) -> Path:
    return share.inbox / "part.stl"


def test_a_whole_file_is_ready_soon_but_never_at_first_sight(watcher: Watcher, part: Path) -> None:
    part.write_bytes(STL)
    assert watcher.after(0) == []
    assert watcher.after(0.29) == []
    assert watcher.after(0.01) == ["part.stl"]


def test_a_slow_writer_is_waited_for(watcher: Watcher, part: Path) -> None:
    with part.open("wb", buffering=0) as writer:
        writer.write(STL[:500])
        assert watcher.after(0) == watcher.after(3) == []
        assert watcher.why() == "it is incomplete: 500 of 1,084 bytes"
        writer.write(STL[500:])
        assert watcher.after(3) == watcher.after(0.5) == watcher.after(60) == []
        assert watcher.why() == "it is still open in another program"
    assert watcher.after(10) == ["part.stl"]


def test_another_process_that_copies_with_pauses_is_waited_for(watcher: Watcher, part: Path) -> None:
    script = (
        "import sys\n"
        "with open(sys.argv[1], 'wb', buffering=0) as file:\n"
        "    for line in sys.stdin: file.write(bytes.fromhex(line)); print('written', flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(part)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as copier:
        assert copier.stdin is not None
        assert copier.stdout is not None
        for start in range(0, len(STL), 300):
            print(STL[start : start + 300].hex(), file=copier.stdin, flush=True)
            copier.stdout.readline()
            assert watcher.after(0) == watcher.after(3) == []
        copier.stdin.close()
    assert watcher.after(10) == ["part.stl"]


@pytest.mark.parametrize("count", [0, 0xFFFFFFFF])
def test_a_count_that_is_written_last_is_waited_for(watcher: Watcher, part: Path, count: int) -> None:
    part.write_bytes(HEADER + struct.pack("<I", count) + FACET * 20)
    assert watcher.after(0) == watcher.after(60) == []
    assert watcher.why() == "it is incomplete: no facets yet"
    with part.open("r+b") as writer:
        writer.seek(80)
        writer.write(struct.pack("<I", 20))
    assert watcher.after(10) == []
    assert watcher.after(0.3) == ["part.stl"]


def test_room_that_is_reserved_first_is_not_content(watcher: Watcher, part: Path) -> None:
    """As a copy over a Windows share does it, when the client dies in between: nobody has it open."""
    part.write_bytes(STL[:200])
    os.truncate(part, len(STL))
    assert watcher.after(0) == watcher.after(60) == []
    assert watcher.why() == "it is incomplete: room reserved, but not filled"


def test_a_hole_in_the_middle_is_found_before_the_file_is_taken(watcher: Watcher, part: Path) -> None:
    part.write_bytes(STL[:300] + bytes(200) + STL[500:])
    assert watcher.after(0) == watcher.after(1) == []
    assert watcher.why() == "room is reserved in it, but not filled"
    with part.open("r+b") as writer:
        writer.write(STL)
    assert watcher.after(11) == []
    assert watcher.after(5) == ["part.stl"]


def test_a_mapped_file_is_waited_for_even_though_it_was_closed(watcher: Watcher, part: Path) -> None:
    part.write_bytes(STL)
    with part.open("r+b") as writer:
        mapped = mmap.mmap(writer.fileno(), 0)
    assert watcher.after(0) == watcher.after(60) == []
    mapped.close()
    assert watcher.after(60) == ["part.stl"]


@pytest.mark.parametrize("content", [STL, ascii_solid()], ids=["binary", "text"])
def test_what_an_nfs_server_keeps_open_is_taken_after_a_while(
    watcher: Watcher, part: Path, content: bytes
) -> None:
    """Ganesha holds a file of an NFS v3 client open for minutes after the client has closed it."""
    part.write_bytes(content)
    with held_by("ganesha.nfsd", part):
        assert watcher.after(0) == watcher.after(29.9) == []
        assert watcher.why() == "it is still open in another program"
        assert watcher.after(10) == ["part.stl"]


def test_a_half_file_that_an_nfs_server_keeps_open_is_waited_for(watcher: Watcher, part: Path) -> None:
    part.write_bytes(STL[:-1])
    with held_by("ganesha.nfsd", part):
        assert watcher.after(0) == watcher.after(599) == []


def test_a_file_rewritten_in_several_goes_waits_for_quiet(watcher: Watcher, part: Path) -> None:
    part.write_bytes(STL)
    assert watcher.after(0) == []
    for _ in range(3):
        with part.open("r+b") as writer:
            writer.write(HEADER)
        os.utime(part, ns=(1, part.stat().st_mtime_ns + 1_000_000))
        assert watcher.after(0.2) == watcher.after(3) == []
    assert watcher.after(4.9) == []
    assert watcher.after(0.1) == ["part.stl"]


def test_a_file_put_in_place_by_renaming_is_ready_soon(watcher: Watcher, part: Path, share: Share) -> None:
    loading = share.inbox / "part.stl.crdownload"
    loading.write_bytes(STL)
    assert watcher.after(60) == []
    loading.rename(part)
    assert watcher.after(0) == []
    assert watcher.after(0.3) == ["part.stl"]


def test_a_placeholder_waits_for_its_download(watcher: Watcher, part: Path, share: Share) -> None:
    part.write_bytes(STL)
    (share.inbox / "part.stl.part").write_bytes(b"")
    assert watcher.after(0) == watcher.after(60) == []
    assert watcher.why() == "part.stl.part is still being loaded"
    (share.inbox / "part.stl.part").unlink()
    assert watcher.after(60) == ["part.stl"]


def test_a_first_touch_is_not_the_file(watcher: Watcher, part: Path) -> None:
    part.touch()
    assert watcher.after(0) == watcher.after(20) == []
    part.unlink()
    assert watcher.after(1) == []
    part.write_bytes(STL)
    assert watcher.after(0) == []
    assert watcher.after(0.3) == ["part.stl"]


def test_an_ascii_file_waits_for_a_further_solid(watcher: Watcher, part: Path) -> None:
    part.write_bytes(ascii_solid())
    assert watcher.after(0) == watcher.after(4.9) == []
    with part.open("ab") as writer:
        writer.write(ascii_solid(name="second"))
    assert watcher.after(0.1) == watcher.after(4.9) == []
    assert watcher.after(0.1) == ["part.stl"]


@pytest.mark.parametrize(
    ("content", "seconds"),
    [(b"<html>not found</html>", 5), (STL + b"trailing", 10), (b"", 600), (binary(0), 600), (STL[:-1], 600)],
    ids=["web page", "trailing", "nothing", "no facets", "short"],
)
def test_what_is_wrong_is_taken_too_so_that_it_can_be_said(
    watcher: Watcher, part: Path, content: bytes, seconds: float
) -> None:
    part.write_bytes(content)
    assert watcher.after(0) == watcher.after(seconds - 0.1) == []
    assert watcher.after(0.1) == ["part.stl"]


def test_the_times_of_a_file_mean_nothing(watcher: Watcher, part: Path) -> None:
    """A copy that keeps the old date, and a clock of the server that runs ahead."""
    for stamp in (86_400, 4_000_000_000):
        part.write_bytes(STL[:-1])
        os.utime(part, (stamp, stamp))
        assert watcher.after(0) == watcher.after(60) == []
        part.write_bytes(STL)
        os.utime(part, (stamp, stamp))
        assert watcher.after(11) == []
        assert watcher.after(0.3) == ["part.stl"]
        part.unlink()
        assert watcher.after(0) == []


@pytest.mark.skipif(sys.platform == "win32", reason="needs links and pipes")
def test_what_is_no_file_is_left_alone_and_said_once(
    watcher: Watcher, share: Share, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (share.root / "real").write_bytes(STL)
    (share.inbox / "odd").mkdir()
    (share.inbox / "odd" / "link.stl").symlink_to(share.root / "real")
    os.mkfifo(share.inbox / "odd" / "pipe.stl")
    monkeypatch.chdir(share.inbox / "odd")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket.stl")
        assert [*watcher.after(0), *watcher.after(60), *watcher.after(1000)] == []
    assert [waiting.left_alone for waiting in watcher.settling.waiting().values()] == [True] * 3
    assert sorted(said) == [
        f"odd/{name}.stl is a {name}, not a file of its own: it is left alone."
        for name in ("link", "pipe", "socket")
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="needs a device")
def test_a_device_is_left_alone_without_being_opened(watcher: Watcher, part: Path, said: list[str]) -> None:
    try:
        os.mknod(part, stat.S_IFCHR | 0o600, os.makedev(1, 5))  # /dev/zero, which has no end
    except PermissionError:
        pytest.skip("needs the right to make devices: run as root")
    assert [*watcher.after(0), *watcher.after(1000)] == []
    assert said == ["part.stl is a device, not a file of its own: it is left alone."]


def test_a_hard_link_is_left_where_it_is_and_said_once(
    watcher: Watcher, part: Path, share: Share, said: list[str]
) -> None:
    (share.root / "original").write_bytes(STL)
    part.hardlink_to(share.root / "original")
    assert [*watcher.after(0), *watcher.after(60), *watcher.after(600), *watcher.after(600)] == []
    assert said == ["part.stl still waits: it has 2 names (hard links). Copy it into the inbox instead."]
    (share.root / "original").unlink()
    assert watcher.after(11) == []
    assert watcher.after(5) == ["part.stl"]


def test_what_takes_the_place_of_a_link_is_taken(watcher: Watcher, part: Path) -> None:
    part.symlink_to("nowhere")
    assert watcher.after(0) == []
    part.unlink()
    part.write_bytes(STL)
    assert watcher.after(31) == []
    assert watcher.after(0.3) == ["part.stl"]


def test_where_nobody_can_tell_of_writers_all_waits_are_longer(watcher: Watcher, part: Path) -> None:
    watcher.settling.sees_writers = False
    part.write_bytes(STL)
    assert watcher.after(0) == watcher.after(3.9) == []
    assert watcher.after(0.1) == ["part.stl"]


def test_inodes_that_a_mount_makes_up_do_not_count(watcher: Watcher, part: Path) -> None:
    watcher.settling.sees_writers = False
    part.write_bytes(STL)
    assert watcher.after(0) == []
    first = next(iter(watcher.settling._entries.values())).observation
    assert first is not None
    assert first.snapshot.signature.inode == 0


def test_a_hint_makes_the_next_look_come_at_once(watcher: Watcher, part: Path, clock: Clock) -> None:
    part.write_bytes(STL[:-1])
    assert watcher.after(0) == watcher.after(100) == []
    part.write_bytes(STL)
    watcher.settling.update_from_events(FileEvents({"part.stl": 0}))
    assert list(watcher.settling.find_stable_files()) == []
    assert watcher.settling.next_due() == clock.now + 0.3


def test_many_unfinished_files_are_checked_less_often_each(
    watcher: Watcher, share: Share, clock: Clock
) -> None:
    for number in range(2000):
        (share.inbox / f"part {number}.stl").write_bytes(STL[:-1])
    assert watcher.after(0) == watcher.after(60) == []
    dues = [waiting.until for waiting in watcher.settling.waiting().values()]
    assert max(dues) == clock.now + 40, "fifty looks a second"
    (share.inbox / "part 7.stl").write_bytes(STL)
    watcher.settling.update_from_events(FileEvents({"part 7.stl": 0}))
    assert list(watcher.settling.find_stable_files()) == [], "what is heard of is looked at soon all the same"
    clock.turn(0.3)
    assert [path for path, _ in watcher.settling.find_stable_files()] == ["part 7.stl"]


def test_a_file_closed_by_two_writers_waits_longer(watcher: Watcher, part: Path) -> None:
    part.write_bytes(STL)
    watcher.settling.update_from_events(FileEvents({"part.stl": 2}))
    assert watcher.after(0) == watcher.after(4.9) == []
    assert watcher.after(0.1) == ["part.stl"]


def test_a_file_of_whose_arrival_nothing_was_heard_waits_as_if_its_writer_came_again(
    share: Share, clock: Clock
) -> None:
    """As after a start, an overflow or without notices: it may be between two sessions of its writer."""
    settling = StabilityTracker(share.inbox, TIMES, clock, wall=lambda: 0.0)
    settling.sees_writers = sees_all_writers(share.inbox)
    if not settling.sees_writers:
        pytest.skip("the file system does not tell of writers")
    (share.inbox / "part.stl").write_bytes(STL)
    settling.update_from_scan({"part.stl"})
    assert list(settling.find_stable_files()) == []
    assert settling.next_due() == clock.now + 5


def test_a_file_unchanged_on_a_local_disk_before_the_start_is_ready_at_once(
    share: Share, clock: Clock
) -> None:
    settling = StabilityTracker(share.inbox, TIMES, clock, wall=lambda: time.time() + 5)
    settling.sees_writers = sees_all_writers(share.inbox)
    (share.inbox / "part.stl").write_bytes(STL)
    settling.update_from_scan({"part.stl"})
    assert [path for path, _ in settling.find_stable_files()] == (
        ["part.stl"] if settling.sees_writers else []
    )


def test_a_file_that_could_not_be_taken_is_tried_ever_less_often(
    watcher: Watcher, part: Path, clock: Clock, said: list[str]
) -> None:
    part.write_bytes(STL)
    assert watcher.after(0) == []
    pauses = []
    for _ in range(8):
        while not watcher.after(0.5):
            pass
        watcher.settling.postpone("part.stl", "Permission denied")
        pauses.append(watcher.settling.waiting().popitem()[1].until - clock.now)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    assert said == ["part.stl can't be taken yet: Permission denied. It is tried again."]
