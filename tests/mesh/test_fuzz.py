"""No content raises, hangs or slips through: damaged files of every kind."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mesh.effort import LONG, ON_FILES
from tests.mesh.oracle import checked
from tests.mesh.solids import ascii_text, binary, box, torus
from workflow.model import MeshReport

WHOLE = binary(box(), b"solid box")
TEXT = ascii_text(box())


def inspect(folder: Path, content: bytes) -> MeshReport:
    return checked(folder / "part.stl", content)


@ON_FILES
@given(st.integers(0, len(WHOLE) - 1))
def test_no_cut_binary_is_accepted(tmp_path: Path, size: int) -> None:
    assert inspect(tmp_path, WHOLE[:size]).verdict == "reject"


@ON_FILES
@given(st.integers(0, TEXT.rindex(b"endsolid") + len(b"endsoli")))
def test_no_cut_text_is_accepted(tmp_path: Path, size: int) -> None:
    assert inspect(tmp_path, TEXT[:size]).verdict == "reject"


@ON_FILES
@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"solid ", b"solid x\nfacet normal 0 0 0\nouter loop\n", WHOLE[:84]]),
)
def test_any_bytes_get_a_verdict(tmp_path: Path, content: bytes, start: bytes) -> None:
    report = inspect(tmp_path, start + content)
    assert report.verdict == "reject"
    assert str(report.reason).endswith(".")


@ON_FILES
@given(st.lists(st.tuples(st.integers(0, len(TEXT) - 1), st.integers(0, 255)), min_size=1, max_size=5))
def test_damaged_text_gets_a_verdict(tmp_path: Path, damage: list[tuple[int, int]]) -> None:
    content = bytearray(TEXT)
    for place, byte in damage:
        content[place] = byte
    assert inspect(tmp_path, bytes(content)).verdict in {"accept", "hold", "reject"}


@ON_FILES
@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), min_size=1, max_size=5))
def test_damaged_binary_gets_a_verdict(tmp_path: Path, damage: list[tuple[int, int]]) -> None:
    content = bytearray(WHOLE)
    for place, byte in damage:
        content[place] = byte
    report = inspect(tmp_path, bytes(content))
    assert report.watertight or report.verdict != "accept"


@ON_FILES
@given(
    st.lists(st.sampled_from([*TEXT.split(), b"\n", b"nan", b"color", b"end", b"solid", b"\0"]), max_size=60)
)
def test_any_words_get_a_verdict(tmp_path: Path, words: list[bytes]) -> None:
    assert inspect(tmp_path, b"solid x\n" + b" ".join(words)).verdict == "reject"


PIECES = (
    *(line + b"\n" for line in TEXT.split(b"\n")[:9]), b"endsolid", b"end solid", b"solid x\n",
    b"color 1 0 0\n", b"\r", b"\0", b" " * 3000, b"vertex nan 0 0", b"1e39 ", b"-1.#IND", b"\xef\xbb\xbf",
    WHOLE[:84], WHOLE[84:134], b"\xff" * 50, (3).to_bytes(4, "little"), b"COLOR=",
    ascii_text(torus(5, 4), "{:.6e}"), binary(torus(5, 4)),
)  # fmt: skip


@pytest.mark.long
@LONG
@given(
    st.sampled_from([WHOLE, TEXT, binary(torus(5, 4)), ascii_text(torus(5, 4))]),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 60), st.sampled_from(PIECES)), max_size=4),
    st.floats(0, 1),
)
def test_no_exchange_of_pieces_breaks_it(
    tmp_path: Path, content: bytes, changes: list[tuple[float, int, bytes]], cut: float
) -> None:
    for place, length, piece in changes:
        start = int(place * len(content))
        content = content[:start] + piece + content[start + length :]
    inspect(tmp_path, content)
    inspect(tmp_path, content[: int(cut * len(content))])


@pytest.mark.long
def test_a_fuzzer_that_sees_what_is_covered_finds_nothing() -> None:
    pytest.importorskip("atheris", reason="atheris is not installed: no coverage-guided fuzzing")
    command = [sys.executable, "-m", "tests.mesh.fuzz_inspection", "--seconds", "120"]
    ran = subprocess.run(command, capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr.decode(errors="replace")[-3000:]
