"""stlflow as it is, but each of its threads bears its name in /proc: Python tells it only since 3.14.

python -m tests.bench.named_threads run
"""

import ctypes
import re
import threading

PR_SET_NAME = 15
"""prctl(2): of the calling thread, up to 15 bytes."""
UNNAMED = re.compile(r"Thread-\d+ \((\w+)\)")
"""How Python calls a thread that nobody named: by the function that it runs."""


def told(name: str) -> str:
    """Return a name of a thread as the system is to show it."""
    unnamed = UNNAMED.fullmatch(name)
    return (unnamed[1] if unnamed else name)[:15]


def tell_names() -> None:
    """Let every thread that begins from now on tell its name."""
    prctl = ctypes.CDLL(None).prctl
    bootstrap = threading.Thread._set_native_id  # type: ignore[attr-defined]  # runs in the new thread itself

    def begin(thread: threading.Thread) -> None:
        bootstrap(thread)
        prctl(PR_SET_NAME, told(thread.name).encode(), 0, 0, 0)

    threading.Thread._set_native_id = begin  # type: ignore[attr-defined]


if __name__ == "__main__":
    tell_names()
    from workflow.__main__ import main

    main()
