"""Notes as files: written whole or not at all, and never onto another person's file or remarks."""

import os
import re
import secrets
import stat
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from workflow.frozen import frozen
from workflow.model import Submission
from workflow.notes.next_step import DecisionWays
from workflow.notes.text import NOTE_PREFIX, without_addresses

_LONGEST_NAME_BYTES = 255
_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
_MAX_NOTE_NAMES = 9
_MAX_NOTE_BYTES = 1 << 20
_OPEN_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_PICTURE_MARK, _PICTURE_HEAD_BYTES = b"Software\0stlflow", 256
_NUMBER_LINE = re.compile(rf"{NOTE_PREFIX}: submission (\d{{1,9}})\n")
_CONTENT_LINE = re.compile(r"^SHA-256\s+([0-9a-f]{64})$", re.MULTILINE)
_SEAL = re.compile(r"^\(stlflow ([0-9a-f]{8})\. Remarks below this line are kept\.\)$", re.MULTILINE)
"""The last line of a note: by it a note that a person has written in is told from an untouched one."""


def note_path(stl: Path) -> Path:
    """Return the place of a file's note: `bracket.stl.txt`, shortened where the name would be too long."""
    return stl.with_name(_fit_name(stl.name, ".txt"))


def write_note(beside: Path, text: str, *, durable: bool = True) -> Path:
    """Write a note at `beside` (see `note_path`) so that any editor shows it; return its place.

    An older note is replaced. Where a person's own file has the name, or a note that a person has written
    in, the new one gets a number. One that is soon replaced need not be `durable`: a power cut may empty it.
    Raises OSError when it can't be written.
    """
    content = (_BOM + _sealed(text).replace("\n", "\r\n")).encode(errors="replace")
    unfinished = _unfinished_path(beside)
    try:
        with unfinished.open("xb") as file:
            file.write(content)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        place = next(
            place for place in _candidate_paths(beside) if _is_untouched(place) or _reserve_name(place)
        )
        return unfinished.replace(place)
    except StopIteration:
        raise FileExistsError(f"{_MAX_NOTE_NAMES} other files are where {beside.name} should be") from None
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)


def has_note_of(stl: Path, number: int) -> bool:
    """True if the note of a submission is beside a file, with or without a person's remarks."""
    texts = (_note_text(place) or "" for place in _candidate_paths(note_path(stl)))
    return any(text.startswith(f"{NOTE_PREFIX}: submission {number}\n") for text in texts)


def picture_path(stl: Path) -> Path:
    """Return the place of a file's picture: `bracket.stl.png`, beside its note."""
    return note_path(stl).with_suffix(".png")


def write_picture(place: Path, content: bytes) -> None:
    """Write a picture whole or not at all. Raises FileExistsError where a file has the name, OSError."""
    unfinished = _unfinished_path(place)
    try:
        unfinished.write_bytes(content)
        if not _reserve_name(place):
            raise FileExistsError(f"{place.name} is there already")
        unfinished.replace(place)
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)


def is_picture(place: Path) -> bool:
    """True for a picture that stlflow has drawn. Raises OSError."""
    try:
        if not stat.S_ISREG(place.lstat().st_mode):
            return False
        with open(os.open(place, _OPEN_FLAGS), "rb") as file:  # noqa: PTH123  # a pipe would block for ever
            return _PICTURE_MARK in file.read(_PICTURE_HEAD_BYTES)
    except FileNotFoundError:
        return False


def remove_note(stl: Path) -> None:
    """Remove the notes of a file that went back to work; what a person wrote stays. Raises OSError."""
    for place in _candidate_paths(note_path(stl)):
        remove_note_file(place)


def remove_titled_note(stl: Path, is_meant: Callable[[str], bool]) -> None:
    """Remove the untouched notes beside a file whose title is meant, but no pictures. Raises OSError."""
    for place in _candidate_paths(note_path(stl)):
        _remove_exactly(place, lambda note: is_meant(note_title(note) or ""))


def remove_submission_note(stl: Path, number: int) -> None:
    """Remove the untouched notes beside a place that are about one submission. Raises OSError."""
    for place in _candidate_paths(note_path(stl)):
        _remove_with_picture(place, lambda note: note_title(note) == f"submission {number}")


def remove_notes_left(stl: Path) -> None:
    """Remove the untouched notes of a file that was moved away, but none of a newer one. Raises OSError."""
    for place in _candidate_paths(note_path(stl)):
        _remove_with_picture(place, lambda note: _is_untouched(note) and not os.path.lexists(stl))


def remove_orphan_note(place: Path) -> None:
    """Remove an untouched note, unless its file came back. Raises OSError."""
    _remove_with_picture(place, lambda note: _is_untouched(note) and is_note_alone(place))


def remove_note_file(place: Path, order_line: re.Pattern[str] | None = None) -> bool:
    """Remove one note and its picture; True if nobody has written in the note, but for an order."""
    return _remove_with_picture(place, lambda note: _is_untouched(note, order_line))


def _remove_with_picture(place: Path, is_meant: Callable[[Path], bool]) -> bool:
    removed = _remove_exactly(place, is_meant)
    if removed and is_picture(picture := place.with_suffix(".png")):
        picture.unlink(missing_ok=True)
    return removed


