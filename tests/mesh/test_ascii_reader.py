"""Text is read the same however it is cut, spaced and spelt."""

import math
import time
from io import FileIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mesh.effort import ON_FILES
from tests.mesh.solids import Corners, ascii_text, box, shifted, torus
from workflow.mesh import ascii_reader
from workflow.mesh.ascii_grammar import FACET_WORDS, read_decimal
from workflow.mesh.ascii_reader import PIECE_BYTES, AsciiReader, parse_plain_facets
from workflow.mesh.format import AsciiLayout, HashingStream, UnreadableMesh

FORMS = ("%g", "%f", "%e", "%.9g", "%.17g", "%.3f", "%.0f", "%+.2f", "%.15e", "%r", "%012.4f")
MAX_NANOSECONDS_PER_BYTE = 3_000
"""Six times what a busy machine takes."""


def read(folder: Path, content: bytes, piece_bytes: int) -> Corners:
    file = folder / "part.stl"
    file.write_bytes(content)
    with FileIO(file) as opened:
        reader = AsciiReader(HashingStream(opened), AsciiLayout(start=0), piece_bytes)
        blocks = [block.T.reshape(-1, 3, 3).copy() for block in reader.blocks()]
    return np.concatenate([*blocks, np.zeros((0, 3, 3), np.float32)])


@ON_FILES
@given(st.integers(1, 3000), st.sampled_from([b"\n", b"\r\n", b"\r", b" \t\n\n"]))
def test_the_size_of_pieces_changes_nothing(tmp_path: Path, piece_bytes: int, line_end: bytes) -> None:
    content = ascii_text(box()).replace(b"\n", line_end)
    assert np.array_equal(read(tmp_path, content, piece_bytes), box())


@pytest.mark.parametrize("line_end", [b"\n", b"\r", b"\r\n"])
def test_every_small_size_of_pieces_changes_nothing(tmp_path: Path, line_end: bytes) -> None:
    content = ascii_text(box()[:2], name="a box").replace(b"\n", line_end)
    for piece_bytes in range(1, 80):
        assert np.array_equal(read(tmp_path, content, piece_bytes), box()[:2]), piece_bytes


def test_facets_are_the_same_when_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "part.stl"
    file.write_bytes(ascii_text(box()) + ascii_text(torus(12, 7)) + b"exported by a machine")
    for most_kept in (1000, 100):
        monkeypatch.setattr(ascii_reader, "MAX_CACHED_FACETS", most_kept)
        with FileIO(file) as opened:
            reader = AsciiReader(HashingStream(opened), AsciiLayout(start=0), 2000)
            first, again = (np.concatenate([block.copy() for block in reader.blocks()], axis=1) for _ in "12")
        assert np.array_equal(first, again)
        assert (reader.solids, first.shape, len(reader.remarks())) == (2, (9, 12 + 168), 1)


@pytest.mark.parametrize("number", ["{:.9g}", "{:.8e}", "{:.17g}", "{:+.9E}"])
def test_nine_digits_keep_every_bit(tmp_path: Path, number: str) -> None:
    corners = torus(12, 7)
    assert np.array_equal(read(tmp_path, ascii_text(corners, number), 1000), corners)


def test_solids_are_joined(tmp_path: Path) -> None:
    content = ascii_text(box()) + ascii_text(shifted(box(), 50, 0, 0), name="")
    for line_end in (b"\n", b" "):
        for piece_bytes in (500, 1 << 17):
            assert len(read(tmp_path, content.replace(b"\n", line_end), piece_bytes)) == 24


def test_plain_facets_are_read_at_once() -> None:
    text = ascii_text(box()).lower()
    body = text[text.index(b"\n") : text.index(b"endsolid")]
    block = parse_plain_facets(body)
    assert block is not None
    assert np.array_equal(block.T.reshape(-1, 3, 3), box())
    assert parse_plain_facets(body.replace(b"outer", b"inner", 1)) is None
    assert parse_plain_facets(body.replace(b"endloop", b"", 1)) is None
    assert parse_plain_facets(b"") is None


def facet_text(*numbers: str) -> bytes:
    """Return a facet with these nine numbers."""
    words = iter(numbers)
    return " ".join(next(words) if word == "0" else word or "0" for word in FACET_WORDS).encode()


@given(
    st.lists(
        st.tuples(st.floats(allow_nan=False, allow_infinity=False, width=32), st.sampled_from(FORMS)),
        min_size=9,
        max_size=9,
    )
)
def test_numbers_are_those_that_python_reads(numbers: list[tuple[float, str]]) -> None:
    words = [form % number for number, form in numbers]
    expected = np.array([float(word) for word in words]).astype(np.float32)
    block = parse_plain_facets(facet_text(*words))
    assert block is not None
    assert np.array_equal(block[:, 0], expected)
    assert [np.float32(read_decimal(word.encode())) for word in words] == expected.tolist()


@given(st.text("0123456789+-.e", min_size=1, max_size=24))
def test_the_slow_way_refuses_what_python_refuses(word: str) -> None:
    try:
        expected = float(word)
    except ValueError:
        with pytest.raises(ValueError, match="not a number"):
            read_decimal(word.encode())
        assert parse_plain_facets(facet_text(*["0"] * 8, word)) is None
    else:
        assert read_decimal(word.encode()) == expected


@pytest.mark.parametrize("word", ["nan", "-nan(ind)", "-1.#ind", "1.#qnan0"])
def test_not_a_number_is_read_as_such(word: str) -> None:
    assert math.isnan(read_decimal(word.encode()))


@pytest.mark.parametrize("word", ["-", "1.2.3", "0,5", "1_0", "1d+00", "0x10", "--1", "1e+", "x1", "1\0"])
def test_what_is_no_number_is_refused(word: str) -> None:
    assert parse_plain_facets(facet_text(word, *["0"] * 8)) is None
    with pytest.raises(ValueError, match="not a number"):
        read_decimal(word.encode())


@pytest.mark.parametrize(
    "filler",
    [b"solid x\nendsolid x\n", b"solid x\rendsolid x\r", b"solid x endsolid x ", b"solid\nendsolid\na\n"],
)
def test_empty_solids_cost_no_more_than_their_bytes(tmp_path: Path, filler: bytes) -> None:
    content = filler * (500_000 // len(filler)) + ascii_text(box())
    started = time.process_time()
    assert len(read(tmp_path, content, PIECE_BYTES)) == 12
    assert time.process_time() - started < MAX_NANOSECONDS_PER_BYTE * len(content) / 1e9


def test_the_line_of_a_mistake_counts_the_facets_read_at_once(tmp_path: Path) -> None:
    lines = ascii_text(torus(40, 40)).split(b"\n")
    lines[20_000] = b"oops"
    for piece_bytes in (700, 1 << 17):
        with pytest.raises(UnreadableMesh, match=r"^Line 20,001: .*but `oops` is there\."):
            read(tmp_path, b"\n".join(lines), piece_bytes)
