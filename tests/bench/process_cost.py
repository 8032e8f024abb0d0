"""What a process costs: processor time of each of its threads, and its memory by kind (Linux)."""

import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from tests.postgres import Postgres

PROC = Path("/proc")
Readings = dict[tuple[str, str], float]
"""Seconds by thread id and name."""


def thread_seconds(pid: int) -> Readings:
    """Return the processor time of each thread so far."""
    spent = {}
    for thread in (PROC / f"{pid}/task").iterdir():
        name = (thread / "comm").read_text("utf-8").strip()
        spent[thread.name, name] = int((thread / "schedstat").read_text("utf-8").split()[0]) / 1e9
    return spent


def seconds_by_name(before: Readings, after: Readings) -> dict[str, float]:
    """Return the processor time between two readings, by name of thread."""
    spent = defaultdict[str, float](float)
    for key, seconds in after.items():
        spent[key[1]] += seconds - before.get(key, 0.0)
    return spent


@dataclass(frozen=True, slots=True)
class Memory:
    """The resident memory of a process, in MB."""

    private: float
    """Its own data."""
    mapped: float
    """Pages of files and shared memory: programs and libraries, the database file where it is mapped."""

    @property
    def total(self) -> float:
        """Return all of it."""
        return self.private + self.mapped


def memory(pid: int) -> Memory:
    """Return the present memory of a process."""
    lines = dict(
        line.split(":") for line in (PROC / f"{pid}/status").read_text("utf-8").splitlines() if ":\t" in line
    )
    private, *mapped = (int(lines[name].split()[0]) / 1024 for name in ("RssAnon", "RssFile", "RssShmem"))
    return Memory(private, sum(mapped))


def server_seconds(server: Postgres | None) -> float:
    """Return the processor time of all processes of our own Postgres so far, ended ones included."""
    if server is None or server.folder is None:
        return 0.0
    postmaster = int((server.folder / "postmaster.pid").read_text("utf-8").split()[0])
    spent = _times(postmaster)
    ticks = sum(spent)
    for process in PROC.glob("[0-9]*"):
        try:
            if _parent(int(process.name)) == postmaster:
                ticks += sum(_times(int(process.name))[:2])
        except OSError:
            continue  # it has ended: the postmaster has its time
    return ticks / os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[str]:
    return (PROC / f"{pid}/stat").read_text("utf-8").rpartition(") ")[2].split()


def _parent(pid: int) -> int:
    return int(_stat(pid)[1])


def _times(pid: int) -> list[int]:
    """Return user and system time, then those of the children that have ended, in ticks."""
    return [int(each) for each in _stat(pid)[11:15]]
