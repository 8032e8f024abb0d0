"""Make the sample parts and their manifest, the same bytes every time.

    python samples/make_samples.py [FOLDER]

Writes beside itself unless a folder is given.
"""

import json
import struct
import sys
from collections.abc import Callable, Sequence
from math import sqrt
from pathlib import Path

from solids import Facet, Flat, Point, arc, circle, extrude, turn

Encoding = Callable[[str, Sequence[Facet]], bytes]


# Formats


def binary(name: str, facets: Sequence[Facet], header: str = "binary STL of {}") -> bytes:
    """Give a binary STL."""
    body = b"".join(
        struct.pack("<12fH", *_normal(facet), *(value for corner in facet for value in corner), 0)
        for facet in facets
    )
    return header.format(name).encode().ljust(80, b"\0") + struct.pack("<I", len(facets)) + body


def binary_that_says_solid(name: str, facets: Sequence[Facet]) -> bytes:
    """Give a binary STL whose header begins like an ASCII one, as several CAD programs write it."""
    return binary(name, facets, header="solid {}")


def ascii_text(name: str, facets: Sequence[Facet]) -> bytes:
    """Give an ASCII STL with LF line ends."""
    lines = [f"solid {name}"]
    for facet in facets:
        lines += [f"  facet normal {_words(_normal(facet), '.5f')}", "    outer loop"]
        lines += [f"      vertex {_words(corner, 'g')}" for corner in facet]
        lines += ["    endloop", "  endfacet"]
    return "\n".join([*lines, f"endsolid {name}", ""]).encode()


def ascii_crlf(name: str, facets: Sequence[Facet]) -> bytes:
    """Give an ASCII STL with the line ends of Windows."""
    return ascii_text(name, facets).replace(b"\n", b"\r\n")


def _words(point: Point, form: str) -> str:
    return " ".join(f"{value:{form}}" for value in point)


def _normal(facet: Facet) -> Point:
    (ax, ay, az), b, c = facet
    ux, uy, uz = b[0] - ax, b[1] - ay, b[2] - az
    vx, vy, vz = c[0] - ax, c[1] - ay, c[2] - az
    x, y, z = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    length = sqrt(x * x + y * y + z * z) or 1.0
    return x / length + 0.0, y / length + 0.0, z / length + 0.0


# Good parts


def bracket() -> list[Facet]:
    """Give a shelf bracket: an L with a brace and two screw holes."""
    outline: list[Flat] = [(0, 0), (80, 0), (80, 10), (20, 60), (20, 70), (0, 70)]
    window: list[Flat] = [(16, 12), (56, 12), (16, 45)]
    return extrude(outline, 12, [window, circle(3, 24, (70, 5.5)), circle(3, 24, (10, 62))])


def gear() -> list[Facet]:
    """Give a spur gear of 20 teeth, 44 mm across, with a 10 mm bore."""
    tooth = ((18.0, 0.0), (18.0, 7.0), (22.0, 10.5), (22.0, 14.5))
    outline = [
        arc(radius, 18 * number + angle, 18 * number + angle, 2)[0]
        for number in range(20)
        for radius, angle in tooth
    ]
    return extrude(outline, 10, [circle(5, 40)])


def knob() -> list[Facet]:
    """Give a knob with six lobes and a blind hole."""
    profile: list[Flat] = [(0, 6), (4, 6), (4, 0), (9, 0), (9, 6), (18, 8), (18, 18), (14, 22), (0, 22)]
    return turn(profile, 36, lambda radius, step: radius * (0.85 if step % 6 == 0 and radius > 9 else 1))


def flange() -> list[Facet]:
    """Give a pipe flange, 90 mm across, with six bolt holes."""
    bolts = [circle(4.5, 16, arc(35, 60 * number, 60 * number, 2)[0]) for number in range(6)]
    return extrude(circle(45, 72), 10, [circle(20, 48), *bolts])


def tube() -> list[Facet]:
    """Give a tube of 150 mm: tall, so that it prints for longer than a shift."""
    return turn([(14, 0), (22, 0), (22, 150), (14, 150)], 96)


def clip() -> list[Facet]:
    """Give a spring clip for a 16 mm pipe."""
    outer, inner = arc(11, -225, 45, 48), arc(8, 45, -225, 48)
    return extrude([*outer, *inner], 15)


def gasket() -> list[Facet]:
    """Give a flat gasket of 1 mm with four holes and an opening."""
    corner_holes = [circle(2.5, 20, (x, y)) for x in (7, 83) for y in (7, 53)]
    opening: list[Flat] = [(15, 15), (75, 15), (75, 45), (15, 45)]
    return extrude([(0, 0), (90, 0), (90, 60), (0, 60)], 1, [opening, *corner_holes])


