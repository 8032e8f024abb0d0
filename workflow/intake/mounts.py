"""What is mounted where: /proc/self/mountinfo, read in one place."""

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

MOUNTS_FILE = Path("/proc/self/mountinfo")


@dataclass(frozen=True, slots=True)
class Mount:
    """One mount: its place, the kind of file system, its options, and what it shows (`nas:/export/cad`)."""

    place: str
    kind: str
    options: tuple[str, ...]
    source: str


def find_mount(folder: Path, mounts: Path = MOUNTS_FILE) -> Mount | None:
    """Return the mount that a folder is on; None where the system does not say."""
    try:
        lines = mounts.read_text("utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    by_place = {mount.place: mount for mount in map(_parse_mount, lines)}  # the last mount on a place is seen
    place = folder.resolve()
    return next((by_place[str(above)] for above in (place, *place.parents) if str(above) in by_place), None)


def file_system_type(folder: Path, mounts: Path = MOUNTS_FILE) -> str | None:
    """Return the kind of file system of a folder, such as `ext4`; None where the system does not say."""
    mount = find_mount(folder, mounts)
    return None if mount is None else mount.kind


def mount_options(folder: Path, mounts: Path = MOUNTS_FILE) -> tuple[str, ...]:
    """Return the options of the mount of a folder, such as `ro` or `actimeo=30`; none where unknown."""
    mount = find_mount(folder, mounts)
    return () if mount is None else mount.options


def join_source(top: str, below: PurePosixPath) -> str:
    """Return a path below the source of a mount: `nas:/export` and `cad` make `nas:/export/cad`."""
    return "/".join((top.rstrip("/"), *below.parts))


def _parse_mount(line: str) -> Mount:
    """Parse `36 35 98:0 /cad /mnt/cad rw,noatime master:1 - nfs4 nas:/export rw` (proc(5))."""
    before, _, after = line.partition(" - ")
    own, its = before.split(" "), after.split(" ")
    options = (*own[5].split(","), *(option for part in its[2:] for option in part.split(",")))
    source = join_source(_unescape(its[1]), PurePosixPath(_unescape(own[3]).lstrip("/")))
    return Mount(_unescape(own[4]), its[0], options, source)


def _unescape(written: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda escape: chr(int(escape[1], 8)), written)
