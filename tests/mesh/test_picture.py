"""Pictures of parts: what is drawn where, by pixels; and files that there is nothing to draw of."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from tests.mesh.solids import Corners, binary, box, merged, moebius, scaled, shifted, torus
from workflow.errors import InspectionFailed
from workflow.mesh import Inspector
from workflow.mesh.canvas import _GLYPHS, DepthBuffer, TooMuchToDraw, render_text
from workflow.mesh.inspection import inspect_mesh
from workflow.mesh.picture import (
    PICTURE_HEIGHT,
    PICTURE_WIDTH,
    VIEW_DIRECTIONS,
    VIEW_HEIGHT,
    VIEW_TOP,
    VIEW_WIDTH,
    draw_picture,
)

SIDE = 40
Pixels = NDArray[np.uint8]


def array(values: object) -> NDArray[np.float32]:
    return np.array(values, np.float32)


def read_png(png: bytes) -> Pixels:
    """Return the pixels of an 8-bit RGB PNG without filters; fails on any other, and on a wrong checksum."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = [], 8
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        content = png[at + 8 : at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length :][:4]) == (zlib.crc32(kind + content),)
        chunks.append((kind, content))
        at += 12 + length
    assert [kind for kind, _ in chunks] == [b"IHDR", b"tEXt", b"IDAT", b"IEND"]
    width, height, *form = struct.unpack(">IIBBBBB", chunks[0][1])
    assert form == [8, 2, 0, 0, 0]
    rows = np.frombuffer(zlib.decompress(chunks[2][1]), np.uint8).reshape(height, 1 + 3 * width)
    assert not rows[:, 0].any()
    return rows[:, 1:].reshape(height, width, 3)


def views(corners: Corners) -> tuple[Pixels, Pixels]:
    """Draw a part; gives both views without what is written around them."""
    Path("part.stl").write_bytes(binary(corners))
    pixels = read_png(draw_picture(Path("part.stl"), inspect_mesh(Path("part.stl"))))
    assert pixels.shape == (PICTURE_HEIGHT, PICTURE_WIDTH, 3)
    shown = pixels[VIEW_TOP + 24 : VIEW_TOP + VIEW_HEIGHT - 100]
    return shown[:, :VIEW_WIDTH], shown[:, VIEW_WIDTH:]


def count(pixels: Pixels, kind: str) -> int:
    red, green, blue = (pixels[..., channel].astype(int) for channel in range(3))
    found = {
        "red": (red > 180) & (green < 60) & (blue < 90),
        "pale": (red > 200) & (red - green > 60) & (blue - green > 0) & (green > 90),
        "orange": (red - blue > 60) & (green - blue > 25) & (red > 90),
        "part": (abs(red - green) < 25) & (blue > red) & (red < 240),
    }[kind]
    return int(np.count_nonzero(found))


def test_a_closed_part_is_shaded_and_nothing_is_marked(tmp_path: Path) -> None:
    for view in views(box(30, 20, 10)):
        assert count(view, "part") > 10_000
        assert [count(view, kind) for kind in ("red", "pale", "orange")] == [0, 0, 0]
        greys = np.unique(view[view[..., 0] < 240].reshape(-1, 3), axis=0)
        assert len(greys) >= 3, "three sides of a box have three shades"


def test_a_hole_is_red_where_it_is_seen_and_the_inside_is_orange(tmp_path: Path) -> None:
    lid_off = np.delete(box(), [2, 3], axis=0)  # the top
    front, back = views(lid_off)
    assert count(front, "red") > 1_000
    assert count(front, "orange") > 5_000
    assert count(back, "orange") == 0
    assert count(back, "pale") > 300, "seen through the part, so that it is found from there, too"
    assert count(front, "red") > count(back, "red")


def test_a_hole_below_is_seen_from_below(tmp_path: Path) -> None:
    front, back = views(np.delete(torus(60, 40), [1800], axis=0))
    assert (count(front, "red") > 50) is not (count(back, "red") > 50)


def test_a_facet_that_is_turned_around_shows_its_inside(tmp_path: Path) -> None:
    turned = box()
    turned[2] = turned[2][::-1]
    assert any(count(view, "orange") > 1_000 for view in views(turned))
    assert all(count(view, "orange") > 300 for view in views(moebius(60)))


@pytest.mark.parametrize("factor", [1e-30, 1e30])
def test_any_size_fills_the_picture(tmp_path: Path, factor: float) -> None:
    part = scaled(shifted(torus(20, 10), 500, -200, 90), factor, factor, factor)
    for view in views(part):
        assert count(view, "part") > 20_000


@pytest.mark.parametrize(
    "part",
    [
        np.full((2, 3, 3), 5, np.float32),
        array([[[0, 0, 0], [1e38, 0, 0], [0, 1e-38, 0]]]),
        merged(box(), shifted(box(1e-4, 1e-4, 1e-4), 1e6, 0, 0)),
    ],
    ids=["a point", "a needle", "a speck far away"],
)
def test_odd_shapes_give_a_picture(tmp_path: Path, part: Corners) -> None:
    views(part)