def pulley() -> list[Facet]:
    """Give a V-belt pulley."""
    profile: list[Flat] = [(4, 0), (25, 0), (25, 3), (19, 7), (25, 11), (25, 14), (10, 14), (10, 20), (4, 20)]
    return turn(profile, 72)


def hinge() -> list[Facet]:
    """Give a hinge leaf: an eye for the pin, and a plate with a slot."""
    eye = arc(6, -120, 160, 40, (0, 4))
    plate: list[Flat] = [(-45, 6), (-45, 0), (-4, 0)]
    slot: list[Flat] = [(-38, 2), (-14, 2), (-14, 4), (-38, 4)]
    return extrude([*eye, *plate], 40, [circle(2.5, 24, (0, 4)), slot])


def nozzle() -> list[Facet]:
    """Give a nozzle with a tapered bore."""
    return turn([(3, 0), (8, 0), (8, 12), (5, 24), (4, 24), (1.5, 24), (1.5, 14)], 64)


# Bad parts


def truncated() -> bytes:
    """Give a bracket whose copy broke off."""
    whole = binary("bracket", bracket())
    return whole[: len(whole) * 2 // 3]


def with_nan() -> bytes:
    """Give a gasket with one coordinate that is no number."""
    first, *others = gasket()
    return binary("gasket", [((float("nan"), 0.0, 0.0), first[1], first[2]), *others])


def with_a_hole() -> bytes:
    """Give a pulley that lacks three facets."""
    return binary("pulley", pulley()[3:])


def web_page() -> bytes:
    """Give the sign-in page that a browser saved in place of the part."""
    return (
        b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head>\n"
        b"<body><h1>Your session has ended</h1><p>Sign in to download bracket.stl.</p></body></html>\n"
    )


def in_inches() -> bytes:
    """Give a good part of 30 mm as a CAD program exports it in inches: 1.18 long."""
    facets = extrude([(0, 0), (30, 0), (30, 12), (12, 12), (12, 20), (0, 20)], 8)
    return binary("stop", [(_inches(a), _inches(b), _inches(c)) for a, b, c in facets])


def _inches(point: Point) -> Point:
    x, y, z = point
    return x / 25.4, y / 25.4, z / 25.4


GOOD: list[tuple[str, Callable[[], list[Facet]], Encoding, str, str]] = [
    ("bracket.stl", bracket, binary, "Onyx", "job_request"),
    ("clip.stl", clip, ascii_text, "Onyx", "job_request"),
    ("flange.stl", flange, ascii_crlf, "Onyx", "job_request"),
    ("gasket.stl", gasket, binary, "Onyx", "job_request"),
    ("gear.stl", gear, binary_that_says_solid, "Onyx", "job_request"),
    ("knob.stl", knob, ascii_text, "Onyx", "job_request"),
    ("pulley.stl", pulley, binary, "Onyx", "job_request"),
    ("tube.stl", tube, binary, "Onyx", "backlog"),
    ("metal/nozzle.stl", nozzle, binary, "17-4 PH", "job_request"),
    ("rush/hinge.stl", hinge, binary, "Onyx", "device_queue"),
]
BAD: list[tuple[str, Callable[[], bytes], str, str]] = [
    ("bad/empty.stl", lambda: binary("nothing", []), "rejected", "no facets"),
    ("bad/inches.stl", in_inches, "held", "millimeters"),
    ("bad/nan.stl", with_nan, "rejected", "not a number"),
    ("bad/open.stl", with_a_hole, "held", "Hole"),
    ("bad/truncated.stl", truncated, "rejected", "cut off"),
    ("bad/web_page.stl", web_page, "rejected", "HTML page"),
]


def write(folder: Path) -> None:
    """Write every part and the manifest of what each must end as under the rules that ship."""
    entries: list[dict[str, str | None]] = []
    for path, shape, encode, preset, destination in GOOD:
        _put(folder / path, encode(Path(path).stem, shape()))
        entries.append(_entry(path, "dispatched", preset, destination, None))
    for path, content, state, reason in BAD:
        _put(folder / path, content())
        entries.append(_entry(path, state, None, None, reason))
    _put(folder / "manifest.json", (json.dumps({"samples": entries}, indent=2) + "\n").encode())


def _entry(
    path: str, state: str, preset: str | None, destination: str | None, reason: str | None
) -> dict[str, str | None]:
    return {"path": path, "state": state, "preset": preset, "destination": destination, "reason": reason}


def _put(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
