"""An intake of its own in a process of its own: takes files and tells of each, until stdin ends.

    python -m tests.intake.service SHARE [--first 1] [--scale 1] [--mode hints|sweeps|network]

`sweeps` gets no notices from the system; `network` neither those nor an answer about writers. All times
of the gate are multiplied by `--scale`. Prints one JSON line per file taken.
"""

import argparse
import hashlib
import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import fields, replace
from pathlib import Path
from unittest.mock import patch

from tests.intake.conftest import Book
from workflow.intake import Inbox, Share, StabilityTimes, events, inbox


class Teller(Book):
    """A register that says what was taken, and when."""

    def __init__(self, root: Path, first: int) -> None:
        super().__init__(rows={-number: "" for number in range(first)})
        self._root = root

    def claimed(self, number: int, claimed_as: str) -> None:
        at = time.monotonic()
        digest = hashlib.sha256((self._root / claimed_as).read_bytes()).hexdigest()
        line = {"path": self.rows[number], "at": at, "sha256": digest, "claimed_as": claimed_as}
        print(json.dumps(line), flush=True)


def scaled(factor: float) -> StabilityTimes:
    """Return the gate's usual times, multiplied."""
    usual = StabilityTimes()
    return StabilityTimes(**{each.name: getattr(usual, each.name) * factor for each in fields(usual)})


def _no_notices() -> None:
    raise OSError(28, "none, for this test")


@contextmanager
def blinded(mode: str) -> Iterator[None]:
    """Take away what the system would tell."""
    with ExitStack() as changes:
        if mode != "hints":
            changes.enter_context(patch.object(events, "_make_observer", _no_notices))
        if mode == "network":
            changes.enter_context(patch.object(inbox, "sees_all_writers", lambda _folder: False))
        yield


def main() -> None:
    """Run the intake."""
    words = argparse.ArgumentParser()
    words.add_argument("share", type=Path)
    words.add_argument("--first", type=int, default=1)
    words.add_argument("--scale", type=float, default=1.0)
    words.add_argument("--mode", choices=["hints", "sweeps", "network"], default="hints")
    asked = words.parse_args()
    with blinded(asked.mode):
        take(asked)


def take(asked: argparse.Namespace) -> None:
    """Take files until stdin ends."""
    stop = threading.Event()
    share = Share(asked.share, owner=str(asked.first))
    share = replace(share, marker=share.prepare())
    taking = Inbox(share, Teller(asked.share, asked.first), times=scaled(asked.scale))
    thread = threading.Thread(target=taking.run, args=(stop,))
    thread.start()
    sys.stdin.read()
    stop.set()
    taking.wake()
    thread.join()


if __name__ == "__main__":
    main()
