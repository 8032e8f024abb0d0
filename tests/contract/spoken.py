"""The command `stlflow`, run in this process against a simulator."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO
from typing import Any

import pytest

from workflow.__main__ import main


@dataclass(frozen=True)
class Said:
    """Exit code and output of a command."""

    code: int
    out: str
    err: str

    def document(self) -> Any:
        """Return the one JSON document on stdout; fails if there is anything else."""
        return json.loads(self.out)


Speak = Callable[..., Said]


def speaker(url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Speak:
    """Return a function that runs a command against this cloud; `typed` is its stdin."""
    for name, value in (
        ("EIGER_URL", url),
        ("ACCESS_KEY", "demo"),
        ("SECRET_KEY", "demo"),
        ("REQUESTS_PER_SECOND", "1000"),
        ("REQUEST_TIMEOUT_SECONDS", "5"),
    ):
        monkeypatch.setenv(f"STLFLOW_{name}", value)

    def speak(*words: str, typed: str = "") -> Said:
        monkeypatch.setattr(sys, "argv", ["stlflow", *words])
        monkeypatch.setattr(sys, "stdin", StringIO(typed))
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Said(ended.value.code, printed.out, printed.err)

    return speak
