"""File names: how they are written where they must fit and be readable."""

import unicodedata
from collections.abc import Sequence
from pathlib import PurePosixPath

LONGEST_NAME_BYTES = 255
"""What common file systems take; counted in UTF-8, which is never less than their own count."""

_UNREADABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode categories: control characters, lone surrogates (bytes that are no UTF-8), line breaks."""
_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They reverse what follows: with U+202E, `part_lts.exe` is shown as `part_exe.stl`."""


def printable_path(path: str) -> str:
    """Return a path with � for what can't be shown or stored as text, such as bytes that are no UTF-8."""
    return "".join("\N{REPLACEMENT CHARACTER}" if _is_unprintable(letter) else letter for letter in path)


def _is_unprintable(letter: str) -> bool:
    return unicodedata.category(letter) in _UNREADABLE or letter in _BIDI_CONTROLS


def is_utf8(path: str) -> bool:
    """True if a path can be written down; bytes that are no UTF-8 can not."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def claimed_path(claims: str, path: str, number: int) -> str:
    """Return the place of a path under the inbox in the folder of claims: unique by its number."""
    *folders, name = printable_path(path).split("/")
    return "/".join((claims, *map(fit_name, folders), fit_name(name, before=f"{number}~")))


def outcome_path(folder: str, path: str, copy: int = 1) -> str:
    """Return the place of a path under the inbox in an outcome folder; later copies are numbered.

    A folder named like a part, as unpacking `bracket.stl.zip` makes it, loses its ending: a part of that
    name may be there already.
    """
    *folders, name = printable_path(path).split("/")
    after = f" ({copy})" if copy > 1 else ""
    return "/".join((folder, *map(_outcome_folder, folders), fit_name(name, after=after)))


def split_path(path: str) -> tuple[Sequence[str], str]:
    """Split a path with forward slashes into its folders and its name."""
    *folders, name = path.split("/")
    return folders, name


def _outcome_folder(name: str) -> str:
    plain = name.rstrip(". ")
    return fit_name(plain[: -len(".stl")] if plain.lower().endswith(".stl") and len(plain) > 4 else name)


def fit_name(name: str, *, before: str = "", after: str = "") -> str:
    """Put words before and after a name's stem, and shorten the stem where the file system asks."""
    ending = PurePosixPath(name).suffix
    stem = name.removesuffix(ending)
    room = LONGEST_NAME_BYTES - len(f"{before}{after}{ending}".encode())
    if room < 0:
        stem, ending, room = name, "", LONGEST_NAME_BYTES - len(f"{before}{after}".encode())
    return f"{before}{stem.encode()[:room].decode(errors='ignore')}{after}{ending}"
