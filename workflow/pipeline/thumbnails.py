"""Thumbnails of inspected parts: those of the newest, in the state folder of the machine that took them.

The name has the content in it: a restored database counts on from an earlier number, with other parts.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from workflow.mesh import Inspector
from workflow.model import Submission

THUMBNAILS_FOLDER = "thumbnails"
"""In the state folder."""
MAX_THUMBNAILS = 500
"""One to two kB each."""
MAX_THUMBNAIL_BYTES = 64 * 2**10
MAX_FILE_BYTES = 200 * 2**20
"""Larger parts get none."""
_NAME = re.compile(r"(\d{1,12})-[0-9a-f]{8}\.png")
_UNFINISHED = ".tmp"


def read_thumbnail(folder: Path, submission: Submission) -> bytes | None:
    """Return the thumbnail of a submission as PNG; None if there is none. `folder` is in the state folder."""
    place = thumbnail_path(folder, submission)
    if place is None:
        return None
    try:
        with place.open("rb") as file:
            content = file.read(MAX_THUMBNAIL_BYTES + 1)
    except OSError:
        return None
    return content if content.startswith(b"\x89PNG") and len(content) <= MAX_THUMBNAIL_BYTES else None


def thumbnail_path(folder: Path, submission: Submission) -> Path | None:
    """Return where the thumbnail of a submission is, drawn or not; None before its content is known."""
    if not submission.sha256:
        return None
    return folder / f"{submission.id}-{submission.sha256[:8]}.png"


def needs_thumbnail(folder: Path, submission: Submission) -> bool:
    """True for a part that was measured, is small enough to be drawn, and has no thumbnail yet."""
    mesh, place = submission.mesh, thumbnail_path(folder, submission)
    if place is None or mesh is None or not mesh.triangles or not any(mesh.size_mm):
        return False
    return (submission.size or 0) <= MAX_FILE_BYTES and not place.exists()


def write_thumbnail(inspector: Inspector, source: Path, place: Path) -> bool:
    """Draw a part and put the picture there; False if it is too large. Raises OSError, InspectionFailed."""
    place.parent.mkdir(mode=0o700, exist_ok=True)
    unfinished = place.with_suffix(_UNFINISHED)
    try:
        inspector.draw_thumbnail(source, unfinished)
        if unfinished.stat().st_size > MAX_THUMBNAIL_BYTES:
            return False
        unfinished.replace(place)
    finally:
        unfinished.unlink(missing_ok=True)
    return True


def remove_old_thumbnails(folder: Path, most: int = MAX_THUMBNAILS) -> None:
    """Remove all but the thumbnails of the `most` newest submissions. Other files stay."""
    with suppress(OSError):
        numbered = sorted(_list_numbered(folder), reverse=True)
        for _, place in numbered[most:]:
            place.unlink(missing_ok=True)


def _list_numbered(folder: Path) -> Iterator[tuple[int, Path]]:
    for place in folder.iterdir():
        if (found := _NAME.fullmatch(place.name)) is not None:
            yield int(found[1]), place
