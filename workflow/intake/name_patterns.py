"""What a file name in the inbox means: a part, an unfinished file, litter, or another kind of file.

Names decide and contents do not: a file that is named like an STL is taken, whatever it turns out to be.
"""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from fnmatch import translate
from pathlib import PurePosixPath

from workflow.frozen import frozen


class NameKind(StrEnum):
    """What becomes of a file of that name."""

    PART = "part"
    """Taken once it is complete."""
    UNFINISHED = "unfinished"
    """A program still writes it; taken under the name that it gets at the end."""
    LITTER = "litter"
    """Of a system, an editor or a sync client: passed over in silence."""
    STRANGER = "stranger"
    """Left where it is, with a note."""


@frozen
class NameMatch:
    """The kind of a name, the pattern that decides, and what that means in words."""

    kind: NameKind
    pattern: str
    why: str


DOWNLOAD_ENDINGS = (".part", ".partial", ".filepart", ".crdownload", ".download")
"""What browsers and transfer programs put behind the name of a file that is not all there."""

_UNFINISHED = {
    **{f"*{ending}": "a transfer that is not finished" for ending in DOWNLOAD_ENDINGS},
    "*.!ut": "a transfer that is not finished",
    "*.opdownload": "a transfer that is not finished",
    "*.tmp": "a temporary file",
    "*.temp": "a temporary file",
}
_IGNORED_NAMES = {
    "._*": "litter of macOS",
    ".DS_Store": "litter of macOS",
    "Thumbs.db": "litter of Windows",
    "desktop.ini": "litter of Windows",
    "*.lnk": "a shortcut of Windows",
    "*.url": "a link to a page",
    "*.stl:*": "a side stream of Windows",
    "*:Zone.Identifier": "a side stream of Windows",
    "*:AFP_*": "a side stream of macOS",
    "~$*": "the lock of an office program",
    ".~lock.*": "the lock of an office program",
    "*.lock": "a lock",
    "*.lck": "a lock",
    "*~": "an editor's backup",
    "#*#": "an editor's backup",
    "*.bak": "a backup",
    "*.orig": "a backup",
    "*.sw[px]": "an editor's swap file",
    "~syncthing~*": "a sync client's unfinished copy",
    ".nfs*": "a file that was deleted while open on NFS",
    ".smbdelete*": "a file that was deleted while open on SMB",
    ".fuse_hidden*": "a file that was deleted while open on FUSE",
    "*.txt": "text, as notes are",
}
_HIDDEN = {".*": "a hidden file: programs write under such names and rename at the end"}
_CONFLICT_ADVICE = "kept two versions of this file. Delete one, and give the other a plain name."
_CONFLICT_PATTERNS = {
    # help.dropbox.com/organize/conflicted-copy; OneDrive for Mac, Box, Egnyte and Nextcloud write the same
    "*conflicted copy*.stl": "A sync client",
    # the same in other languages of Dropbox: the word, then whose copy it is, and the day
    "*in Konflikt stehende Kopie*.stl": "Dropbox",
    "*Konfliktkopie*.stl": "A sync client",
    "*(Copie en conflit*.stl": "Dropbox",
    "*(Copia en conflicto*.stl": "Dropbox",
    "*(Copia conflictiva de*.stl": "Dropbox",
    "*(Copia in conflitto*.stl": "Dropbox",
    "*(C?pia em conflito*.stl": "Dropbox",
    "*(* conflict)*.stl": "Dropbox",  # (Case Conflict), (Unicode Encoding Conflict)
    # docs.syncthing.net/users/syncing.html: bracket.sync-conflict-20260101-101010-ABCDEFG.stl
    "*.sync-conflict-*.stl": "Syncthing",
    # kb.synology.com, "Synology Drive file conflict": a_Andy-PC_Jan-03-0901-2013_CaseConflict_1.txt
    "*_???-??-????-????_*Conflict*.stl": "Synology Drive",
    # ownCloud client, conflict.cpp: bracket_conflict-20260101-101010.stl up to 2.4, "(conflicted copy" since
    "*_conflict-[0-9]*-[0-9]*.stl": "ownCloud",
    "*(case clash from *.stl": "Nextcloud",
    # seafile-server, merge.c: bracket (SFConflict ann@shop.example 2026-01-01-10-10-10).stl
    "*(SFConflict *.stl": "Seafile",
    # help.resilio.com, "What is a .Conflict file?"
    "*.Conflict.stl": "Resilio Sync",
    # OneDrive adds the computer's name: only names that Windows makes up itself can be told from others
    "*-DESKTOP-[A-Z0-9][A-Z0-9][A-Z0-9][A-Z0-9][A-Z0-9][A-Z0-9][A-Z0-9].stl": "OneDrive",
    "*-LAPTOP-[A-Z0-9][A-Z0-9][A-Z0-9][A-Z0-9][A-Z0-9][A-Z0-9][A-Z0-9][A-Z0-9].stl": "OneDrive",
    # pcloud.com help: bracket [conflicted].stl; former Google Drive clients: bracket [Conflict].stl
    "*[[]conflict*].stl": "A sync client",
}
"""How sync clients name the second version of a file, each with where that is written."""
_CASE_MATTERS = "OneDrive"
"""Windows makes up names in capitals: `arm-desktop-bracket.stl` is a part."""
_CONFLICTS = {pattern: f"{client} {_CONFLICT_ADVICE}" for pattern, client in _CONFLICT_PATTERNS.items()}
_PART = {"*.stl": "an STL file by its name"}
_CAD = "stlflow takes STL files: export it as STL."
_ARCHIVE = "It is not unpacked here: unpack it, and put the STL files inside into the inbox."
_CAD_ENDINGS = frozenset(
    {
        "step", "stp", "iges", "igs", "sldprt", "sldasm", "ipt", "iam", "prt", "catpart", "catproduct", "x_t",
        "x_b", "f3d", "3dm", "dwg", "dxf", "fcstd", "3mf", "obj", "ply", "amf", "off", "glb", "gltf",
    }
)  # fmt: skip
_PICTURE = "A picture is no part: export the part as STL."
_PICTURE_ENDINGS = frozenset(
    {"png", "jpg", "jpeg", "gif", "bmp", "tif", "tiff", "webp", "heic", "svg", "pdf"}
)
_ARCHIVE_ENDINGS = frozenset({"zip", "7z", "rar", "gz", "tgz", "tar", "bz2", "xz"})
_ANY = "*"
_UNSUPPORTED = {
    **{f"*.{ending}": _CAD for ending in sorted(_CAD_ENDINGS)},
    **{f"*.{ending}": _ARCHIVE for ending in sorted(_ARCHIVE_ENDINGS)},
    **{f"*.{ending}": _PICTURE for ending in sorted(_PICTURE_ENDINGS)},
    _ANY: "stlflow takes STL files only.",
}
_IGNORED_FOLDERS = {
    "@eaDir": "a folder of a Synology box",
    "#recycle": "a recycle bin",
    "$RECYCLE.BIN": "a recycle bin",
    "#snapshot": "snapshots of a storage box",
    "~snapshot": "snapshots of a storage box",
    "System Volume Information": "a folder of Windows",
    "__MACOSX": "litter of macOS",
    "lost+found": "a folder of the file system",
    ".*": "a hidden folder",
}
_PATTERNS_BY_PRIORITY = (
    (NameKind.UNFINISHED, _UNFINISHED),
    (NameKind.LITTER, _IGNORED_NAMES),
    (NameKind.UNFINISHED, _HIDDEN),
    (NameKind.STRANGER, _CONFLICTS),
    (NameKind.PART, _PART),
    (NameKind.STRANGER, _UNSUPPORTED),
)
"""The first matching pattern decides. Case does not matter, nor do dots and blanks at the end."""

