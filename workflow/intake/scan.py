"""One walk through the inbox: names only, so that a scan stays cheap."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from workflow.errors import error_reason
from workflow.intake.name_patterns import NameKind, is_ignored_folder, is_part_file, match_name

_LINK_REASON = "it is a link, and links are not followed. Copy the folder itself into the inbox"


@dataclass(frozen=True, slots=True)
class InboxScan:
    """What a walk found, by paths below the inbox.

    `paths` are named like a part, whatever they turn out to be. `strangers` are files of other kinds,
    `unfinished` those that a program will rename, and `texts` may be notes. `blocked` are folders that
    were not entered, each with the reason; `unreadable` those of them that the system refuses.
    """

    paths: frozenset[str]
    unreadable: Mapping[str, str] = field(default_factory=dict)
    strangers: frozenset[str] = frozenset()
    unfinished: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()
    links: frozenset[str] = frozenset()

    @property
    def blocked(self) -> dict[str, str]:
        """Return all folders that were not entered, each with the reason."""
        refused = {folder: f"the folder can't be read: {why}" for folder, why in self.unreadable.items()}
        return {**refused, **dict.fromkeys(self.links, _LINK_REASON)}


def scan_inbox(inbox: Path) -> InboxScan:
    """Walk through the inbox and its folders. Raises OSError only when the inbox itself can't be read."""
    found: dict[NameKind | str, set[str]] = {kind: set() for kind in (*NameKind, "texts", "links")}
    unreadable: dict[str, str] = {}
    below = _read_folder(inbox, "", found)
    while below:
        folder = below.pop()
        try:
            below += _read_folder(inbox, folder, found)
        except FileNotFoundError:
            continue  # moved away since it was listed
        except OSError as error:
            unreadable[folder.rstrip("/")] = error_reason(error)
    return InboxScan(
        paths=frozenset(found[NameKind.PART]),
        unreadable=unreadable,
        strangers=frozenset(found[NameKind.STRANGER]),
        unfinished=frozenset(found[NameKind.UNFINISHED]),
        texts=frozenset(found["texts"]),
        links=frozenset(found["links"]),
    )


def _read_folder(inbox: Path, folder: str, found: Mapping[NameKind | str, set[str]]) -> list[str]:
    """Sort what a folder holds into `found`; return the folders below."""
    below = []
    with os.scandir(f"{inbox}/{folder}") as entries:
        for entry in entries:
            path = folder + entry.name
            if entry.is_dir(follow_symlinks=False):
                below += [] if is_ignored_folder(entry.name) else [f"{path}/"]
            elif is_part_file(entry.name):
                found["links" if _is_linked_folder(entry) else NameKind.PART].add(path)
            elif _is_linked_folder(entry):
                found["links"].add(path)
            elif entry.name.endswith(".txt"):
                found["texts"].add(path)
            else:
                found[match_name(entry.name).kind].add(path)
    return below


def _is_linked_folder(entry: os.DirEntry[str]) -> bool:
    return entry.is_symlink() and entry.is_dir()
