"""Every odd file that engineers and hostile people make, and what is to be said of each."""

import gzip

import numpy as np

from tests.mesh.solids import (
    ascii_text,
    back_to_back,
    binary,
    box,
    merged,
    moebius,
    quad,
    scaled,
    shifted,
    tray_with_bar,
)

TEXT = ascii_text(box())
WHOLE = binary(box())
SHEET = ((5, 5, 10), (15, 5, 10), (15, 15, 10), (5, 15, 10))
NO_VOLUME = "but no volume: this is a surface or a sketch"
CUT_OFF = "the file is cut off"


def counted(count: int, content: bytes = WHOLE) -> bytes:
    return content[:80] + count.to_bytes(4, "little") + content[84:]


def with_corner(value: float) -> bytes:
    corners = box()
    corners[5, 1, 2] = value
    return binary(corners)


def text_with(old: bytes, new: bytes, text: bytes = TEXT) -> bytes:
    assert old in text
    return text.replace(old, new, 1)


ACCEPTED: dict[str, bytes] = {
    "binary": WHOLE,
    "binary that says solid": binary(box(), b"solid box"),
    "binary that looks like text": binary(box(), b"solid box\n facet normal 0 0 1\n  outer loop\n"),
    "color header": binary(box(), b"COLOR=\x10\x20\x30\xff"),
    "attribute bytes": WHOLE[:132] + b"\xff\xff" + WHOLE[134:],
    "not-a-number normals": WHOLE[:84] + b"\x00\x00\xc0\x7f" + WHOLE[88:],
    "minus zero": binary(merged(np.where(box() == 0, np.float32(-0.0), box())[:6], box()[6:])),
    "ASCII": TEXT,
    "CR LF": TEXT.replace(b"\n", b"\r\n"),
    "CR alone": TEXT.replace(b"\n", b"\r"),
    "tabs": TEXT.replace(b"  ", b"\t"),
    "blank lines": TEXT.replace(b"\n", b"\n\n  \n"),
    "upper case": TEXT.upper(),
    "leading blanks": b"\n\n   " + TEXT,
    "many blank lines": text_with(b"  facet", b"\n" * 2_000_000 + b"  facet"),
    "exponents": ascii_text(box(), "{:.6E}"),
    "three-digit exponents": ascii_text(box(), "{:.6e}").replace(b"e+0", b"e+00"),
    "plus signs": ascii_text(box(), "{:+.1f}"),
    "no digits after the dot": TEXT.replace(b"20 ", b"20. "),
    "no digits before the dot": TEXT.replace(b" 0 ", b" .0 "),
    "seventeen digits": ascii_text(box(), "{:.17g}"),
    "not-a-number normals in text": TEXT.replace(b"normal 0 0 0", b"normal nan -nan(ind) -1.#IND"),
    "keywords in the name": ascii_text(box(), name="endsolid vertex facet"),
    "name in UTF-8": ascii_text(box(), name="Käse").decode().encode(),
    "name in Latin-1": ascii_text(box(), name="K\xe4se").decode().encode("latin-1"),
    "solid twice": text_with(b"  facet", b"solid again\n  facet") + b"endsolid part\n",
    "equal corners": binary(merged(box(), box()[:1][:, [0, 0, 1]])),
    "one facet of zeros": WHOLE[:80] + (13).to_bytes(4, "little") + WHOLE[84:384] + bytes(50) + WHOLE[384:],
    "touching along an edge": binary(merged(box(), shifted(box(), 20, 20, 0))),
    "one-ulp gap": with_corner(float(np.nextafter(np.float32(20), np.float32(0)))),
    "end solid": text_with(b"endsolid", b"end solid"),
    "endsolid without a name": text_with(b"endsolid part", b"endsolid"),
    "no line end at the end": TEXT.rstrip(),
    "color lines": text_with(b"  facet", b"color 0.5 0.5 0.5\n  facet"),
    "all on one line": b" ".join(TEXT.split()),
    "long name": ascii_text(box(), name="x" * 5_000_000),
    "touching at a corner": binary(merged(box(), shifted(box(), 20, 20, 20))),
    "two bodies": binary(merged(box(), shifted(box(), 50, 0, 0))),
    "cavity": binary(merged(box(), shifted(box(5, 5, 5), 5, 5, 5)[:, ::-1])),
    "bodies that touch": binary(merged(box(), shifted(box(), 20, 0, 0))),
    "a wall without thickness in the material": binary(merged(box(), back_to_back(*SHEET))),
}