UNDRAWN = {
    b"<!DOCTYPE html><html></html>": "The file is no STL but an HTML page.",
    b"": "0 bytes: the file is empty.",
    binary(box())[:300]: "4 of 12 facets are there: the file is cut off.",
    binary(box() * np.float32("nan")): "12 facets have corners that are no numbers.",
    binary(np.zeros((9, 3, 3), np.float32)): "9 of 9 facets are empty: room was reserved for them",
    b"solid x\nfacet normal 0 0 0\nouter lop\n": "Line 3: `loop` was expected",
    binary(np.random.default_rng(1).uniform(0, 99, (9_000, 3, 3)).astype(np.float32)): (
        "Its facets lie over one another too often to be drawn."
    ),
}


def test_what_can_not_be_drawn_says_why_and_the_next_file_is_drawn(tmp_path: Path) -> None:
    Path("good.stl").write_bytes(binary(box()))
    with Inspector() as inspector:
        for content, why in UNDRAWN.items():
            Path("odd.stl").write_bytes(content)
            with pytest.raises(InspectionFailed) as refused:
                inspector.draw(Path("odd.stl"), Path("odd.png"))
            assert why in str(refused.value)
        assert not Path("odd.png").exists()
        assert inspector.draw(Path("good.stl"), Path("good.png")).verdict == "accept"
        with pytest.raises(FileNotFoundError) as missing:
            inspector.draw(Path("good.stl"), Path("nowhere", "good.png"))
    assert missing.value.filename == str(tmp_path / "nowhere" / "good.png")
    assert read_png(Path("good.png").read_bytes()).shape == (PICTURE_HEIGHT, PICTURE_WIDTH, 3)


coordinates = st.floats(-SIDE / 2, 1.5 * SIDE, width=32)
facets = arrays(np.float32, st.tuples(st.just(3), st.just(3), st.integers(1, 6)), elements=coordinates)


@given(facets)
def test_the_nearest_facet_has_the_pixel(corners: NDArray[np.float32]) -> None:
    """Against every pixel looked at by itself; pixels within a hair of an edge may be either facet's."""
    corners[:, 2] = (corners[:, 2] + SIDE / 2) / (2 * SIDE)
    canvas = DepthBuffer(SIDE, SIDE, 10**9)
    canvas.add(corners, np.arange(corners.shape[2], dtype=np.uint16))
    expected, clear = nearest(corners.astype(np.float64))
    covered = canvas.is_covered
    assert (covered == np.isfinite(expected))[clear].all()
    both = clear & covered
    assert np.abs(canvas.depths - expected)[both].max(initial=0) < 1e-3


def nearest(corners: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the depth of the nearest facet at each pixel's center, and where that is beyond doubt."""
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5
    depth, clear = np.full((SIDE, SIDE), np.inf), np.ones((SIDE, SIDE), np.bool_)
    for (ax, ay, az), (bx, by, bz), (cx, cy, cz) in corners.transpose(2, 0, 1):
        area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
        if abs(area) < 1:
            clear &= (x < min(ax, bx, cx) - 1) | (x > max(ax, bx, cx) + 1)
            continue
        b = ((x - ax) * (cy - ay) - (cx - ax) * (y - ay)) / area
        c = ((bx - ax) * (y - ay) - (x - ax) * (by - ay)) / area
        least = np.minimum(np.minimum(b, c), 1 - b - c)
        clear &= np.abs(least) > 1e-3
        depth = np.where(least > 0, np.minimum(depth, az + b * (bz - az) + c * (cz - az)), depth)
    return depth, clear


def test_facets_that_share_an_edge_share_no_pixel_and_leave_no_gap() -> None:
    square = array([[3.2, 3.1], [36.7, 3.1], [36.7, 36.4], [3.2, 36.4]])
    halves = np.stack([square[[0, 1, 2]], square[[0, 2, 3]]], axis=2)
    flat = np.concatenate((halves, np.full((3, 1, 2), 0.5, np.float32)), axis=1)
    canvas = DepthBuffer(SIDE, SIDE, 10_000)
    canvas.add(flat, np.array([1, 2], np.uint16))
    assert 10_000 - canvas.left == np.count_nonzero(canvas.is_covered) == 34 * 33


def test_what_would_take_minutes_is_given_up() -> None:
    canvas = DepthBuffer(SIDE, SIDE, SIDE * SIDE)
    whole = array([[-99, -99, 0.5], [199, -99, 0.5], [-99, 199, 0.5]])[:, :, None]
    canvas.add(whole, np.zeros(1, np.uint16))
    with pytest.raises(TooMuchToDraw):
        canvas.add(whole, np.zeros(1, np.uint16))


def test_every_word_in_a_picture_can_be_written() -> None:
    words = "".join(caption for caption, _, _ in VIEW_DIRECTIONS) + "accepted rejected 0123456789.,:-+()e mm"
    assert set(words.upper()) <= set(_GLYPHS)
    assert {len(rows) for rows in _GLYPHS.values()} == {41}
    assert np.array_equal(render_text("größe", 2), render_text("GROSSE", 2))
    assert render_text("部品", 1).shape == (7, 12)
    assert render_text("", 3).shape == (21, 18)
