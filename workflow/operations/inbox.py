"""What happens to a file in the inbox, and the marker of the share."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

from workflow.assembly import (
    ledger_exists,
    make_ledger,
    make_stability_times,
    open_ledger,
    refuse_moved_ledger,
    share_from_ledger,
)
from workflow.errors import (
    ShareError,
)
from workflow.intake import (
    MASS_ARRIVAL_REASON,
    FileExplanation,
    explain_file,
)
from workflow.ledger import SHARE_ID_KEY, list_workers
from workflow.pipeline.inbox_events import is_known_in_place
from workflow.settings import Settings
from workflow.state_folder import (
    is_state_folder_locked,
    prepare_state_folder,
)


def explain_inbox_file(settings: Settings, name: Path) -> FileExplanation:
    """Return what happens to a file in the inbox, or a path below it. Raises ShareError, StateError."""
    inbox = (settings.read_only_inbox or settings.share / "inbox").absolute()
    place = name.absolute()
    if place.is_relative_to(inbox):
        name = place.relative_to(inbox)
    elif name.is_absolute() or (place.exists() and not (inbox / name).exists()):
        raise ShareError(f"{name} does not lie in the inbox, {inbox}.")
    explained = explain_file(
        inbox, name.as_posix(), make_stability_times(settings), moves=settings.read_only_inbox is None
    )
    if explained.blocked:
        return explained
    waits = _inbox_wait_reason(settings, name.as_posix()) if explained.seen is not None else None
    return explained if waits is None else replace(explained, seen=waits)


def _inbox_wait_reason(settings: Settings, path: str) -> str | None:
    """Return what else keeps a file in the inbox; None if nothing does."""
    if not ledger_exists(settings):
        return "it is taken once stlflow runs: `stlflow run`."
    with closing(open_ledger(settings)) as ledger:
        if ledger.mass_arrival.read_paths().get(path) is False:
            return MASS_ARRIVAL_REASON
        share = share_from_ledger(settings, ledger)
        if (absence := share.absence_reason()) is not None:
            return f"everything waits for the share. {absence}."
        if share.left_inbox is not None and is_known_in_place(ledger, share.left_inbox, path):
            return "it was taken before as it is, and is taken again only when its content changes."
        running = is_state_folder_locked(settings.state) or bool(list_workers(ledger))
    return None if running else "it is taken once stlflow runs: `stlflow run`."


def mark_share(settings: Settings) -> bool:
    """Store the marker of the share in the ledger, and make one if there is none.

    False if the marker is a different one: a running service still expects the old one.
    Raises ShareError, StateError.
    """
    refuse_moved_ledger(settings)
    prepare_state_folder(settings.state, settings.share)
    with closing(make_ledger(settings)) as ledger:
        share = share_from_ledger(settings, ledger)
        marker = share.prepare()
        ledger.metadata.write(SHARE_ID_KEY, marker)
        return marker == share.marker