TWO = binary(merged(box(), shifted(box(), 50, 0, 0)))
WARNED: dict[str, tuple[bytes, str]] = {
    "one trailing byte": (WHOLE + b"\0", "1 byte after the last facet: ignored."),
    "trailing bytes": (WHOLE + b"\0" * 777, "777 bytes after the last facet: ignored."),
    "byte order mark": (b"\xef\xbb\xbf" + TEXT, "3 bytes of byte order mark before the text: ignored."),
    "no normal": (text_with(b"normal 0 0 0", b""), "1 facet without a normal: ignored."),
    "no numbers in a normal": (text_with(b"normal 0 0 0", b"normal"), "1 facet without a normal: ignored."),
    "one number in a normal": (text_with(b"normal 0 0 0", b"normal 0"), "1 facet without a normal: ignored."),
    "trailing text": (TEXT + b"exported by a machine\n", "Text after `endsolid`: ignored."),
    "trailing zeros": (TEXT + b"\0" * 512, "Text after `endsolid`: ignored."),
    "inches": (
        binary(box() / np.float32(25.4)),
        "mm is small for a part. Read in inches 20 × 20 × 20 mm",
    ),
    "metres": (binary(box() / np.float32(1000)), "Read in meters 20 × 20 × 20 mm."),
    "tiny": (binary(box() * np.float32(1e-40)), "is small for a part. Export the part in mm"),
    "micrometres": (
        binary(box() * np.float32(1000)),
        "is long for a part. Read in micrometers 20 × 20 × 20 mm.",
    ),
    "inside out": (binary(box()[:, ::-1]), "-8 cm³: the mesh is inside out."),
    "one facet turned": (
        binary(np.concatenate((box()[:1, ::-1], box()[1:]))),
        "3 edges where facets face the wrong way",
    ),
    "a body inside out": (
        binary(tray_with_bar(bar_inward=True)),
        "1 of 2 bodies is inside out: a slicer may leave it out. Flip its normals in CAD.",
    ),
    "a crumb": (
        binary(merged(box(), shifted(box(0.1, 0.1, 0.1), 300, 0, 0))),
        "1 of 2 bodies is a crumb: 0.1 × 0.1 × 0.1 mm at x 300.1 y 0.1 z 0.1 mm. If it was left over, delete",
    ),
    "a wall without thickness": (
        binary(merged(box(), back_to_back((0, 0, 20), (20, 0, 20), (20, 0, 40), (0, 0, 40)))),
        "Wall without thickness, 400 mm², at x 10.0 y 0.0 z 30.0 mm: it will not be printed. Give it a",
    ),
    "walls without thickness": (
        binary(merged(box(), *(shifted(back_to_back(*SHEET), 40, 0, z) for z in (0, 9)))),
        "2 walls without thickness, 200 mm², at x 50.0 y 10.0 z 1",
    ),
    "thin sheet": (
        binary(box(100, 100, 0.05)),
        "Walls of 0.05 mm on average are thinner than a layer: they may not be printed. Make them thicker",
    ),
    "gap": (with_corner(19.998), "0.002 mm wide gaps between facets: slicers close them."),
}

