"""What waits in the inbox for a person, and what in the share stops people or files."""

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from workflow.doctor.finding import Check, Finding, checks_of, ok, quote_word, warn
from workflow.doctor.mount import user_name
from workflow.intake import (
    LOCAL_FILE_SYSTEMS,
    Outcome,
    Share,
    file_system_type,
    find_blocked_files,
    printable_path,
)

_MAX_SHOWN = 3
_MAX_ENTRIES = 10_000


def check_waiting_files(share: Share) -> Iterator[Finding]:
    """Report each file and folder of the inbox that is not taken until a person corrects it."""
    if not share.inbox.is_dir():
        yield ok("There is no inbox yet.")
        return
    blocked = find_blocked_files(share.inbox, moves=share.left_inbox is None)
    for path, why in sorted(blocked.items())[:_MAX_SHOWN]:
        counted = f" {len(blocked):,} files and folders wait like that." if len(blocked) > 1 else ""
        yield warn(
            f"{printable_path(path)} is not taken: {why.rstrip('.')}.{counted}",
            f"See why: `stlflow intake explain {quote_word(printable_path(path))}`.",
        )
    if not blocked:
        yield ok("Nothing in the inbox waits for a person.")


def check_foreign_entries(share: Share) -> Iterator[Finding]:
    """Report links in the outcome folders, and files where a folder of the inbox needs a folder."""
    found = sorted(_foreign_entries(share))
    for place, kind in found[:_MAX_SHOWN]:
        yield warn(
            f"{printable_path(place)} is {kind} where a folder has to be: files that belong there wait.",
            "Remove it, or put a folder in its place.",
        )
    if not found:
        yield ok(f"No link or file is in the way in {', '.join(Outcome)}.")


def check_drag_back(share: Share) -> Iterator[Finding]:
    """Report folders that people can't drag their files back from, though they may drop into the inbox."""
    shut = sorted(folder.name for folder in _shut_folders(share))
    if shut:
        inbox = share.inbox.stat()
        yield warn(
            f"People of group {inbox.st_gid} may drop files into {share.inbox.name}, "
            f"and can't drag them back from {', '.join(shut)}.",
            f"`chgrp -R {inbox.st_gid} {' '.join(shut)} && chmod -R g+rwX {' '.join(shut)}` in {share.root}.",
        )
    else:
        yield ok("People who may drop files may also drag them back.")


def check_approvers(share: Share) -> Iterator[Finding]:
    """Say who may write to approved/: that is the right to release held files."""
    place = share.approved
    if not share.decides_by_moving:
        yield ok("Nobody decides by moving files: `decide_by_moving` is false.")
    elif not place.is_dir():
        yield ok(f"{place} is made at the start. Who may write there may approve held files.")
    elif sys.platform == "win32" or file_system_type(place) not in {None, *LOCAL_FILE_SYSTEMS}:
        yield ok(f"Who may write to {place} may approve held files: the file server's rights decide.")
    else:
        yield ok(
            f"{_writers(place.stat())} may write to {place}, and so approve held files. To let only one "
            f"group do that: `chgrp GROUP {quote_word(place)} && chmod 2770 {quote_word(place)}`."
        )


def _writers(seen: os.stat_result) -> str:
    """Return who may write to a folder, in words."""
    if seen.st_mode & stat.S_IWOTH:
        return "Everyone with access to the share"
    owner = user_name(seen.st_uid)
    return f"{owner} and group {_group_name(seen.st_gid)}" if seen.st_mode & stat.S_IWGRP else f"Only {owner}"


def _group_name(gid: int) -> str:
    """Return the name of a group with its members; the number where it has none, and on Windows."""
    if sys.platform == "win32":
        return str(gid)
    import grp

    try:
        found = grp.getgrgid(gid)
    except KeyError:
        return str(gid)
    return f"{found.gr_name} ({', '.join(found.gr_mem)})" if found.gr_mem else found.gr_name


def inbox_checks(share: Share) -> tuple[Check, ...]:
    """Return the checks of what waits for a person in the share."""
    return checks_of(
        share,
        ("share.waiting", "files that wait in the inbox until a person corrects them", check_waiting_files),
        ("share.foreign", "links and files where the outcome folders need a folder", check_foreign_entries),
        ("share.group", "whether people who may drop files may drag them back", check_drag_back),
        ("share.approvers", "who may approve held files by moving them", check_approvers),
    )


def _foreign_entries(share: Share) -> Iterator[tuple[str, str]]:
    wanted = _folder_names(share.inbox)
    for outcome in Outcome:
        top = share.root / outcome
        if top.is_symlink():
            yield str(outcome), "a link"
            continue
        for count, (place, folders, files) in enumerate(os.walk(top)):
            if count > _MAX_ENTRIES:
                return
            below = Path(place).relative_to(share.root)
            for name in (*folders, *files):
                if Path(place, name).is_symlink():
                    yield (below / name).as_posix(), "a link"
            for name in files:
                if (below / name).relative_to(outcome).as_posix() in wanted:
                    yield (below / name).as_posix(), "a file"


def _folder_names(inbox: Path) -> set[str]:
    """Return the folders of the inbox, by their paths below it."""
    found: set[str] = set()
    for place, folders, _files in os.walk(inbox):
        found.update(Path(place, name).relative_to(inbox).as_posix() for name in folders)
        if len(found) > _MAX_ENTRIES:
            break
    return found


def _shut_folders(share: Share) -> Iterator[Path]:
    if share.left_inbox is not None or not share.inbox.is_dir():
        return
    inbox = share.inbox.stat()
    if not inbox.st_mode & stat.S_IWGRP:
        return
    for folder in (share.done, share.rejected, share.held):
        if folder.is_dir():
            seen = folder.stat()
            for_all = seen.st_mode & stat.S_IWOTH
            if not for_all and (seen.st_gid != inbox.st_gid or not seen.st_mode & stat.S_IWGRP):
                yield folder
