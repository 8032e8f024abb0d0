"""One walk through the inbox: names only, so that a sweep stays cheap."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from workflow.intake.kinds import is_part_file, is_passed_over, is_stranger


@dataclass(frozen=True, slots=True)
class Walk:
    """What a walk found: paths of part files and of strangers, and folders that can't be read, with why.

    Anything named like an STL is in `paths`, whatever it turns out to be; links are not followed.
    """

    paths: frozenset[str]
    unreadable: Mapping[str, str]
    strangers: frozenset[str] = frozenset()


def walk(inbox: Path) -> Walk:
    """Look through the inbox and its folders. Raises OSError only when the inbox itself can't be read."""
    paths: set[str] = set()
    strangers: set[str] = set()
    unreadable: dict[str, str] = {}
    below = _read_folder(inbox, "", paths, strangers)
    while below:
        folder = below.pop()
        try:
            below += _read_folder(inbox, folder, paths, strangers)
        except FileNotFoundError:
            continue  # moved away since it was listed
        except OSError as error:
            unreadable[folder.rstrip("/")] = error.strerror or str(error)
    return Walk(frozenset(paths), unreadable, frozenset(strangers))


def _read_folder(inbox: Path, folder: str, paths: set[str], strangers: set[str]) -> list[str]:
    """Add what the folder holds to `paths` and `strangers`, and give the folders below."""
    below = []
    with os.scandir(f"{inbox}/{folder}") as entries:
        for entry in entries:
            if is_part_file(entry.name):
                paths.add(folder + entry.name)
            elif entry.is_dir(follow_symlinks=False):
                below += [] if is_passed_over(entry.name) else [f"{folder}{entry.name}/"]
            elif is_stranger(entry.name):
                strangers.add(folder + entry.name)
    return below
