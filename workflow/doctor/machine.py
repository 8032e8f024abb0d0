"""Checks of the machine: versions, and free space on a disk."""

import os
import platform
import shutil
import sqlite3
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from workflow import __version__
from workflow.doctor.finding import Check, Finding, fail, ok, warn

REPORTED_PACKAGES = (
    "sqlalchemy",
    "watchdog",
    "requests",
    "urllib3",
    "numpy",
    "numpy-stl",
    "pydantic",
)
"""Packages whose release explains most when something is odd."""
OPTIONAL_PACKAGES = ("psycopg",)
"""Of the extra `postgres`: named where they are installed."""


def check_versions() -> Iterator[Finding]:
    """Show the versions of stlflow, Python and its packages."""
    found = {name: _package_version(name) for name in REPORTED_PACKAGES}
    missing = [name for name, release in found.items() if release is None]
    if missing:
        yield fail(f"Not installed: {', '.join(missing)}.", "Install stlflow again: `pip install stlflow`.")
    found |= {name: _package_version(name) for name in OPTIONAL_PACKAGES}
    packages = ", ".join(f"{name} {release}" for name, release in found.items() if release)
    python = f"Python {platform.python_version()} on {platform.system()}"
    yield ok(f"stlflow {__version__}, {python}, SQLite {sqlite3.sqlite_version}; {packages}.")


def _package_version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


MACHINE_CHECKS = (
    Check("machine.versions", "which releases of stlflow, Python and packages run", check_versions),
)


MIN_FREE_BYTES = 64 * 2**20
"""Below that a database, a log and one part hardly fit."""
_GIB, _MIB = 2**30, 2**20


def check_free_space(folder: Path, what: str, needed_bytes: int, needed_for: str) -> Iterator[Finding]:
    """Check the free space where a folder is, or will be."""
    place = next(above for above in (folder, *folder.parents) if above.exists())
    yield judge_free_space(shutil.disk_usage(place).free, what, needed_bytes, needed_for)
    if hasattr(os, "statvfs"):
        seen = os.statvfs(place)
        if seen.f_files and not seen.f_favail:
            yield fail(f"No file more fits beside {what}: the disk has no inodes left.", "Delete many files.")


def judge_free_space(free_bytes: int, what: str, needed_bytes: int, needed_for: str) -> Finding:
    """Decide whether that is enough; sizes in bytes."""
    free = f"{format_bytes(free_bytes)} free beside {what}"
    if free_bytes < MIN_FREE_BYTES:
        return fail(
            f"{free}: nothing goes on at under {format_bytes(MIN_FREE_BYTES)}.", "Make room on that disk."
        )
    if free_bytes < needed_bytes:
        return warn(
            f"{free}, and {format_bytes(needed_bytes)} may be needed {needed_for}.", "Make room on that disk."
        )
    return ok(f"{free}; {format_bytes(needed_bytes)} may be needed {needed_for}.")


def format_bytes(count: int) -> str:
    """Return a number of bytes as people say it."""
    return f"{count / _GIB:.1f} GB" if count >= _GIB else f"{count / _MIB:.0f} MB"
