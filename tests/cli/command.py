"""The real command in a process of its own, on a share and a state folder of its own."""

import json
import os
import signal
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.nursery import Process, start
from tests.waiting import until
from workflow.__main__ import main
from workflow.ledger import Ledger
from workflow.model import Submission

QUICK: Mapping[str, str] = {
    "STLFLOW_ACCESS_KEY": "demo",
    "STLFLOW_SECRET_KEY": "demo",
    "STLFLOW_SETTLE_SECONDS": "0.1",
    "STLFLOW_SETTLE_ASCII_SECONDS": "0.3",
    "STLFLOW_SETTLE_WRONG_SECONDS": "0.3",
    "STLFLOW_STALL_SECONDS": "1",
    "STLFLOW_SWEEP_SECONDS": "0.3",
    "STLFLOW_SLICE_FIRST_POLL_SECONDS": "0.1",
    "STLFLOW_REQUEST_TIMEOUT_SECONDS": "2",
    "STLFLOW_LATE_EFFECT_SECONDS": "0.2",
    "STLFLOW_REQUESTS_PER_SECOND": "200",
    "STLFLOW_THUMBNAILS": "false",
    "STLFLOW_STATUS_PAGE": "off",
}
LIMIT_SECONDS = 60


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    def document(self) -> Any:
        """Return the one JSON document on stdout; fails when anything else stands there."""
        return json.loads(self.out)

    def one_line(self) -> str:
        """Return the one line that was said; fails when it was more, or a traceback."""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert self.out == ""
        return lines[0]


def said(words: tuple[str, ...], capsys: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> Ended:
    """Run a command that starts no engine in this process: a process of its own takes seconds."""
    patch.setattr("sys.argv", ["stlflow", *words])
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return Ended(ended.value.code, out, err)


@dataclass
class Service:
    """A command that goes on until it is told to stop."""

    process: Process
    out_file: Path
    err_file: Path

    def first_line(self) -> str:
        """Return the first line on stdout, once it is there."""
        assert until(lambda: "\n" in self.out_file.read_text("utf-8"), LIMIT_SECONDS), self.said()
        return self.out_file.read_text("utf-8").splitlines()[0]

    def said(self) -> str:
        """Return what stands on stderr by now."""
        return self.err_file.read_text("utf-8")

    def stop(self, limit_seconds: float = LIMIT_SECONDS) -> int:
        """Ask it to stop, as the system does; gives its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(limit_seconds)


@dataclass(frozen=True)
class Desk:
    """A folder to work in: its own share, state and settings."""

    folder: Path
    url: str
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def share(self) -> Path:
        return self.folder / "share"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def _database(self) -> Path:
        return self.state / "stlflow.db"

    @property
    def environment(self) -> dict[str, str]:
        places = {
            "STLFLOW_SHARE": str(self.share),
            "STLFLOW_STATE": str(self.state),
            "STLFLOW_EIGER_URL": self.url,
        }
        return {**os.environ, **QUICK, **places, **self.settings}

    def run(self, *words: str, **changes: str) -> Ended:
        """Run a command to its end; one for another encoding by a Python that starts with it."""
        encoding = changes.get("PYTHONIOENCODING", "utf-8")
        with tempfile.TemporaryDirectory() as name:
            out, err = Path(name, "out"), Path(name, "err")
            process = start(
                words,
                self.folder,
                {**self.environment, **changes},
                out,
                err,
                afresh="PYTHONIOENCODING" in changes,
            )
            try:
                code = process.wait(LIMIT_SECONDS)
            finally:
                process.kill()
            return Ended(code, *(each.read_bytes().decode(encoding, "replace") for each in (out, err)))

    @contextmanager
    def serving(self, *words: str, **changes: str) -> Iterator[Service]:
        """Let a command go on until the block ends; it is stopped then if it has not been."""
        out, err = self.folder / "stdout.txt", self.folder / "stderr.txt"
        out.touch()
        err.touch()
        process = start(words or ("run",), self.folder, {**self.environment, **changes}, out, err)
        try:
            yield Service(process, out, err)
        finally:
            process.kill()
            process.wait(LIMIT_SECONDS)

    def drop(self, path: str, content: bytes) -> None:
        """Put a file into the inbox in one piece."""
        place = self.share / "inbox" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.share / f"{place.name}.part"
        unfinished.write_bytes(content)
        unfinished.rename(place)

    def submissions(self) -> dict[str, Submission]:
        """Return what the ledger knows, by path; nothing while there is no ledger."""
        if not self._database.exists():
            return {}
        ledger = Ledger(f"sqlite:///{self._database}")
        try:
            return {submission.path: submission for submission in ledger.all()}
        finally:
            ledger.close()

    def stls(self) -> list[str]:
        """Return the place of every STL file in the share."""
        return sorted(found.relative_to(self.share).as_posix() for found in self.share.rglob("*.stl"))

    def ended(self, count: int, limit_seconds: float = LIMIT_SECONDS) -> bool:
        """Wait until so many submissions have ended and their files are put away."""

        return until(lambda: self._count_ended() == (count, count), limit_seconds)

    def _count_ended(self) -> tuple[int, int]:
        """Count the submissions, and those that have ended.

        By SQL alone: to open a ledger checks every table, which takes ten times as long, at every look.
        """
        counted = "select count(*), count(case when ended_at is not null and step is null then 1 end)"
        try:
            with closing(sqlite3.connect(f"{self._database.as_uri()}?mode=rw", uri=True)) as connection:
                found: tuple[int, int] = connection.execute(f"{counted} from submissions").fetchone()
                return found
        except sqlite3.OperationalError:  # there is no ledger yet
            return 0, 0
