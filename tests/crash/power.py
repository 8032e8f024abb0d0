"""A power cut: what was committed but not synced is gone, while all that happened in Eiger stays."""

import os
import signal
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from workflow.ledger import kept_connections
from workflow.ledger.ledger import Ledger


def cut_power_at(nth: int) -> None:
    """Let this process die as in a power cut, when the n-th transaction after the first claim begins.

    The database is then as it was after the last commit that was synced. Nothing else is undone: whatever
    was sent between that commit and the cut has happened.
    """
    writer: Any = kept_connections.KeptWriter
    files: Any = kept_connections._DatabaseFiles
    connected, remember, opened = writer._connected, files.remember, Ledger.open_all
    times, claiming, synced = count(1), list[str](), [True]

    def open_counted(ledger: Ledger, paths: Sequence[str], worker: str | None = None) -> tuple[int, ...]:
        claiming.extend(paths)
        return opened(ledger, paths, worker)

    def connected_counted(self: Any, *, durable: bool) -> Connection:
        if claiming and next(times) == nth:
            _restore_synced(self._files._places[0])
            os.kill(os.getpid(), signal.SIGKILL)
        synced[0] = durable
        connection: Connection = connected(self, durable=durable)
        return connection

    def remember_synced(self: Any) -> None:
        remember(self)
        if synced[0]:
            _copy(self._places[0], _synced(self._places[0]))

    for owner, name, replacement in (
        (Ledger, "open_all", open_counted),
        (writer, "_connected", connected_counted),
        (files, "remember", remember_synced),
    ):
        setattr(owner, name, replacement)


def _synced(database: Path) -> Path:
    return database.with_suffix(".synced")


def _copy(database: Path, copy: Path) -> None:
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)


def _restore_synced(database: Path) -> None:
    for ending in ("", "-wal", "-shm"):
        Path(f"{database}{ending}").unlink(missing_ok=True)
    _copy(_synced(database), database)
