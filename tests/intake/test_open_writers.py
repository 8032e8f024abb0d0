import mmap
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from workflow.intake.open_writers import (
    WriterState,
    file_system_type,
    find_writer,
    is_only_server_cached,
    sees_all_writers,
)

MOUNTS = """\
22 1 259:1 / / rw,relatime - ext4 /dev/root rw
40 22 0:35 / /mnt/nas rw - cifs //nas/parts rw
41 22 0:36 / /mnt/nas\\040two rw,relatime shared:1 - nfs4 nas:/parts rw
42 22 0:37 / /mnt/over rw - ext4 /dev/sdb rw
43 42 0:38 / /mnt/over rw - fuse.sshfs nas: rw
"""


@pytest.fixture
def mounts(tmp_path: Path) -> Path:
    file = tmp_path / "mountinfo"
    file.write_text(MOUNTS)
    return file


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/srv/share", "ext4"),
        ("/mnt/nas/inbox", "cifs"),
        ("/mnt/nas two/inbox", "nfs4"),
        ("/mnt/nas twofold", "ext4"),
        ("/mnt/over", "fuse.sshfs"),
    ],
)
def test_the_file_system_of_a_folder(mounts: Path, folder: str, kind: str) -> None:
    assert file_system_type(Path(folder), mounts) == kind
    assert sees_all_writers(Path(folder), mounts) is (kind == "ext4")


def test_nobody_can_tell_without_a_list_of_mounts(tmp_path: Path) -> None:
    assert file_system_type(tmp_path, tmp_path / "absent") is None
    assert not sees_all_writers(tmp_path, tmp_path / "absent")


@pytest.fixture
def part(tmp_path: Path) -> Path:
    if not sees_all_writers(tmp_path):
        pytest.skip("the file system does not tell of writers")
    part = tmp_path / "part.stl"
    part.write_bytes(b"x" * 4096)
    return part


def writer_of(part: Path) -> WriterState:
    fd = os.open(part, os.O_RDONLY)
    try:
        return find_writer(fd)
    finally:
        os.close(fd)


def test_writers_are_seen_whatever_way_they_write(part: Path) -> None:
    assert writer_of(part) is WriterState.NONE
    with part.open("rb"):
        assert writer_of(part) is WriterState.NONE
    with part.open("ab"):
        assert writer_of(part) is WriterState.OPEN
    with part.open("r+b") as file:
        shared = mmap.mmap(file.fileno(), 0)
    assert writer_of(part) is WriterState.OPEN, "mapped, though the file itself was closed"
    shared.close()
    assert writer_of(part) is WriterState.NONE


def test_a_writer_in_another_process_is_seen(part: Path) -> None:
    script = "import sys; file = open(sys.argv[1], 'ab'); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(part)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        assert writer_of(part) is WriterState.OPEN
        other.communicate()
    assert writer_of(part) is WriterState.NONE


HOLDER = """
import mmap, sys
from pathlib import Path
Path("/proc/self/comm").write_text(sys.argv[1])
file = open(sys.argv[2], sys.argv[3])
kept = mmap.mmap(file.fileno(), 0) if sys.argv[4] == "mapped" else file
if kept is not file:
    file.close()
print("open", flush=True)
sys.stdin.read()
"""


@contextmanager
def held_by(program: str, part: Path, mode: str = "r+b", how: str = "open") -> Iterator[None]:
    """Let another process, which calls itself `program`, hold a file."""
    command = [sys.executable, "-c", HOLDER, program, str(part), mode, how]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        yield
        holder.communicate()


def is_only_cached(part: Path) -> bool:
    with part.open("rb") as file:
        return is_only_server_cached(file.fileno())


@pytest.mark.parametrize(
    ("program", "mode", "how", "cached"),
    [
        ("ganesha.nfsd", "r+b", "open", True),
        ("ganesha.nfsd", "r+b", "mapped", True),
        ("smbd", "r+b", "open", False),
        ("smbd", "r+b", "mapped", False),
        ("smbd", "rb", "open", True),
    ],
    ids=["cache", "cache by a map", "program", "program by a map", "reader"],
)
def test_a_servers_cache_is_reported_from_a_program_that_writes(
    part: Path, program: str, mode: str, how: str, cached: bool
) -> None:
    with held_by(program, part, mode, how):
        assert is_only_cached(part) is cached


def test_a_program_beside_a_servers_cache_counts(part: Path) -> None:
    with held_by("ganesha.nfsd", part), part.open("r+b"):
        assert not is_only_cached(part)


def test_asking_while_someone_opens_the_file_again_and_again_does_no_harm(part: Path) -> None:
    """A lease that is broken sends a signal, which would end a process that did not provide for it."""
    writer = "import os, sys\nwhile True: os.close(os.open(sys.argv[1], os.O_WRONLY))"
    asker = (
        "import os, sys\n"
        "from workflow.intake.open_writers import find_writer\n"
        "for _ in range(15_000):\n"
        "    fd = os.open(sys.argv[1], os.O_RDONLY); find_writer(fd); os.close(fd)\n"
    )
    with subprocess.Popen([sys.executable, "-c", writer, str(part)]) as looping:
        try:
            asked = subprocess.run(
                [sys.executable, "-c", asker, str(part)], check=False, cwd=Path(__file__).parents[2]
            )
        finally:
            looping.kill()
    assert asked.returncode == 0
