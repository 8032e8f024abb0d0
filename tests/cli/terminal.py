"""The real command in a pseudo-terminal of a given size."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.text import Text

from workflow.__main__ import main

pty = pytest.importorskip("pty", reason="pseudo-terminals are POSIX")
termios = pytest.importorskip("termios", reason="pseudo-terminals are POSIX")


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
    child, master = pty.fork()
    if child == 0:
        _run_here(words, columns, folder, environment, rows)
    seen = bytearray()
    while True:
        try:
            read = os.read(master, 65_536)
        except OSError:  # how a terminal ends on Linux
            break
        if not read:
            break
        seen += read
    os.close(master)
    _, status = os.waitpid(child, 0)
    return Screen(os.waitstatus_to_exitcode(status), seen.decode(errors="replace"))


def _run_here(
    words: tuple[str, ...], columns: int, folder: Path, environment: Mapping[str, str], rows: int
) -> None:
    """Run the command line in this process, a fork with all imports, and end it."""
    code = 70
    try:
        termios.tcsetwinsize(0, (rows, columns))
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = ["stlflow", *words]
        sys.stdin, sys.stdout, sys.stderr = (open(fd, mode) for fd, mode in ((0, "r"), (1, "w"), (2, "w")))  # noqa: SIM115, PTH123
        main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
