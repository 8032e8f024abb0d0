"""Text is read the same however it is cut, spaced and spelt."""

from io import FileIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mesh.effort import ON_FILES
from tests.mesh.solids import Corners, ascii_text, box, shifted, torus
from workflow.mesh import ascii_reader
from workflow.mesh.ascii_reader import AsciiReader, parse_plain_facets
from workflow.mesh.format import AsciiLayout
from workflow.mesh.stream import HashingStream, UnreadableMesh


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


def test_the_line_of_a_mistake_counts_the_facets_read_at_once(tmp_path: Path) -> None:
    lines = ascii_text(torus(40, 40)).split(b"\n")
    lines[20_000] = b"oops"
    for piece_bytes in (700, 1 << 17):
        with pytest.raises(UnreadableMesh, match=r"^Line 20,001: .*but `oops` stands there\."):
            read(tmp_path, b"\n".join(lines), piece_bytes)