def _remove_exactly(place: Path, is_meant: Callable[[Path], bool]) -> bool:
    """Remove a note that is meant; True if it was. Raises OSError.

    Whatever is at its place may be replaced after any look: it is set aside, looked at there, and put back
    if it is another one, unless an even newer one has come meanwhile.
    """
    if not is_meant(place):
        return False
    aside = _unfinished_path(place)
    try:
        place.rename(aside)
    except FileNotFoundError:  # another thread was quicker
        return True
    if is_meant(aside):
        aside.unlink(missing_ok=True)
        return True
    if _reserve_name(place):
        aside.replace(place)
    elif _is_untouched(aside):
        aside.unlink(missing_ok=True)
    else:
        aside.replace(next((each for each in _candidate_paths(place) if _reserve_name(each)), aside))
    return False


def _unfinished_path(place: Path) -> Path:
    return place.with_name(f".stlflow-{secrets.token_hex(4)}.tmp")


def says(stl: Path, text: str) -> bool:
    """True if a note of the file says this already, with or without a person's remarks."""
    return any((_note_text(place) or "").startswith(text) for place in _candidate_paths(note_path(stl)))


def note_title(place: Path) -> str | None:
    """Return the first line of an untouched note, without how every note begins; None for other files."""
    text = untouched_note_text(place)
    return None if text is None else title_of_note(text)


def title_of_note(text: str) -> str:
    """Return the first line of a note's text, without how every note begins."""
    return text.partition("\n")[0].removeprefix(NOTE_PREFIX).lstrip(": ")


def untouched_note_text(place: Path) -> str | None:
    """Return the text of a note in which nobody has written, as `write_note` got it; None for other files."""
    text = _note_text(place)
    return None if text is None else _without_seal(text)


@frozen
class SubmissionNote:
    """The note of a submission as it is in a folder: whose it is, of which content, and its text."""

    number: int
    sha256: str
    text: str


def read_submission_note(place: Path) -> SubmissionNote | None:
    """Return a note that is about a submission, with a person's remarks; None for every other file."""
    text = _note_text(place) or ""
    number, content = _NUMBER_LINE.match(text), _CONTENT_LINE.search(text)
    return SubmissionNote(int(number[1]), content[1], text) if number and content else None


def is_note_about(place: Path, submission: Submission, ways: DecisionWays) -> bool:
    """True for the note of a submission about its present hold: its number, its reason and its content."""
    text = _note_text(place) or ""
    begins = text.startswith(f"{NOTE_PREFIX}: submission {submission.id}\n")
    reason = ways.with_command(without_addresses(submission.reason or ""))
    return begins and reason in text and bool(submission.sha256) and (submission.sha256 or "") in text


def orphan_notes(folder: Path) -> Iterator[Path]:
    """Yield the untouched notes below a folder whose file is no longer beside them."""
    for place, _folders, names in os.walk(folder):
        alone = (Path(place, name) for name in sorted(_notes_alone(place, names)))
        yield from (note for note in alone if _is_untouched(note))


def is_note_alone(place: Path) -> bool:
    """True if the file of a note is not beside it now."""
    names = next(os.walk(place.parent), ("", [], []))[2]
    return place.name in _notes_alone(str(place.parent), {*names, place.name})


def _notes_alone(folder: str, names: Collection[str]) -> set[str]:
    notes = {name for name in names if name.endswith(".txt")}
    for name in set(names) - notes:
        notes -= {beside.name for beside in _candidate_paths(note_path(Path(folder, name)))}
    return notes


def _sealed(text: str) -> str:
    return f"{text}\n(stlflow {_digest(text)}. Remarks below this line are kept.)\n"


def _without_seal(text: str) -> str | None:
    """Return the text of a note without its last line; None if a person has written in it."""
    seal = _SEAL.search(text)
    if seal is None:
        return text
    untouched = seal[1] == _digest(text[: seal.start()]) and not text[seal.end() :].strip()
    return text[: seal.start()].removesuffix("\n") if untouched else None


def _digest(text: str) -> str:
    return sha256(text.strip().encode(errors="replace")).hexdigest()[:8]


def _is_untouched(place: Path, order_line: re.Pattern[str] | None = None) -> bool:
    """True for a note as it was written; those of older releases have no seal."""
    text = _note_text(place)
    if text is None:
        return False
    return _without_seal(order_line.sub("", text) if order_line is not None else text) is not None


def _note_text(place: Path) -> str | None:
    """Return the text of a note, line ends made plain; None for a file that is no note."""
    try:
        if not stat.S_ISREG(place.lstat().st_mode):
            return None
        with open(os.open(place, _OPEN_FLAGS), "rb") as file:  # noqa: PTH123  # a pipe would block for ever
            text = file.read(_MAX_NOTE_BYTES).decode("utf-8-sig", errors="replace").replace("\r\n", "\n")
    except OSError:
        return None
    return text if text.startswith(NOTE_PREFIX) else None


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
    """True for a note, by how it begins; a person may have written in it."""
    return _note_text(place) is not None


def _reserve_name(place: Path) -> bool:
    """True if the name was free; it is taken with an empty file that no other program can have made."""
    try:
        place.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True
