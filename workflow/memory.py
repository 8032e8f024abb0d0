"""Less memory for the service, which runs for months: what it would keep and never use, and what is free."""

import ctypes
import os
import sys
import typing
import warnings
from typing import Any

M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8
"""Of mallopt(3)."""
LARGE_BLOCK_BYTES = 2**17
DETECTORS = ("chardet", "charset_normalizer")


def use_one_heap() -> None:
    """Let all threads share one heap, and give large blocks back as soon as they are free (glibc).

    By default glibc makes further heaps for threads, and a block that one thread has freed is no use to
    another. Threads of Python seldom allocate at the same time. 0.8 MB less at rest.
    """
    if (libc := _glibc()) is not None:
        libc.mallopt(M_ARENA_MAX, 1)
        libc.mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES)


def give_back_memory() -> None:
    """Return to the operating system what is free between blocks that are used, which glibc keeps."""
    if (libc := _glibc()) is not None:
        libc.malloc_trim(0)


def _glibc() -> Any:
    """Return the functions of glibc; None where there is another library."""
    libc = ctypes.CDLL(None) if os.name == "posix" else None
    return libc if hasattr(libc, "gnu_get_libc_version") else None


def import_requests() -> None:
    """Import requests without the package that guesses the encoding of a text: 1.9 MB less at rest.

    No reply of Eiger's is guessed: JSON says what it is. requests goes on without such a package, with a
    warning. For everybody else in this process it stays importable.
    """
    modules: dict[str, Any] = sys.modules
    missing = [name for name in DETECTORS if name not in modules]
    modules |= dict.fromkeys(missing)  # None: as if it were not installed
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import requests  # noqa: F401  # every later import gets this one
    finally:
        for name in missing:
            del modules[name]


def forget_overloads() -> None:
    """Forget the overloads of all functions, which only type checkers need: 0.3 MB less at rest."""
    typing.clear_overloads()
