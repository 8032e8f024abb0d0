"""The real command in a pseudo-terminal of a given size.

It is forked by the nursery, which has one thread: a fork of the tests' own process may find a lock taken by a
thread that is not there any more, and wait for ever.
"""

import os
import select
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.text import Text

from tests.nursery import start_on_terminal

pty = pytest.importorskip("pty", reason="pseudo-terminals are POSIX")
termios = pytest.importorskip("termios", reason="pseudo-terminals are POSIX")
TICK_SECONDS = 0.02


@dataclass(frozen=True)
class Screen:
    """What a command wrote on a terminal, and its exit code."""

    code: int
    raw: str

    @property
    def lines(self) -> list[str]:
        """Return the lines without colors."""
        return Text.from_ansi(self.raw.replace("\r\n", "\n")).plain.rstrip("\n").split("\n")


def on_terminal(
    words: tuple[str, ...], columns: int, folder: Path, environment: Mapping[str, str], rows: int = 40
) -> Screen:
    """Run a command on a terminal of so many columns and rows until it ends."""
    ours, theirs = pty.openpty()
    try:
        termios.tcsetwinsize(theirs, (rows, columns))
        process = start_on_terminal(words, folder, environment, os.ttyname(theirs))
        seen, code = bytearray(), None
        while True:
            ready, _, _ = select.select([ours], [], [], TICK_SECONDS)
            if ready:
                seen += os.read(ours, 65_536)
            elif code is not None:
                break
            else:
                code = process.poll()
    finally:
        os.close(theirs)
        os.close(ours)
    return Screen(code, seen.decode(errors="replace"))