ODD: dict[str, tuple[bytes, str]] = {
    "one facet twice": (binary(merged(box(), box()[:1])), "1 facet lying on another one"),
    "two facets twice": (binary(merged(box(), box()[:2])), "2 facets lying on another one"),
    "all twice": (binary(merged(box(), box())), "18 edges with more than two facets"),
    "all twice, as facets": (binary(merged(box(), box())), "12 facets lying on another one"),
    "touching along an edge": (
        binary(merged(box(), shifted(box(), 20, 20, 0))),
        "1 edge with more than two facets: bodies touch or overlap.",
    ),
    "two equal corners": (
        binary(merged(box(), box()[:1][:, [0, 0, 1]])),
        "1 facet with two equal corners: slicers drop them.",
    ),
}

HELD: dict[str, tuple[bytes, str]] = {
    "facet missing": (binary(box()[1:]), "A side is missing: 20 × 20 mm at x 10.0 y 10.0 z 0.0 mm. Close"),
    "two holes": (
        binary(box()[[1, 2, *range(4, 12)]]),
        "A side is missing: 20 × 20 mm at x 10.0 y 10.0 z 0.0 mm (the largest of 2).",
    ),
    "lid missing": (binary(box()[2:]), "A side is missing: 20 × 20 mm at x 10.0 y 10.0 z 0.0 mm. Close"),
    "opposite facets": (
        binary(merged(box()[:1], shifted(box()[:1, ::-1], 0, 0, 5))),
        "(the largest of 2). Close the part in CAD",
    ),
    "Moebius band": (binary(moebius(40)), "Close the part in CAD and export it again."),
    "wall inside": (
        binary(merged(box(), shifted(box(), 20, 0, 0)[[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]])),
        "A wall inside the part at x 20.0 y 10.0 z 10.0 mm: 4 edges with three facets. Delete the wall,",
    ),
    "two walls inside": (
        binary(merged(*(shifted(box(), 20 * each, 0, 0)[[*range(10)]] for each in (0, 1, 2)), box()[10:])),
        "A wall inside the part at x 20.0 y 10.0 z 10.0 mm (the largest of 2): 4 edges with three facets.",
    ),
    "a fin": (
        binary(merged(box(), np.array([[(0, 0, 20), (20, 0, 20), (10, 0, 30)]], np.float32))),
        "A surface without thickness, 20 × 10 mm, at x 10.0 y 0.0 z 25.0 mm. Delete the surface in CAD",
    ),
    "a loose wall inside": (
        binary(merged(box(), quad(*SHEET))),
        "A loose surface, 10 × 10 mm, at x 10.0 y 10.0 z 10.0 mm: it is part of no body. Delete the surface",
    ),
    "a loose surface beside": (
        binary(merged(box(), shifted(quad(*SHEET), 40, 0, 0))),
        "A loose surface, 10 × 10 mm, at x 50.0 y 10.0 z 10.0 mm: it is part of no body. Delete the surface",
    ),
    "facet missing, in metres": (
        binary(shifted(box()[1:], -10, -10.01, -20) / np.float32(1000)),
        "A side is missing: 0.02 × 0.02 mm at x 0.0000 y 0.0000 z -0.0200 mm.",
    ),
}

