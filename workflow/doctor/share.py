"""Checks of the share: present, the right one, complete, and writable."""

from collections.abc import Iterator
from dataclasses import replace
from heapq import nlargest
from itertools import pairwise
from pathlib import Path

from workflow.assembly import is_at_work, known_share
from workflow.doctor.finding import Check, Finding, checks_of, fail, ok, skip, warn
from workflow.doctor.inbox import inbox_checks
from workflow.doctor.ledger import LedgerAccess
from workflow.doctor.machine import check_free_space
from workflow.doctor.mount import (
    account_name,
    check_change_events,
    check_file_system,
    check_watch_limit,
    probe_writing,
    user_name,
)
from workflow.errors import ShareError, format_count
from workflow.intake import Share, prove_move, read_marker, scan_inbox
from workflow.ledger import LEDGER_NAME_KEY
from workflow.pipeline.orphans import list_orphaned_claims, orphans_text

NOTES_BYTES = 100 * 2**20
MAX_SHOWN = 3


def check_share_present(book: LedgerAccess) -> Iterator[Finding]:
    """Check that the folder is there, and is the share that the database knows."""
    share = _open_share(book)
    root = share.root
    if share.marker and (absence := share.absence_reason()) is not None:
        yield fail(f"{absence}.", "Mount the share; until it is there, everything waits.")
    elif root.is_dir():
        yield ok(f"{root} is there and belongs to {user_name(root.stat().st_uid)}; this is {account_name()}.")
    elif root.exists():
        yield fail(f"{root} is a file, and has to be a folder.", "Rename that file, or set STLFLOW_SHARE.")
    elif root.parent.is_dir():
        yield warn(f"{root} is not there yet.", "`stlflow run` makes it; mount the share first if it is one.")
    else:
        yield fail(
            f"{root} can't be made: {root.parent} is missing.", "Mount the share, or set STLFLOW_SHARE."
        )


def check_share_marker(book: LedgerAccess) -> Iterator[Finding]:
    """Check the marker, which tells the share from an empty mount point."""
    share = _open_share(book)
    found = read_marker(share.root)
    if found is None:
        yield warn(
            f"{share.root} has no marker yet.",
            "The first start makes it. Before that, make sure that the right share is mounted there.",
        )
    elif not book.can_be_read:
        yield skip("Not checked, because of ledger: it holds the right marker.")
    elif share.marker:
        yield ok("The share has the marker that the database knows.")
    else:
        yield ok("The share has a marker that this database does not know yet.")


def check_share_folders(book: LedgerAccess) -> Iterator[Finding]:
    """Check that the folders are there, and that everything in the inbox can be read."""
    share = _open_share(book)
    if share.left_inbox is not None and not share.left_inbox.is_dir():
        yield fail(f"{share.left_inbox} is not there.", "Mount it, or correct STLFLOW_READ_ONLY_INBOX.")
        return
    missing = [place.name for place in _share_folders(share) if not place.exists()]
    files = [place for place in _share_folders(share) if place.exists() and not place.is_dir()]
    for place in files:
        yield fail(f"{place} is a file, and has to be a folder.", "Rename that file.")
    found = scan_inbox(share.inbox) if share.inbox.is_dir() else None
    unreadable = {} if found is None else found.unreadable
    for path, why in sorted(unreadable.items())[:MAX_SHOWN]:
        yield warn(
            f"{share.inbox / path} can't be read: {why}. Unreadable folders in the inbox: {len(unreadable)}.",
            f"Give {account_name()} the right to read and enter it.",
        )
    if not files and not unreadable:
        parts = 0 if found is None else len(found.paths)
        made = f" {', '.join(missing)} are made at the start." if missing else ""
        yield ok(f"{format_count(parts, 'part file')} in {share.inbox}.{made}")


def check_share_rights(book: LedgerAccess) -> Iterator[Finding]:
    """Write, read and remove a probe file in each folder; a read-only inbox is left alone."""
    share = _open_share(book)
    places = [place for place in (share.root, *_share_folders(share)) if place.is_dir()]
    found = [finding for place in places for finding in probe_writing(place, f"the share's {place.name}")]
    yield from found
    if not found:
        yield ok(f"A probe file was written and removed in {', '.join(place.name for place in places)}.")


