"""A client of the simulator in plain `requests`, which shares nothing with the product's client."""

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import requests

from workflow.simulator import SimulatorOptions, running_simulator

Point = tuple[float, float, float]
Triangle = tuple[Point, Point, Point]

UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
TIMEOUT_SECONDS = 20


class Caller:
    """Calls one running simulator, with its keys or others."""

    def __init__(self, url: str, keys: tuple[str, str] | None = ("demo", "demo")) -> None:
        self.url = url
        self.root = url.removesuffix("/api/v3")
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.auth = keys

    def call(self, method: str, path: str, **how: Any) -> requests.Response:
        return self.session.request(method, self.url + path, **{"timeout": TIMEOUT_SECONDS, **how})

    def get(self, path: str, **query: str | int) -> Any:
        """Return the JSON of a GET that must succeed; `a__b` is the parameter `a[b]`."""
        reply = self.call("GET", path, params={bracketed(name): value for name, value in query.items()})
        assert reply.status_code == 200, reply.text
        return reply.json()

    def send(self, method: str, path: str, body: object = None) -> requests.Response:
        return self.call(method, path, json=body)

    def made(self, path: str, body: object = None) -> Any:
        """Return the JSON of a POST that must succeed."""
        reply = self.send("POST", path, body)
        assert reply.status_code == 201, reply.text
        return reply.json()

    def refusal(self, method: str, path: str, body: object = None, **query: str | int) -> tuple[int, str]:
        """Return status and message of a call that must be refused as the contract says."""
        params = {bracketed(name): value for name, value in query.items()}
        reply = self.call(method, path, json=body, params=params)
        assert int(reply.headers["X-Reference-ID"]) > 0
        assert set(reply.json()) == {"message"}
        return reply.status_code, reply.json()["message"]

    def upload(self, stl: bytes, name: str = "bracket.stl", **fields: str) -> requests.Response:
        return self.call("POST", "/parts/upload_stl", files={"stlFile": (name, stl)}, data=fields)

    def part(self, stl: bytes, name: str = "bracket.stl", **fields: str) -> dict[str, str]:
        """Upload an STL and return its slice_job_id and part_version_id."""
        reply = self.upload(stl, name, **fields)
        assert reply.status_code == 201, reply.text
        made: dict[str, str] = reply.json()
        return made

    def build(self, name: str = "bracket.stl", size_mm: float = 10.0, preset: str = "Onyx") -> str:
        """Upload a cube (with instant slicing) and return the id of its build."""
        self.part(cube(size_mm), name, settingsPresetId=self.preset(preset))
        newest = self.get("/builds", sort__order="desc", page__size=1)["items"][0]
        assert newest["title"] == name.removesuffix(".stl")
        return str(newest["id"])

    def preset(self, title: str) -> str:
        return next(str(each["id"]) for each in self.get("/parts/settings_presets") if each["title"] == title)

    def device(self, name: str) -> dict[str, Any]:
        return next(each for each in self.get("/devices")["items"] if name in each["name"])

    def control(self, method: str, path: str, body: object = None, **query: str | int) -> Any:
        reply = self.session.request(
            method, f"{self.root}/_sim/{path}", json=body, params=query, timeout=TIMEOUT_SECONDS
        )
        assert reply.status_code == 200, reply.text
        return reply.json()

    def advance(self, seconds: float) -> None:
        self.control("POST", "clock", {"advance_seconds": seconds})

    def fault(self, operation: str, kind: str, **details: object) -> None:
        self.control("POST", "faults", {"operation": operation, "kind": kind, **details})


@contextmanager
def calling(options: SimulatorOptions | None = None) -> Iterator[Caller]:
    """Run a simulator and call it."""
    with running_simulator(options or SimulatorOptions(slice_seconds=0)) as url:
        caller = Caller(url)
        with caller.session:
            yield caller


def bracketed(name: str) -> str:
    """Return `filter[title][eq]` for `filter__title__eq`."""
    first, *rest = name.split("__")
    return first + "".join(f"[{part}]" for part in rest)


def cube_facets(size_mm: float = 10.0) -> list[Triangle]:
    corners: list[Point] = [(x, y, z) for x in (0.0, size_mm) for y in (0.0, size_mm) for z in (0.0, size_mm)]
    faces = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))
    halves = [half for a, b, c, d in faces for half in ((a, b, c), (a, c, d))]
    return [(corners[a], corners[b], corners[c]) for a, b, c in halves]


def binary(facets: Sequence[Triangle], header: bytes = b"made by a test") -> bytes:
    records = (struct.pack("<12fH", 0, 0, 0, *a, *b, *c, 0) for a, b, c in facets)
    return header.ljust(80, b"\0") + struct.pack("<I", len(facets)) + b"".join(records)


def ascii_text(facets: Sequence[Triangle], line_end: str = "\n") -> bytes:
    lines = ["solid part"]
    for facet in facets:
        corners = [f"vertex {x:g} {y:g} {z:g}" for x, y, z in facet]
        lines += ["facet normal 0 0 0", "outer loop", *corners, "endloop", "endfacet"]
    return line_end.join([*lines, "endsolid part", ""]).encode()


def cube(size_mm: float = 10.0) -> bytes:
    return binary(cube_facets(size_mm))
