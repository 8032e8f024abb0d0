import struct
from io import FileIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.intake.parts import FACET, GROUND_FACET, HEADER, ascii_solid, binary
from workflow.intake.completeness import END_BYTES, FileEnds, FileShape, classify_ends, has_unwritten_space

WHOLE = {
    "binary": (binary(), FileShape.BINARY),
    "binary that begins with solid": (binary(header=b"solid cube".ljust(80)), FileShape.BINARY),
    "ascii": (ascii_solid(), FileShape.ASCII),
    "ascii with windows line ends": (ascii_solid().replace(b"\n", b"\r\n"), FileShape.ASCII),
    "ascii in capitals, no last line end": (ascii_solid().upper().rstrip(), FileShape.ASCII),
    "ascii with two solids": (ascii_solid() + ascii_solid(name="other"), FileShape.ASCII),
    "ascii with a byte order mark": (b"\xef\xbb\xbf" + ascii_solid(), FileShape.ASCII),
    "bytes after the facets": (binary() + b"colour table", FileShape.TRAILING),
}
UNFINISHED = {
    "cut in a facet": (binary()[:-7], FileShape.SHORT),
    "header only": (HEADER[:60], FileShape.SHORT),
    "count to come": (HEADER + struct.pack("<I", 0) + FACET * 3, FileShape.NO_FACETS),
    "count to come, all ones": (HEADER + b"\xff" * 4 + FACET * 3, FileShape.NO_FACETS),
    "no facets": (binary(0), FileShape.EMPTY),
    "nothing": (b"", FileShape.EMPTY),
    "all zeros": (bytes(20_084), FileShape.ZEROS),
    "zeros to be filled": (binary()[:-30] + bytes(30), FileShape.ZEROS),
    "ascii without its end": (ascii_solid()[:-16], FileShape.UNENDED),
    "ascii between two solids": (ascii_solid() + b"solid two\nfacet", FileShape.UNENDED),
    "ascii with reserved room": (ascii_solid()[:-40] + bytes(40), FileShape.ZEROS),
}
FOREIGN = {
    "web page": (b"<!DOCTYPE html><html>" + b"<p>not found</p>" * 20, FileShape.FOREIGN),
    "short web page": (b"<html></html>", FileShape.FOREIGN),
    "zip": (b"PK\x03\x04" + bytes(range(256)), FileShape.FOREIGN),
    "git-lfs pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", FileShape.FOREIGN),
    "plain text": (b"Dear colleague, the part comes tomorrow. " * 5, FileShape.FOREIGN),
    "noise": (b"\x01" * 80 + b"\xaa\xbb\xcc\xdd" * 50, FileShape.FOREIGN),
}


def ends_of(content: bytes) -> FileEnds:
    return classify_ends(content[:END_BYTES], content[-END_BYTES:], len(content))


@pytest.mark.parametrize("kind", [*WHOLE, *UNFINISHED, *FOREIGN])
def test_the_shape_of_a_file(kind: str) -> None:
    content, shape = {**WHOLE, **UNFINISHED, **FOREIGN}[kind]
    assert ends_of(content).shape is shape


def test_a_short_file_tells_how_much_is_missing() -> None:
    assert ends_of(binary(1000)[:12_345]) == FileEnds(FileShape.SHORT, 12_345, 50_084)


@given(st.integers(1, 400), st.data())
def test_no_beginning_of_a_binary_file_looks_whole(facets: int, data: st.DataObject) -> None:
    whole = binary(facets)
    cut = data.draw(st.integers(0, len(whole) - 1))
    assert ends_of(whole[:cut]).shape in {FileShape.SHORT, FileShape.EMPTY}


@given(st.integers(0, 8), st.data())
def test_no_beginning_of_an_ascii_file_looks_whole(facets: int, data: st.DataObject) -> None:
    whole = ascii_solid(facets)
    cut = data.draw(st.integers(0, whole.rindex(b"endsolid") + len("endsoli")))
    assert ends_of(whole[:cut]).shape in {FileShape.SHORT, FileShape.EMPTY, FileShape.UNENDED}


@given(st.binary(max_size=2000))
def test_any_bytes_have_a_shape(content: bytes) -> None:
    assert ends_of(content).size == len(content)


def holes(folder: Path, content: bytes, shape: FileShape) -> bool:
    path = folder / "part.stl"
    path.write_bytes(content)
    with FileIO(path) as file:
        return has_unwritten_space(file, shape)


def test_room_that_was_reserved_and_not_filled_is_found(tmp_path: Path) -> None:
    whole = binary(60_000)
    assert not holes(tmp_path, whole, FileShape.BINARY)
    for at in (84, 1 << 20, (1 << 20) - 30, len(whole) - 200):
        assert holes(tmp_path, whole[:at] + bytes(58) + whole[at + 58 :], FileShape.BINARY)
    assert holes(tmp_path, ascii_solid().replace(b"vertex", b"v\0rtex", 1), FileShape.ASCII)


def test_a_part_lying_on_the_ground_has_no_holes(tmp_path: Path) -> None:
    flat = HEADER.replace(b" ", b"\0") + struct.pack("<I", 400) + GROUND_FACET * 400
    assert not holes(tmp_path, flat + FACET, FileShape.BINARY)
