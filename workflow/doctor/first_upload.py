"""One small cube, uploaded on request, shows what no document says: whether slicing makes a build."""

import io
import struct
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import product

from workflow.doctor.first_contact import Observation, units_text
from workflow.eiger import BuildDetail, BuildFilter, EigerClient, PartVersion, UploadResult
from workflow.frozen import frozen
from workflow.pipeline.build_search import holds_part_version, search_builds_by
from workflow.pipeline.part_units import units_of
from workflow.pipeline.time_bounds import not_before

CUBE_MM = 20.0
POLL_SECONDS = 2.0
MAX_BUILDS_READ = 20
WHOLE_SECONDS = 2
"""Times of replies are whole seconds: a smaller difference says nothing."""


@frozen
class Pace:
    """How long to watch, by which clock; a test turns the clock."""

    limit_seconds: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def cube_stl() -> bytes:
    """Return a binary STL of a closed cube of CUBE_MM."""
    facets = bytearray()
    for axis, side in product(range(3), (0.0, CUBE_MM)):
        u, v = (axis + 1) % 3, (axis + 2) % 3
        corners = []
        for at_u, at_v in ((0.0, 0.0), (CUBE_MM, 0.0), (CUBE_MM, CUBE_MM), (0.0, CUBE_MM)):
            point = [0.0, 0.0, 0.0]
            point[axis], point[u], point[v] = side, at_u, at_v
            corners.append(point)
        order = (0, 1, 2, 0, 2, 3) if side else (0, 2, 1, 0, 3, 2)
        for at in (0, 3):
            three = [corners[each] for each in order[at : at + 3]]
            facets += struct.pack("<12fH", 0, 0, 0, *(value for point in three for value in point), 0)
    return b"stlflow first contact".ljust(80, b"\0") + struct.pack("<I", 12) + bytes(facets)


def observe_upload(client: EigerClient, preset_id: str | None, pace: Pace) -> Iterator[Observation]:
    """Upload the cube, and yield what becomes of it; nothing is sent to a printer. Raises CloudError."""
    name = f"stlflow first contact {datetime.now(UTC):%Y-%m-%d %H%M%S}.stl"
    began = pace.clock()
    sent = client.upload_stl(io.BytesIO(cube_stl()), name, settings_preset_id=preset_id)
    yield Observation("uploaded", name, f"Uploaded '{name}': part version {sent.part_version_id}.")
    status = _wait_for_slicing(client, sent, pace, began)
    seconds = pace.clock() - began
    says = f"The slice job is {status} after {seconds:.0f} s."
    yield Observation("slice_seconds", round(seconds, 1) if status == "COMPLETED" else None, says)
    version = client.read_part_version(sent.part_version_id)
    yield from _describe_part(client, version, sent, name)
    yield from _watch_for_build(client, version, name, pace, pace.clock())


def _wait_for_slicing(client: EigerClient, sent: UploadResult, pace: Pace, began: float) -> str:
    while True:
        status = client.get_slice_status(sent.slice_job_id)
        if status.ended or pace.clock() - began > pace.limit_seconds:
            return status.status.upper()
        pace.sleep(POLL_SECONDS)


def _describe_part(
    client: EigerClient, version: PartVersion, sent: UploadResult, name: str
) -> Iterator[Observation]:
    units = units_of(version.settings)
    yield Observation("units", units.units, f"The cube of {CUBE_MM:g} was taken for {units_text(units)}.")
    yield Observation("scale", units.scale, f"The scale is {units.scale or 'not named'}.")
    same = version.title in {name, name.removesuffix(".stl")}
    yield Observation(
        "part_title", "file name" if same else "other", f"The part is titled '{version.title}'."
    )
    made_at = client.read_part(version.part_id).created_at if version.part_id else None
    if made_at is not None and sent.server_time is not None:
        ahead = round((sent.server_time - made_at).total_seconds())
        ahead = 0 if abs(ahead) <= WHOLE_SECONDS else ahead
        says = f"The time of replies is {ahead:+d} s from the time of the records in them."
        yield Observation("date_ahead_seconds", ahead, says)


def _watch_for_build(
    client: EigerClient, version: PartVersion, name: str, pace: Pace, sliced: float
) -> Iterator[Observation]:
    """Yield whether a build appears by itself within the limit, when, and with what title."""
    while True:
        build = find_build_of(client, version)
        waited = pace.clock() - sliced
        if build is not None or waited > pace.limit_seconds:
            break
        pace.sleep(POLL_SECONDS)
    if build is None:
        yield Observation(
            "builds", "manual", f"No build appeared within {waited:.0f} s: a person has to make it."
        )
        return
    yield Observation("builds", "auto", f"A build appeared by itself, {waited:.0f} s after slicing.")
    yield Observation("build_delay_seconds", round(waited, 1), f"Parts in that build: {build.part_count}.")
    same = build.title in {version.title, name, name.removesuffix(".stl")}
    says = f"The build is titled '{build.title}'{'' if same else ': another title than its part has'}."
    yield Observation("build_title", "part title" if same else "other", says)


def find_build_of(client: EigerClient, version: PartVersion) -> BuildDetail | None:
    """Return a build that holds the part version: searched by title, then by time. Raises CloudError."""
    recent = BuildFilter(created_from=not_before(datetime.now(UTC)))
    for filters in (BuildFilter(title=version.title), recent):
        for build in search_builds_by(client, filters, MAX_BUILDS_READ):
            if holds_part_version(build, version.id):
                return build
    return None