def check_renames(book: LedgerAccess) -> Iterator[Finding]:
    """Rename a probe file from folder to folder, as files go: in one piece, or not at all."""
    share = _open_share(book)
    places = [place for place in _share_folders(share) if place.is_dir()]
    journeys = [*pairwise(places), *((place, places[0]) for place in places[2:])]
    wrong = False
    for here, then in journeys:
        try:
            prove_move(here, then)
        except ShareError as error:
            wrong = True
            yield fail(str(error), "Put all folders of the share on one disk or mount, with the same rights.")
    if not wrong:
        yield ok(
            f"A probe file was renamed between {', '.join(place.name for place in places) or 'no folders'}."
        )


def check_other_ledgers(book: LedgerAccess) -> Iterator[Finding]:
    """Find claims of other databases: several may share one folder, though not over SMB."""
    if not book.can_be_read:
        yield skip("Not checked, because of ledger: it says which claims are its own.")
        return
    share = _open_share(book)
    with book.opened() as ledger:
        own = ledger.metadata.read(LEDGER_NAME_KEY) if ledger is not None else None
    orphans = list_orphaned_claims(replace(share, owner=own or "")) if share.processing.is_dir() else ()
    if orphans:
        yield warn(
            orphans_text(orphans),
            "Right if two services share this folder on a local disk. If the other one's database is lost: "
            "`stlflow intake adopt`.",
        )
    else:
        yield ok("No other database has files in this share.")


def check_inbox(book: LedgerAccess) -> Iterator[Finding]:
    """Check whether a worker runs that takes the files in the inbox."""
    share = _open_share(book)
    parts = scan_inbox(share.inbox).paths if share.inbox.is_dir() else frozenset()
    with book.opened() as ledger:
        at_work = is_at_work(book.settings, ledger)
    if parts and not at_work and share.left_inbox is None:
        yield warn(
            f"{format_count(len(parts), 'part file')} in the inbox, and stlflow does not run.",
            "Start it: `stlflow run`.",
        )
    else:
        yield ok(
            f"{format_count(len(parts), 'part file')} in the inbox{', and stlflow runs' if at_work else ''}."
        )


def check_spool_space(book: LedgerAccess) -> Iterator[Finding]:
    """Check that copies of the waiting files fit on the disk of the state folder."""
    share = _open_share(book)
    paths = scan_inbox(share.inbox).paths if share.inbox.is_dir() else ()
    sizes = [_file_size(share.inbox / path) for path in paths]
    needed = sum(nlargest(book.settings.uploads_at_once, sizes))
    yield from check_free_space(
        book.settings.state.absolute(), "the state folder", needed, "for copies of the parts in the inbox"
    )


def _open_share(book: LedgerAccess) -> Share:
    with book.opened() as ledger:
        return known_share(book.settings, ledger)


def _share_folders(share: Share) -> tuple[Path, ...]:
    """Return the folders in the order in which files go; beside a read-only inbox only the outcomes."""
    outcomes = (
        share.done,
        share.rejected,
        share.held,
        *([share.approved] if share.decides_by_moving else ()),
    )
    return outcomes if share.left_inbox is not None else (share.inbox, share.processing, *outcomes)


def _file_size(place: Path) -> int:
    try:
        return place.lstat().st_size
    except OSError:  # taken since it was listed
        return 0


def share_checks(book: LedgerAccess) -> tuple[Check, ...]:
    """Return the checks of the share."""
    settings = book.settings
    root = settings.share.absolute()
    left = settings.read_only_inbox
    watched = settings.inbox.absolute()
    return (
        Check(
            "share",
            "the share: present, and the one that the database knows",
            lambda: check_share_present(book),
            gate=True,
        ),
        *checks_of(
            book,
            ("share.marker", "the marker that tells it from an empty mount point", check_share_marker),
            (
                "share.folders",
                "its folders, and folders of the inbox that can't be read",
                check_share_folders,
            ),
            ("share.rights", "a probe file written and removed in each folder", check_share_rights),
            ("share.moves", "a probe file renamed from folder to folder", check_renames),
        ),
        Check(
            "share.kind",
            "the kind of file system, and what that means",
            lambda: check_file_system(settings, watched),
        ),
        Check(
            "share.notices",
            "whether the system reports changes, and how fast",
            lambda: check_change_events(watched, read_only=left is not None),
        ),
        Check("share.watches", "the system's limit for watched folders", lambda: check_watch_limit(watched)),
        Check(
            "share.space",
            "room for notes and new files",
            lambda: check_free_space(root, "the share", NOTES_BYTES, "for notes and new files"),
        ),
        *checks_of(
            book,
            ("share.copies", "room for copies of what waits in the inbox", check_spool_space),
            ("share.others", "files of another database in the share", check_other_ledgers),
            ("share.inbox", "files in the inbox while stlflow does not run", check_inbox),
        ),
        *inbox_checks(known_share(settings, None)),
    )
