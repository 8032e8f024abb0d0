"""Closed solids from outlines: extruding a flat shape with holes, and turning a profile on a lathe.

Only the standard library, and coordinates rounded to 0.1 µm, so that every machine makes the same bytes.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise
from math import cos, pi, sin

Flat = tuple[float, float]
Point = tuple[float, float, float]
Facet = tuple[Point, Point, Point]


def circle(radius: float, corners: int, at: Flat = (0, 0)) -> list[Flat]:
    """Give a regular polygon, counter-clockwise."""
    return arc(radius, 0, 360 - 360 / corners, corners, at)


def arc(radius: float, start: float, end: float, corners: int, at: Flat = (0, 0)) -> list[Flat]:
    """Give points on a circle from one angle to another, in degrees, both included."""
    angles = [(start + (end - start) * step / (corners - 1)) * pi / 180 for step in range(corners)]
    return [(at[0] + radius * cos(angle), at[1] + radius * sin(angle)) for angle in angles]


def extrude(outline: list[Flat], height: float, holes: list[list[Flat]] | None = None) -> list[Facet]:
    """Raise a flat shape (counter-clockwise, holes too) to a height."""
    loops = [_rounded(outline), *(_rounded(hole)[::-1] for hole in holes or [])]
    facets: list[Facet] = []
    for a, b, c in _triangles(loops):
        facets += [((*a, height), (*b, height), (*c, height)), ((*a, 0.0), (*c, 0.0), (*b, 0.0))]
    for loop in loops:
        for a, b in pairwise([*loop, loop[0]]):
            facets += _quad((*a, 0.0), (*b, 0.0), (*b, height), (*a, height))
    return facets


def turn(profile: list[Flat], corners: int, grip: Callable[[float, int], float] | None = None) -> list[Facet]:
    """Turn a closed profile of (radius, height) around the z axis; a radius of 0 closes it on the axis.

    `grip` may change the radius at a step of the turn, for grooves or lobes.
    """
    facets: list[Facet] = []
    for step in range(corners):
        here, there = (_meridian(profile, turned, corners, grip) for turned in (step, (step + 1) % corners))
        around = zip(pairwise([*here, here[0]]), pairwise([*there, there[0]]), strict=True)
        for (a, b), (a_next, b_next) in around:
            facets += _quad(a, a_next, b_next, b)
    return facets


def _meridian(
    profile: list[Flat], step: int, corners: int, grip: Callable[[float, int], float] | None
) -> list[Point]:
    angle = 2 * pi * step / corners
    radii = [grip(radius, step) if grip else radius for radius, _ in profile]
    return [
        _rounded_point((radius * cos(angle), radius * sin(angle), height))
        for radius, (_, height) in zip(radii, profile, strict=True)
    ]


def _quad(a: Point, b: Point, c: Point, d: Point) -> Iterator[Facet]:
    """Give the two facets of a quad, or one where it is a triangle, or none."""
    return (facet for facet in ((a, b, c), (a, c, d)) if len(set(facet)) == 3)


def _triangles(loops: list[list[Flat]]) -> Iterator[tuple[Flat, Flat, Flat]]:
    """Cut ears off a polygon whose holes were joined to it by bridges."""
    ring = loops[0]
    for index, hole in enumerate(loops[1:], start=1):
        ring = _bridged(ring, hole, loops[index + 1 :])
    while len(ring) > 3:
        ear = next(at for at in range(len(ring)) if _is_ear(ring, at))
        yield ring[ear - 1], ring[ear], ring[(ear + 1) % len(ring)]
        ring = ring[:ear] + ring[ear + 1 :]
    yield ring[0], ring[1], ring[2]


def _bridged(ring: list[Flat], hole: list[Flat], others: list[list[Flat]]) -> list[Flat]:
    """Join a hole to the ring by the shortest bridge that crosses nothing."""
    edges = [edge for loop in (ring, hole, *others) for edge in pairwise([*loop, loop[0]])]
    bridges = sorted(
        ((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2, i, j)
        for i, a in enumerate(ring)
        for j, b in enumerate(hole)
    )
    _, i, j = next(
        (length, i, j)
        for length, i, j in bridges
        if _opens_towards(ring, i, hole[j]) and not any(_cross(ring[i], hole[j], *edge) for edge in edges)
    )
    return [*ring[: i + 1], *hole[j:], *hole[: j + 1], *ring[i:]]


def _opens_towards(ring: list[Flat], at: int, point: Flat) -> bool:
    """Tell whether a point lies within a corner; the two ends of a bridge pass the same place twice."""
    before, corner, after = ring[at - 1], ring[at], ring[(at + 1) % len(ring)]
    left_of_both = (_turn(before, corner, point) > 0, _turn(corner, after, point) > 0)
    return all(left_of_both) if _turn(before, corner, after) > 0 else any(left_of_both)


def _is_ear(ring: list[Flat], at: int) -> bool:
    a, b, c = ring[at - 1], ring[at], ring[(at + 1) % len(ring)]
    if _turn(a, b, c) <= 0:
        return False
    inside = (min(_turn(a, b, p), _turn(b, c, p), _turn(c, a, p)) >= 0 for p in ring if p not in {a, b, c})
    return not any(inside)


def _cross(a: Flat, b: Flat, c: Flat, d: Flat) -> bool:
    return _turn(a, b, c) * _turn(a, b, d) < 0 and _turn(c, d, a) * _turn(c, d, b) < 0


def _turn(a: Flat, b: Flat, c: Flat) -> float:
    """Give twice the area of a triangle: positive when it turns left."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _rounded(loop: list[Flat]) -> list[Flat]:
    return [(round(x, 4) + 0.0, round(y, 4) + 0.0) for x, y in loop]


def _rounded_point(point: Point) -> Point:
    x, y, z = (round(value, 4) + 0.0 for value in point)
    return x, y, z
