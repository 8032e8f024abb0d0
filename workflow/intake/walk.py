"""One walk through the inbox: names only, so that a sweep stays cheap."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from workflow.intake.names import is_part_file, is_passed_over


@dataclass(frozen=True, slots=True)
class Walk:
    """What a walk found: paths of part files below the inbox, and folders that can't be read, with why.

    Anything named like an STL is in `paths`, whatever it turns out to be; links are not followed.
    """

    paths: frozenset[str]
    unreadable: Mapping[str, str]


def walk(inbox: Path) -> Walk:
    """Look through the inbox and its folders. Raises OSError only when the inbox itself can't be read."""
    paths: set[str] = set()
    unreadable: dict[str, str] = {}
    below = _read_folder(inbox, "", paths)
    while below:
        folder = below.pop()
        try:
            below += _read_folder(inbox, folder, paths)
        except FileNotFoundError:
            continue  # moved away since it was listed
        except OSError as error:
            unreadable[folder.rstrip("/")] = error.strerror or str(error)
    return Walk(frozenset(paths), unreadable)


def _read_folder(inbox: Path, folder: str, paths: set[str]) -> list[str]:
    """Add the folder's part files to `paths`, and give the folders below."""
    with os.scandir(f"{inbox}/{folder}") as entries:
        return list(_sort_out(entries, folder, paths))


def _sort_out(entries: Iterator[os.DirEntry[str]], folder: str, paths: set[str]) -> Iterator[str]:
    for entry in entries:
        if is_part_file(entry.name):
            paths.add(folder + entry.name)
        elif not is_passed_over(entry.name) and entry.is_dir(follow_symlinks=False):
            yield f"{folder}{entry.name}/"