_PATTERNS = tuple(
    (
        re.compile(translate(pattern), 0 if why.startswith(_CASE_MATTERS) else re.IGNORECASE),
        NameMatch(kind, pattern, why),
    )
    for kind, patterns in _PATTERNS_BY_PRIORITY
    for pattern, why in patterns.items()
)
_FOLDER_PATTERNS = tuple(
    (re.compile(translate(pattern), re.IGNORECASE), NameMatch(NameKind.LITTER, f"{pattern}/", why))
    for pattern, why in _IGNORED_FOLDERS.items()
)
_PLAIN_PART_NAME = re.compile(r"(?!.*([ck]onf|-desktop-|-laptop-|clash))[^.~:][^:]*\.stl", re.IGNORECASE)
"""Nearly all part files, told in one step: a walk asks for every name."""


KIND_MEANINGS = {
    NameKind.PART: "taken, once it is complete",
    NameKind.UNFINISHED: "waits for the name that it gets when it is finished",
    NameKind.LITTER: "passed over in silence",
    NameKind.STRANGER: "left where it is, with a note",
}
"""What each kind means for a file, in words."""


def list_name_patterns() -> Mapping[str, Sequence[str]]:
    """Return all patterns in order by what happens, folders with a slash."""
    table: dict[str, list[str]] = {}
    for _pattern, named in (*_FOLDER_PATTERNS, *_PATTERNS):
        table.setdefault(KIND_MEANINGS[named.kind], []).append(named.pattern)
    return table


def match_name(name: str) -> NameMatch:
    """Return what happens to a file of this name, and the pattern that decides."""
    plain = name.rstrip(". ") or name
    return next(named for pattern, named in _PATTERNS if pattern.match(plain))


def match_folder(name: str) -> NameMatch | None:
    """Return the pattern by which a folder is ignored with all that is in it; None for other folders."""
    return next((named for pattern, named in _FOLDER_PATTERNS if pattern.match(name)), None)


def match_path(path: str) -> NameMatch:
    """Return what happens to a file at this path below the inbox: a folder above it may decide."""
    *folders, name = PurePosixPath(path).parts
    passed_over = (named for folder in folders if (named := match_folder(folder)) is not None)
    return next(passed_over, None) or match_name(name)


def is_part_file(name: str) -> bool:
    """True if a file name is that of an STL, whatever its case, and no litter of a system."""
    if name.endswith(".txt"):  # thousands of notes may be beside the files
        return False
    return _PLAIN_PART_NAME.fullmatch(name) is not None or match_name(name).kind is NameKind.PART


def is_known_kind(name: str) -> bool:
    """True for a file whose name says for sure that it is no part: a STEP file, an archive, a picture."""
    return match_name(name).pattern != _ANY


def is_ignored_folder(folder: str) -> bool:
    """True if a folder belongs to a system, a storage box or a sync client."""
    return match_folder(folder) is not None


def partial_download_names(name: str) -> tuple[str, ...]:
    """Return the names under which browsers and transfer programs keep the unfinished `name`."""
    return tuple(name + ending for ending in DOWNLOAD_ENDINGS)


def is_part_path(path: str) -> bool:
    """True if a walk of the inbox would find a part file at this path, by the names on the way."""
    *folders, name = path.split("/")
    return is_part_file(name) and not any(map(is_ignored_folder, folders))