REJECTED: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "0 bytes: the file is empty."),
    "one byte": (b"x", "1 byte: too short for an STL"),
    "a header without its count": (WHOLE[:83], "83 bytes: too short for an STL"),
    "no facets": (binary(box()[:0]), "The file has no facets"),
    "no facets in text": (b"solid x\nendsolid x\n", "The file has no facets"),
    "no facets on one line": (b"solid x endsolid x", "The file has no facets"),
    "count 0 before facets": (counted(0), "The header announces 0 facets, but the file has 12"),
    "count too small": (counted(11), "The header announces 11 facets, but the file has 12"),
    "count too big": (counted(13), f"12 of 13 facets are there: {CUT_OFF}"),
    "count absurd": (counted(99_999_999), f"12 of 99,999,999 facets are there: {CUT_OFF}"),
    "count -1": (counted(0xFFFFFFFF), "12 of 4,294,967,295 facets are there"),
    "cut in a facet": (WHOLE[:300], f"4 of 12 facets are there: {CUT_OFF}"),
    "cut between facets": (WHOLE[:284], f"4 of 12 facets are there: {CUT_OFF}"),
    "cut, and it says solid": (binary(box(), b"solid x")[:300], "4 of 12 facets are there"),
    "room never filled": (TWO[:684] + bytes(600), "12 of 24 facets are empty: room was reserved for them"),
    "last facet never filled": (counted(13) + bytes(50), "1 of 13 facets are empty"),
    "a hole of two facets": (
        TWO[:80] + (26).to_bytes(4, "little") + TWO[84:684] + bytes(100) + TWO[684:],
        "2 of 26 facets are empty",
    ),
    "big-endian": (WHOLE[:80] + (12).to_bytes(4, "big") + WHOLE[84:], "big-endian"),
    "not a number": (
        with_corner(float("nan")),
        "1 facet (number 6) with a coordinate that is not",
    ),
    "infinite": (with_corner(float("-inf")), "1 facet (number 6) with a coordinate"),
    "one corner far away": (
        with_corner(1e30),
        "1 facet (number 6) with a coordinate that is not a number or",
    ),
    "at the end of float32": (
        with_corner(3e38),
        "beyond 1,000,000 mm. The file is damaged. Export it",
    ),
    "far away": (binary(shifted(box(), 2e6, 0, 0)), "2e+06 mm from the origin: the coordinates are damaged"),
    "not a number in text": (
        text_with(b"vertex 0 0 0", b"vertex nan 0 0"),
        "a coordinate that is not a number or",
    ),
    "infinite in text": (
        text_with(b"vertex 0 0 0", b"vertex inf 0 0"),
        "a coordinate that is not a number or",
    ),
    "beyond float32": (
        text_with(b"vertex 0 0 0", b"vertex 1e39 0 0"),
        "a coordinate that is not a number or",
    ),
    "equal corners only": (binary(box()[:, [0, 0, 1]]), f"12 facets, {NO_VOLUME}"),
    "all at one point": (binary(np.ones((12, 3, 3), np.float32)), f"12 facets, {NO_VOLUME}"),
    "on a line": (binary(shifted(scaled(box(), 1, 0, 0), 0, 5, 0)), f"12 facets, {NO_VOLUME}"),
    "flat": (binary(merged(box()[:1], box()[:1, ::-1])), f"2 facets, {NO_VOLUME}"),
    "comma as decimal point": (
        text_with(b"vertex 0 0 0", b"vertex 0,000 0 0"),
        "Line 4: the numbers have decimal commas. Export the part as binary STL.",
    ),
    "commas between numbers": (
        text_with(b"vertex 0 0 0", b"vertex 0, 0, 0"),
        "Line 4: there are commas between the numbers. Export the part as binary STL.",
    ),
    "plain text": (b"This part is needed on Friday. Thank you!\n" * 5, "no STL but plain text. Export"),
    "table": (b"x;y;z\n1;2;3\n" * 30, "no STL but a table in text (CSV). Export the part as STL."),
    "Fortran exponent": (text_with(b"vertex 0 0 0", b"vertex 0d+00 0 0"), "Line 4: a number was expected"),
    "hexadecimal": (text_with(b"vertex 0 0 0", b"vertex 0x0p0 0 0"), "Line 4: a number was expected"),
    "underscore": (text_with(b"vertex 0 0 0", b"vertex 0_0 0 0"), "Line 4: a number was expected"),
    "word for a number": (text_with(b"vertex 0 0 0", b"vertex blah 0 0"), "but `blah` is there"),
    "long number": (
        text_with(b"vertex 0 0 0", b"vertex " + b"1" * 3_000_000 + b" 0 0"),
        "A word of more than",
    ),
    "no endsolid": (text_with(b"endsolid part\n", b""), f"after 12 facets without `endsolid`: {CUT_OFF}"),
    "cut in a line": (TEXT[:1000], CUT_OFF),
    "two lines": (b"solid x\n  facet normal 0 0 1\n", CUT_OFF),
    "endfacet missing": (text_with(b"  endfacet\n", b""), "Line 8: `endfacet` was expected, but `facet`"),
    "endloop missing": (text_with(b"    endloop\n", b""), "Line 7: `endloop` was expected, but `endfacet`"),
    "two corners": (text_with(b"      vertex 0 0 0\n", b""), "`vertex` was expected, but `endloop`"),
    "four corners": (
        text_with(b"      vertex 0 0 0\n", b"      vertex 0 0 0\n" * 2),
        "`endloop` was expected, but `vertex`",
    ),
    "two numbers": (text_with(b"vertex 0 0 0", b"vertex 0 0"), "a number was expected, but `vertex`"),
    "four numbers": (text_with(b"vertex 0 0 0", b"vertex 0 0 0 0"), "`vertex` was expected, but `0`"),
    "solid in solid": (
        text_with(b"  endfacet", b"  endfacet\nsolid again"),
        "Line 9: `facet` or `endsolid` was expected",
    ),
    "comment": (text_with(b"  facet", b"# made by hand\n  facet"), "but `#` is there"),
    "facet after the end": (TEXT + b"facet normal 0 0 1\n", "a facet is outside of any solid"),
    "NUL inside": (text_with(b"outer", b"ou\0er"), "but a NUL byte is there"),
    "HTML page": (b"<!DOCTYPE html>\n<html><body>Sign in</body></html>" * 5, "no STL but an HTML page"),
    "short HTML page": (b"<html></html>", "no STL but an HTML page"),
    "comments in any number": (b"<!---->" * 580 + b"x", "no STL but plain text"),
    "HTML page behind comments": (b"<!-- a -->\n" * 50 + b"<html></html>", "no STL but an HTML page"),
    "control characters": (
        text_with(b"vertex 0 0 0", b"vertex 0\x7f\xff 0 0"),
        "a number was expected, but `0?�` is there",
    ),
    "solid, but HTML": (
        b"solid state drives <html>\n<p>cheap</p>\n" * 5,
        "`facet` or `endsolid` was expected",
    ),
    "gzip": (gzip.compress(WHOLE), "a gzip archive"),
    "3MF": (b"PK\x03\x04" + bytes(200), "a ZIP archive, or a 3MF file"),
    "PDF": (b"%PDF-1.7\n" + b"x" * 200, "a PDF document"),
    "PNG": (b"\x89PNG\r\n\x1a\n" + bytes(200), "a PNG picture"),
    "JPEG": (b"\xff\xd8\xff\xe0" + bytes(200), "a JPEG picture"),
    "OBJ": (b"# made by hand\nmtllib x.mtl\no box\nv 0 0 0\nv 1 0 0\n" * 5, "an OBJ mesh"),
    "PLY": (b"ply\nformat ascii 1.0\n" + b"x" * 100, "a PLY mesh"),
    "STEP": (b"ISO-10303-21;\nHEADER;\n" + b"x" * 100, "a STEP file"),
    "G-code": (b"; sliced\nG28\nG1 X0 Y0\n" + b"G1 X1\n" * 50, "G-code"),
    "JSON": (b'{"message": "not found"}' + b" " * 100, "a JSON file"),
    "XML": (b"<?xml version='1.0'?><amf></amf>" + b" " * 100, "an XML file"),
    "Git LFS": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "a Git LFS pointer"),
    "AppleDouble": (b"\x00\x05\x16\x07\x00\x02\x00\x00" + bytes(200), "AppleDouble"),
    "UTF-16 LE": (TEXT.decode().encode("utf-16-le"), "text in UTF-16"),
    "UTF-16 BE": (TEXT.decode().encode("utf-16-be"), "text in UTF-16"),
    "UTF-16 with mark": (TEXT.decode().encode("utf-16"), "text in UTF-16"),
    "zeros": (bytes(1 << 20), "begin with zeros only: the copy failed"),
    "random": (np.random.default_rng(1).bytes(4096), CUT_OFF),
}
