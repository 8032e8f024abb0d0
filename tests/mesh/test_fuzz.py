"""No content raises, hangs or slips through: damaged files of every kind."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.mesh.effort import ON_FILES
from tests.mesh.solids import ascii_text, binary, box
from workflow.mesh.inspection import inspect_mesh
from workflow.model import MeshReport

WHOLE = binary(box(), b"solid box")
TEXT = ascii_text(box())


def inspect(folder: Path, content: bytes) -> MeshReport:
    file = folder / "part.stl"
    file.write_bytes(content)
    return inspect_mesh(file)


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
    assert inspect(tmp_path, bytes(content)).verdict in {"accept", "reject"}


@ON_FILES
@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), min_size=1, max_size=5))
def test_damaged_binary_gets_a_verdict(tmp_path: Path, damage: list[tuple[int, int]]) -> None:
    content = bytearray(WHOLE)
    for place, byte in damage:
        content[place] = byte
    report = inspect(tmp_path, bytes(content))
    assert report.watertight or report.verdict == "reject"


@ON_FILES
@given(
    st.lists(st.sampled_from([*TEXT.split(), b"\n", b"nan", b"color", b"end", b"solid", b"\0"]), max_size=60)
)
def test_any_words_get_a_verdict(tmp_path: Path, words: list[bytes]) -> None:
    assert inspect(tmp_path, b"solid x\n" + b" ".join(words)).verdict == "reject"
