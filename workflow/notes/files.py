"""Where notes stand, and how they get there: whole or not at all, and never onto another's file."""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from workflow.notes.text import NOTE_PREFIX

_LONGEST_NAME_BYTES = 255
_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
_MAX_NOTE_NAMES = 9


def note_path(stl: Path) -> Path:
    """Give where the note of a file stands: `bracket.stl.txt`, shortened where names may not be so long."""
    return stl.with_name(_fit_name(stl.name, ".txt"))


def write_note(beside: Path, text: str) -> Path:
    """Write a note at `beside` (see `note_path`) so that any editor shows it; gives where it stands.

    An older note is replaced. Where somebody else's file has the name, the note gets a number. Raises
    OSError when it can't be written.
    """
    content = (_BOM + text.replace("\n", "\r\n")).encode(errors="replace")
    unfinished = beside.with_name(f".stlflow-{secrets.token_hex(4)}.tmp")
    try:
        with unfinished.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        place = next(place for place in _candidate_paths(beside) if is_note(place) or _reserve_name(place))
        return unfinished.replace(place)
    except StopIteration:
        raise FileExistsError(f"{_MAX_NOTE_NAMES} other files stand where {beside.name} should be") from None
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)


def has_note(stl: Path) -> bool:
    """Tell whether a note of ours stands beside a file."""
    return any(is_note(place) for place in _candidate_paths(note_path(stl)))


def remove_note(stl: Path) -> None:
    """Remove the notes of a file that went back to work; other people's files stay. Raises OSError."""
    for place in _candidate_paths(note_path(stl)):
        if is_note(place):
            place.unlink(missing_ok=True)


def _candidate_paths(beside: Path) -> Iterator[Path]:
    yield beside
    for number in range(2, _MAX_NOTE_NAMES + 1):
        yield beside.with_name(_fit_name(beside.stem, f" ({number}).txt"))


def _fit_name(name: str, ending: str) -> str:
    """Put an ending behind a name; what gets too long is shortened, and marked so that it stays its own."""
    if len(os.fsencode(name + ending)) <= _LONGEST_NAME_BYTES:
        return name + ending
    mark = f"~{sha256(os.fsencode(name)).hexdigest()[:8]}.stl{ending}"
    return os.fsencode(name)[: _LONGEST_NAME_BYTES - len(mark)].decode(errors="ignore") + mark


def is_note(place: Path) -> bool:
    """Tell whether a file is a note of ours, by how it begins."""
    try:
        if not stat.S_ISREG(place.lstat().st_mode):
            return False
        with place.open("rb") as file:
            return file.read(64).decode("utf-8-sig", errors="replace").startswith(NOTE_PREFIX)
    except OSError:
        return False


def _reserve_name(place: Path) -> bool:
    """Take a free name with an empty file, which nobody else can have made."""
    try:
        place.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True
