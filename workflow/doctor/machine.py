"""The machine: Python and the packages that matter."""

import platform
import sqlite3
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from workflow import __version__
from workflow.doctor.checkup import Check
from workflow.doctor.finding import Finding, fail, ok

NEEDED = (
    "dbos",
    "sqlalchemy",
    "psycopg",
    "watchdog",
    "requests",
    "urllib3",
    "numpy",
    "numpy-stl",
    "pydantic",
)
"""Packages whose release explains most when something is odd."""


def versions() -> Iterator[Finding]:
    """Name what runs here."""
    found = {name: _version(name) for name in NEEDED}
    missing = [name for name, release in found.items() if release is None]
    if missing:
        yield fail(f"Not installed: {', '.join(missing)}.", "Install stlflow anew: `pip install stlflow`.")
    packages = ", ".join(f"{name} {release}" for name, release in found.items() if release)
    python = f"Python {platform.python_version()} on {platform.system()}"
    yield ok(f"stlflow {__version__}, {python}, SQLite {sqlite3.sqlite_version}; {packages}.")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


MACHINE_CHECKS = (Check("machine.versions", "which releases of stlflow, Python and packages run", versions),)
