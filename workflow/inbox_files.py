"""Why a file is still in the inbox: asked for one by its name, or for all that are there.

The folder and the database answer, so that any process may ask, beside a running service or without one.
"""

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from socket import gethostname

from workflow.assembly import is_at_work, ledger_exists, make_stability_times, open_ledger, share_from_ledger
from workflow.errors import ShareError
from workflow.intake import (
    MASS_ARRIVAL_REASON,
    FileExplanation,
    InboxFile,
    InboxListing,
    Share,
    WaitingKind,
    explain_file,
    folder_origin,
    list_waiting_files,
    matches_stamp,
)
from workflow.ledger import Ledger
from workflow.pipeline.canary import is_canary
from workflow.pipeline.inbox_events import is_known_in_place, known_in_place_files
from workflow.settings import Settings

_TAKEN_LATER = "it is taken once stlflow runs: `stlflow run`."


def explain_inbox_file(settings: Settings, name: Path) -> FileExplanation:
    """Return what happens to a file in the inbox, or a path below it. Raises ShareError, StateFolderError."""
    inbox = settings.inbox.absolute()
    place = name.absolute()
    if place.is_relative_to(inbox):
        name = place.relative_to(inbox)
    elif name.is_absolute() or (place.exists() and not (inbox / name).exists()):
        raise ShareError(f"{name} does not lie in the inbox, {inbox}.")
    explained = explain_file(
        inbox, name.as_posix(), make_stability_times(settings), moves=settings.read_only_inbox is None
    )
    if explained.blocked or explained.seen is None:
        return explained
    return replace(explained, seen=_inbox_wait_reason(settings, name.as_posix()) or explained.seen)


def _inbox_wait_reason(settings: Settings, path: str) -> str | None:
    """Return what other reason keeps a file in the inbox; None if there is none."""
    if not ledger_exists(settings):
        return _TAKEN_LATER
    with closing(open_ledger(settings)) as ledger:
        if ledger.mass_arrival.read_paths().get(path) is False:
            return MASS_ARRIVAL_REASON
        share = share_from_ledger(settings, ledger)
        if (why := _absence_text(share)) is not None:
            return why
        if share.left_inbox is not None and is_known_in_place(ledger, share.left_inbox, path):
            return "it was taken before as it is, and is taken again only when its content changes."
        return None if is_at_work(settings, ledger) else _TAKEN_LATER


def _absence_text(share: Share) -> str | None:
    absence = share.absence_reason()
    return None if absence is None else f"everything waits for the share. {absence}."


def read_inbox(settings: Settings, ledger: Ledger, share: Share) -> InboxListing:
    """Return all that is in the inbox and not taken.

    Raises ShareError without the share, OSError, StateFolderError.
    """
    if (why := _absence_text(share)) is not None:
        raise ShareError(why)
    left = share.left_inbox
    known = {} if left is None else known_in_place_files(ledger, folder_origin(left, gethostname()))

    def is_passed_over(path: str) -> bool:
        stamp = known.get(path)
        return is_canary(path) or (stamp is not None and matches_stamp(share.inbox / path, stamp))

    listing = list_waiting_files(
        share.inbox,
        make_stability_times(settings),
        moves=left is None,
        set_aside=frozenset(ledger.mass_arrival.list_waiting()),
        is_passed_over=is_passed_over,
    )
    people, is_running = ledger.console_drops.read_people(), is_at_work(settings, ledger)

    def as_known(file: InboxFile) -> InboxFile:
        why = file.why if is_running or file.kind is not WaitingKind.SETTLING else _TAKEN_LATER
        return replace(file, why=why, dropped_by=people.get(file.path, file.dropped_by))

    return replace(listing, files=tuple(map(as_known, listing.files)))
