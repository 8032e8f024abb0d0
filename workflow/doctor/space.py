"""Room on a disk, against what is needed there."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from workflow.doctor.finding import Finding, fail, ok, warn

LEAST_BYTES = 64 * 2**20
"""Below that a database, a log and one part hardly fit."""
_GIB, _MIB = 2**30, 2**20


def room(folder: Path, what: str, needed_bytes: int, needed_for: str) -> Iterator[Finding]:
    """See how much is free where a folder is, or will be."""
    place = next(above for above in (folder, *folder.parents) if above.exists())
    yield judge_room(shutil.disk_usage(place).free, what, needed_bytes, needed_for)
    if hasattr(os, "statvfs"):
        seen = os.statvfs(place)
        if seen.f_files and not seen.f_favail:
            yield fail(f"No file more fits beside {what}: the disk has no inodes left.", "Delete many files.")


def judge_room(free_bytes: int, what: str, needed_bytes: int, needed_for: str) -> Finding:
    """Decide whether that is enough; sizes in bytes."""
    free = f"{in_words(free_bytes)} free beside {what}"
    if free_bytes < LEAST_BYTES:
        return fail(f"{free}: nothing goes on at under {in_words(LEAST_BYTES)}.", "Make room on that disk.")
    if free_bytes < needed_bytes:
        return warn(
            f"{free}, and {in_words(needed_bytes)} may be needed {needed_for}.", "Make room on that disk."
        )
    return ok(f"{free}; {in_words(needed_bytes)} may be needed {needed_for}.")


def in_words(count: int) -> str:
    """Give a number of bytes as people say it."""
    return f"{count / _GIB:.1f} GB" if count >= _GIB else f"{count / _MIB:.0f} MB"
