"""What the service leaves out of its memory, and what it gives back."""

import ctypes
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.console.conftest import running_site
from tests.waiting import until
from workflow.console import security
from workflow.ledger import Ledger
from workflow.memory import give_back_memory

PROGRAM = """
import sys, typing
from workflow.memory import forget_overloads, import_requests, use_one_heap

use_one_heap()
import_requests()
assert not {"chardet", "charset_normalizer"} & set(sys.modules)

import requests
reply = requests.Response()
reply._content = b'{"size": 1}'
assert reply.json() == {"size": 1}
assert reply.apparent_encoding == "utf-8"
import charset_normalizer

@typing.overload
def given(what: int) -> int: ...
def given(what): ...
assert typing.get_overloads(given)
forget_overloads()
assert not typing.get_overloads(given)
"""


def test_requests_works_without_a_guesser_of_encodings_and_others_still_find_it() -> None:
    command = [sys.executable, "-W", "error", "-c", PROGRAM]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (told.returncode, told.stderr) == (0, "")


HOLE_MB = 40
is_glibc = sys.platform == "linux" and hasattr(ctypes.CDLL(None), "malloc_trim")
needs_glibc = pytest.mark.skipif(not is_glibc, reason="another library does it by itself, or not at all")


def resident_mb() -> float:
    """Return the resident memory of this process."""
    status = Path("/proc/self/status").read_text("utf-8")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def dig_hole() -> bytes:
    """Return the last of many blocks: what was before it is free, and the process still has it."""
    blocks = [bytes(1000) for _ in range(HOLE_MB * 1000)]
    return blocks.pop()


@needs_glibc
def test_what_is_free_between_blocks_is_given_back() -> None:
    above = dig_hole()
    before = resident_mb()
    give_back_memory()
    assert resident_mb() < before - HOLE_MB / 2
    assert above


@needs_glibc
def test_a_console_that_nobody_looks_at_any_more_gives_back_what_its_pages_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(security, "QUIET_SECONDS", 0.1)
    with (
        closing(Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")) as ledger,
        running_site(tmp_path, ledger) as site,
    ):
        assert site.get("/").status_code == 200
        above = dig_hole()
        before = resident_mb()
        site.session.close()
        assert until(lambda: resident_mb() < before - HOLE_MB / 2, 60)
    assert above
