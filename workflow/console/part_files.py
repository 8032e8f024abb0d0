"""Files of one submission: the part itself, its note, its picture and its thumbnail."""

from collections.abc import Callable, Iterator
from io import FileIO
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from workflow.console.access import console_of
from workflow.console.console import Console
from workflow.console.render import respond
from workflow.console.static_files import STATIC
from workflow.console.streams import stream_file
from workflow.errors import NotAPlainFile, ShareError
from workflow.frozen import frozen
from workflow.intake.fs import open_folder, open_regular_file
from workflow.model import Submission
from workflow.notes import is_note, is_picture, note_path, picture_path
from workflow.pipeline.thumbnails import THUMBNAILS_FOLDER, read_thumbnail

MAX_SHOWN_BYTES = 4 << 20
MISSING = "The file is not where stlflow left it: someone moved it, or it is on another machine."
_FINAL = "private, max-age=86400"


@frozen
class PartFile:
    """A file of a submission that can be downloaded."""

    name: str
    kind: str
    address: str
    size: int


def place_of(console: Console, submission: Submission) -> Path:
    """Return where the file of a submission is, or was."""
    claimed = submission.claimed_as or submission.path
    return Path(claimed) if submission.left_in_place else console.share.root / PurePosixPath(claimed)


def note_place_of(console: Console, submission: Submission) -> Path:
    """Return beside which path the note is: of a file that was left in place, in the outcome folders."""
    if submission.left_in_place and submission.placed_as:
        return console.share.root / PurePosixPath(submission.placed_as)
    return place_of(console, submission)


def list_files(console: Console, submission: Submission) -> Iterator[PartFile]:
    """Yield the files of a submission that are there; none while the share does not answer."""
    try:
        beside = note_place_of(console, submission)
    except ShareError:
        return
    for kind, address, place in (
        ("Part", "file", place_of(console, submission)),
        ("Note", "note.txt", note_path(beside)),
        ("Picture", "picture.png", picture_path(beside)),
    ):
        try:
            yield PartFile(place.name, kind, f"/s/{submission.id}/{address}", place.lstat().st_size)
        except OSError:
            continue


def open_part(console: Console, submission: Submission) -> FileIO:
    """Return the part's file, open for reading; no link is followed. Raises HTTPException 404."""
    place, root = place_of(console, submission), console.share.root
    below = () if submission.left_in_place else place.parent.relative_to(root).parts
    try:
        with open_folder(place.parent if submission.left_in_place else root, below) as folder:
            return FileIO(open_regular_file(folder, place.name))
    except (OSError, NotAPlainFile, ValueError):
        raise HTTPException(404, MISSING) from None


def respond_part(request: Request) -> Response:
    """Return the part's file as a download."""
    console = console_of(request)
    submission = console.ledger.get(request.path_params["number"])
    file = open_part(console, submission)
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(PurePosixPath(submission.path).name)}",
        "Cache-Control": "no-store",
    }
    return stream_file(file, "model/stl", headers)


def respond_note(request: Request) -> Response:
    """Return the note as plain text."""
    console = console_of(request)
    place = note_path(note_place_of(console, console.ledger.get(request.path_params["number"])))
    if not _is(is_note, place):
        raise HTTPException(404, "There is no note: the file moved, or someone removed it.")
    return respond(request, _read(place), "text/plain; charset=utf-8")


def respond_picture(request: Request) -> Response:
    """Return the large picture of a part, where one was drawn; otherwise its thumbnail."""
    console = console_of(request)
    submission = console.ledger.get(request.path_params["number"])
    place = picture_path(note_place_of(console, submission))
    if _is(is_picture, place):
        return respond(request, _read(place), "image/png")
    return respond_thumbnail(request)


def respond_thumbnail(request: Request) -> Response:
    """Return the thumbnail of a part; a drawing of any part where there is none."""
    console = console_of(request)
    submission = console.ledger.get(request.path_params["number"])
    content = read_thumbnail(console.settings.state.absolute() / THUMBNAILS_FOLDER, submission)
    if content is None:
        drawing = (STATIC / "part.svg").read_bytes()
        return Response(drawing, headers={"Cache-Control": "no-store"}, media_type="image/svg+xml")
    return Response(content, headers={"Cache-Control": _FINAL}, media_type="image/png")


def _is(test: Callable[[Path], bool], place: Path) -> bool:
    try:
        return test(place)
    except OSError:
        return False


def _read(place: Path) -> bytes:
    """Return a file that was just looked at; a link that came in its place meanwhile is not followed."""
    try:
        with open_folder(place.parent, ()) as folder, FileIO(open_regular_file(folder, place.name)) as file:
            return file.read(MAX_SHOWN_BYTES)
    except (OSError, NotAPlainFile):
        raise HTTPException(404, MISSING) from None
