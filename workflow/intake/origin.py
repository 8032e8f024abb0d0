"""Where a folder stands, said the same way on every machine that sees it.

The same share is mounted elsewhere on each machine: a path on this machine says nothing to another one.
"""

import re
from contextlib import suppress
from pathlib import Path, PurePath, PurePosixPath

from workflow.intake.marker import read_marker

_MOUNTS = Path("/proc/self/mountinfo")
_SERVED = re.compile(r"//|[^/\s]+:/")
"""How the source of a mount begins that a server gives to several machines: `//nas/cad`, `nas:/export`."""


def origin_of(folder: Path, host: str, mounts: Path = _MOUNTS) -> str:
    """Name a folder: by the marker of the share it lies in, else by its server, else by this `host`.

    Raises OSError when a share can't be read now.
    """
    place = folder.resolve()
    for above in (place, *place.parents):
        with suppress(PermissionError):  # a folder of others high above may be shut
            if (share_id := read_marker(above)) is not None:
                return _joined(f"share {share_id}", place.relative_to(above))
    if (served := _served_as(place, mounts)) is not None:
        return served
    return place.as_posix() if place.drive.startswith("\\\\") else f"{host}:{place.as_posix()}"


def _served_as(place: Path, mounts: Path) -> str | None:
    """Give the server's name for a place on a network mount; None elsewhere, or where nobody can tell."""
    try:
        lines = mounts.read_text("utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    sources = dict(map(_place_and_source, lines))  # the last mount on a place is what is seen
    for above in (place, *place.parents):
        source = sources.get(str(above))
        if source is not None:
            return _joined(source, place.relative_to(above)) if _SERVED.match(source) else None
    return None


def _place_and_source(line: str) -> tuple[str, str]:
    """`36 35 0:52 /cad /mnt/cad rw - nfs4 nas:/export rw`: /mnt/cad shows nas:/export/cad (proc(5))."""
    before, _, after = line.partition(" - ")
    own, its = before.split(" "), after.split(" ")
    return _plain(own[4]), _joined(_plain(its[1]), PurePosixPath(_plain(own[3]).lstrip("/")))


def _plain(written: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda escape: chr(int(escape[1], 8)), written)


def _joined(top: str, below: PurePath) -> str:
    return "/".join((top.rstrip("/"), *below.parts))
