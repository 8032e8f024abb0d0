"""Dropping a file onto the page: it comes into the inbox as a whole file, and through the same gate as all.

It is written in the inbox under a hidden name, which the inbox passes over, and gets its own name at the end.
"""

import hashlib
import os
import secrets
from asyncio import to_thread
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from loguru import logger
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from workflow.console.access import console_of, visitor_of
from workflow.console.console import Console
from workflow.console.forms import LONGEST_FORM, Refused, check_csrf, own_path
from workflow.console.messages import keep_message
from workflow.console.upload_body import BROKEN, UploadReader, make_parser
from workflow.errors import ShareError, error_reason
from workflow.frozen import frozen
from workflow.intake import INBOX_FOLDER, NameKind, match_path, plan_and_move, printable_path
from workflow.intake.filenames import fit_name
from workflow.intake.fs import open_folder

NEVER_IN_NAMES = frozenset('<>:"/\\|?*')
"""Windows takes none of them in a name."""
MOST_FOLDERS = 100
CUT_OFF = "The upload was cut off. Nothing of the last file was taken."
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)


@frozen
class DropPage:
    """The form for those who do not drag: the folders of the inbox, and the largest file that is taken."""

    folders: tuple[str, ...]
    largest_mb: int
    absence: str


@dataclass(slots=True)
class InboxReceiver:
    """Writes the files of one upload into the inbox."""

    console: Console
    request: Request
    by: str
    person: str
    taken: list[str] = field(default_factory=list)
    _path: str = ""
    _folders: Sequence[str] = ()
    _unfinished: str = ""
    _file: BinaryIO | None = None
    _size: int = 0
    _digest: Any = field(default_factory=hashlib.sha256)

    def begin(self, name: str, fields: dict[str, str]) -> None:
        """Open a hidden file in the inbox. Raises Refused, HTTPException, OSError."""
        check_csrf(self.request, fields.get("csrf", ""))
        self._folders = clean_folder(fields.get("folder", ""))
        self._path = "/".join((*self._folders, clean_name(name)))
        self._unfinished = f".stlflow-{secrets.token_hex(6)}.tmp"
        self._size, self._digest = 0, hashlib.sha256()
        with open_folder(self.console.share.root, (INBOX_FOLDER, *self._folders)) as folder:
            handle = os.open(folder.at(self._unfinished), NEW_FILE, 0o666, dir_fd=folder.fd)
        self._file = os.fdopen(handle, "wb")  # buffered: a raw file may take a part of a piece alone

    def write(self, piece: bytes) -> None:
        """Write the next bytes. Raises Refused for a file that is too large, OSError."""
        self._size += len(piece)
        largest_mb = self.console.settings.largest_file_mb
        if self._size > largest_mb * 2**20:
            raise Refused(too_large_text(self._path, largest_mb))
        if self._file is not None:
            self._file.write(piece)
            self._digest.update(piece)

    def end(self) -> None:
        """Rename the file to its own name: the inbox sees a whole file, or none."""
        if self._file is None:
            return
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._file = None
        here = "/".join((INBOX_FOLDER, *self._folders, self._unfinished))
        if not self._size:
            self.abandon()
            raise Refused(f"{self._path} is empty.")
        self._note_person(self._path)
        placed = plan_and_move(self.console.share, here, self._path, INBOX_FOLDER)
        self._unfinished = ""
        logger.info("{} was dropped at the console by {}", placed, self.by)
        self.taken.append(path := placed.removeprefix(f"{INBOX_FOLDER}/"))
        if path != self._path:
            self._note_person(path)

    def _note_person(self, path: str) -> None:
        """Note who drops it, before a scan can see the file. Raises StateFolderError."""
        if self.person:
            self.console.ledger.console_drops.write(path, self._digest.hexdigest(), self.person)

    def abandon(self) -> None:
        """Remove what is not whole."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
        if self._unfinished:
            with suppress(OSError, ShareError):
                self.console.share.inbox.joinpath(*self._folders, self._unfinished).unlink()
            self._unfinished = ""


def too_large_text(what: str, largest_mb: int) -> str:
    """Return why a file, or a whole upload, is not taken. The page says the same before it sends one."""
    return f"{what} is larger than {largest_mb} MB, the most that is taken."


def refuse_too_large(request: Request, largest_mb: int) -> None:
    """Raise Refused for an upload that says itself that it is larger than any file, before it is read."""
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > largest_mb * 2**20 + LONGEST_FORM:
        raise Refused(too_large_text("The upload", largest_mb))


def clean_name(name: str) -> str:
    """Return a name that every file system takes and that means a part. Raises Refused."""
    last = printable_path(name).replace("\\", "/").rpartition("/")[2]
    clean = "".join("_" if letter in NEVER_IN_NAMES else letter for letter in last).strip(" .")
    if match_path(clean).kind is not NameKind.PART:
        is_litter = clean.lower().endswith(".stl")
        why = "a program names its temporary files so" if is_litter else "only .stl files are"
        raise Refused(f"{last[:80] or 'A file without a name'} is not taken: {why}.")
    return fit_name(clean)


def clean_folder(text: str) -> tuple[str, ...]:
    """Return the names of the folders below the inbox. Raises Refused for a way out of it."""
    names = tuple(filter(None, text.strip().strip("/").split("/")))
    if any(
        name.startswith(".") or printable_path(name) != name or NEVER_IN_NAMES & set(name) for name in names
    ):
        raise Refused("There is no such folder in the inbox.")
    return names


def read_drop_page(request: Request) -> DropPage:
    """Return what the upload form offers."""
    console = console_of(request)
    absence = why_not_taken(console)
    folders = () if absence else list_folders(console)
    return DropPage(folders, console.settings.largest_file_mb, absence)


def why_not_taken(console: Console) -> str:
    """Return why nothing can be dropped here; "" if it can."""
    if console.settings.read_only_inbox is not None:
        return "The inbox is read-only for stlflow. Put the file into its folder yourself."
    try:
        reason = console.share.absence_reason()
    except ShareError as error:
        return str(error)
    return "" if reason is None else f"The share can't be reached: {reason}."


def list_folders(console: Console) -> tuple[str, ...]:
    """Return the folders in the inbox, by name."""
    try:
        found = [
            each.name for each in console.share.inbox.iterdir() if each.is_dir() and not each.is_symlink()
        ]
    except OSError:
        return ()
    return tuple(sorted(name for name in found if not name.startswith("."))[:MOST_FOLDERS])


async def take_upload(request: Request) -> Response:
    """Take the files of a form into the inbox. Raises Refused, HTTPException."""
    console = console_of(request)
    refuse_too_large(request, console.settings.largest_file_mb)
    if why := await to_thread(why_not_taken, console):
        raise Refused(why)
    receiver = InboxReceiver(console, request, visitor_of(request).by, visitor_of(request).name)
    reader = UploadReader(receiver)
    parser = make_parser(request, reader)
    try:
        async for chunk in request.stream():
            await to_thread(parser.write, chunk)
    except BROKEN:
        raise Refused(CUT_OFF) from None
    except FileNotFoundError:
        raise Refused(f"There is no folder {reader.fields.get('folder', '')} in the inbox.") from None
    except ClientDisconnect:  # nobody is there to hear it
        return Response(status_code=400)
    except OSError as error:
        raise HTTPException(507, f"The inbox can't be written: {error_reason(error)}.") from None
    finally:
        await to_thread(receiver.abandon)
    if not reader.ended:
        raise Refused(CUT_OFF)
    if not receiver.taken:
        raise Refused("No file came. Choose one first.")
    said = f"{', '.join(receiver.taken)} {'is' if len(receiver.taken) == 1 else 'are'} in the inbox."
    if request.headers.get("accept", "").startswith("application/json"):
        return JSONResponse({"said": said, "taken": receiver.taken}, headers={"Cache-Control": "no-store"})
    return keep_message(RedirectResponse(own_path(reader.fields.get("next", "")) or "/", 303), said)
