"""A lock on a file, which the operating system takes back when its process ends, however that ends."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EACCES, EAGAIN, EDEADLK
from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    def _try_to_lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def _unlock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_to_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


HELD_BY_ANOTHER = {EACCES, EAGAIN, EDEADLK}
"""What the systems say of a lock that is held: Linux EAGAIN, Windows EACCES."""
TRY_SECONDS = 0.02
PRIVATE_FILE = 0o600


class LockHeld(Exception):
    """Another process, or another thread of this one, holds the lock."""


@contextmanager
def locked_file(file: Path, limit_seconds: float) -> Iterator[None]:
    """Hold the lock on a file, which is made where it is missing and stays.

    Raises LockHeld if another one holds it until the limit, OSError if the file can't be opened.
    """
    descriptor = os.open(file, os.O_CREAT | os.O_RDWR, PRIVATE_FILE)
    try:
        _wait_for_lock(descriptor, time.monotonic() + limit_seconds)
        try:
            yield
        finally:
            _unlock(descriptor)
    finally:
        os.close(descriptor)


def _wait_for_lock(descriptor: int, until: float) -> None:
    while True:
        try:
            return _try_to_lock(descriptor)
        except OSError as error:
            if error.errno not in HELD_BY_ANOTHER:
                raise
        if time.monotonic() >= until:
            raise LockHeld
        time.sleep(TRY_SECONDS)
