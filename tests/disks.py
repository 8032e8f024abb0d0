"""Disks for tests: small ones that are soon full, and views of a folder that can't be written."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

MEMORY_DISK = "/dev/shm"
LEAST_MEMORY_MB = 2000
"""A whole run leaves 300 MB until its end, and some tests write large files."""


def memory_disk() -> str | None:
    """Return the folder of a disk in memory with enough room; None without one.

    A test waits long for a real disk: hundreds of databases are made, and each syncs a dozen times.
    """
    if not os.access(MEMORY_DISK, os.W_OK):
        return None
    found = os.statvfs(MEMORY_DISK)
    can_run = not found.f_flag & os.ST_NOEXEC
    return MEMORY_DISK if can_run and found.f_bavail * found.f_frsize >= LEAST_MEMORY_MB * 10**6 else None


@contextmanager
def small_disk(place: Path, megabytes: int, *options: str) -> Iterator[None]:
    """Mount a disk that is soon full; skips where that is not allowed."""
    with mounted(place, "-t", "tmpfs", "-o", ",".join((f"size={megabytes}m", *options)), "tmpfs"):
        yield


@contextmanager
def read_only(place: Path) -> Iterator[None]:
    """Let nobody write below a folder, root included; skips where that is not allowed."""
    with mounted(place, "--bind", "-o", "ro", str(place)):
        yield


@contextmanager
def mounted(place: Path, *words: str) -> Iterator[None]:
    """Mount something until the block ends; skips where that is not allowed."""
    place.mkdir(parents=True, exist_ok=True)
    mount = ["mount", *words, str(place)]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a small disk: run as root on Linux")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(place: Path) -> Path:
    """Leave no byte free on the disk of `place`; deleting the file makes room again."""
    filler = place / "filler"
    with filler.open("wb", buffering=0) as file:
        for chunk in (1 << 20, 1 << 12, 1):
            try:
                while file.write(b"\0" * chunk):
                    pass
            except OSError:
                continue
    return filler
