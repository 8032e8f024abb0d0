"""Orphaned claims: files in `processing/` that belong to another ledger, for example one that was lost.

The other stlflow may be alive: two may share one folder. So nothing here happens by itself: a person adopts
the files. A part that may have been sent already is held, so that nothing is printed twice by surprise.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import PurePosixPath

from workflow.eiger import BuildFilter, EigerClient, PrintJobFilter
from workflow.frozen import frozen
from workflow.intake import CLAIMS_FOLDER_PREFIX, INBOX_FOLDER, Outcome, Share, is_part_file, plan_and_move
from workflow.ledger import Ledger
from workflow.notes import note_path, orphaned_claims_note_text, remove_note, says, write_note
from workflow.pipeline.build_search import search_builds_by
from workflow.pipeline.time_bounds import not_before
from workflow.pipeline.upload import signed_title

NUMBERED_NAME = re.compile(r"^(\d{1,9})~(.+)$")
MAX_BUILDS_READ = 50


@frozen
class OrphanedClaim:
    """One file that another ledger claimed: its place under the share, its number there, the dropped path."""

    claimed_as: str
    owner: str
    number: int | None
    path: str
    claimed_at: datetime


@frozen
class Adoption:
    """What became of one orphaned file: where it is now, and why it is held; None if it continues."""

    path: str
    placed_as: str
    held_because: str | None = None


def list_orphaned_claims(share: Share) -> tuple[OrphanedClaim, ...]:
    """Return the files in `processing/` that other ledgers have claimed, in the order of their places."""
    return tuple(sorted(_orphans(share), key=lambda claim: claim.claimed_as))


def orphans_text(claims: Sequence[OrphanedClaim]) -> str:
    """Return what is said of orphaned files at the start and by the doctor: how many, and what to do."""
    owners = ", ".join(sorted({f"{CLAIMS_FOLDER_PREFIX}{claim.owner}" for claim in claims}))
    files = "1 file" if len(claims) == 1 else f"{len(claims):,} files"
    return f"processing/ holds {files} of another stlflow ({owners})."


def update_orphan_notes(share: Share, claims: Sequence[OrphanedClaim]) -> None:
    """Write a note beside each folder of orphaned files, and remove the notes of folders without any."""
    counts = Counter(f"{CLAIMS_FOLDER_PREFIX}{claim.owner}" for claim in claims)
    with suppress(OSError):  # a note must not keep the service from starting
        for name, count in counts.items():
            if not says(share.processing / name, text := orphaned_claims_note_text(count)):
                remove_note(share.processing / name)
                write_note(note_path(share.processing / name), text)
        for note in share.processing.glob(f"{CLAIMS_FOLDER_PREFIX}*.txt"):
            if note.stem not in counts:
                remove_note(note.with_suffix(""))


ADVICE = "If that stlflow is gone for good: `stlflow intake adopt`."


def adopt_claims(
    ledger: Ledger, share: Share, client: EigerClient, claims: Sequence[OrphanedClaim]
) -> Iterator[Adoption]:
    """Move each file to the inbox, or hold it if it may have been sent; say what became of each.

    Raises CloudError, OSError; files that were not reached stay where they are.
    """
    for claim in claims:
        sha256 = _sha256(share, claim)
        doubt = why_maybe_sent(ledger, client, claim, sha256)
        if doubt is None:
            yield Adoption(claim.path, plan_and_move(share, claim.claimed_as, claim.path, INBOX_FOLDER))
            continue
        reason = (
            f"Another stlflow ({claim.owner}) had claimed this file, and may have sent it. {doubt} "
            "Look in Eiger. If it was sent, take the file away; if not, retry it."
        )
        placed = plan_and_move(share, claim.claimed_as, claim.path, Outcome.HELD)
        ledger.adopt(claim.path, placed, reason)
        yield Adoption(claim.path, placed, reason)
    update_orphan_notes(share, list_orphaned_claims(share))


def why_maybe_sent(ledger: Ledger, client: EigerClient, claim: OrphanedClaim, sha256: str) -> str | None:
    """Return why a file may have been sent before; None if Eiger has no build of it. Raises CloudError."""
    known = next((each for each in ledger.list_with_content(sha256) if each.receipt_id), None)
    if known is not None:
        return f"The same file was sent as submission {known.id} (print job {known.receipt_id})."
    title = PurePosixPath(claim.path).stem
    if claim.number is not None:
        title = signed_title(claim.path, claim.number, sha256)
    titles = (title, f"{title}.stl")
    searches = [BuildFilter(title=each) for each in titles]
    searches.append(BuildFilter(created_from=not_before(claim.claimed_at)))  # made by hand, under any title
    for search in searches:
        for build in search_builds_by(client, search, MAX_BUILDS_READ):
            if build.title in titles or any(part.title in titles for part in build.part_versions):
                jobs = client.list_print_jobs(PrintJobFilter(build=build.id), page_size=1)
                job = next(iter(jobs), None)
                sent = f", and print job {job.id} of it" if job is not None else ""
                return f"Eiger has its build '{build.title}'{sent}."
    return None


def parse_claim_name(folder: str, claimed_as: str) -> tuple[int | None, str]:
    """Return the number in front of a claimed file's name, None if there is none, and the dropped path."""
    below = PurePosixPath(claimed_as).relative_to(folder)
    numbered = NUMBERED_NAME.match(below.name)
    if numbered is None:
        return None, str(below)
    return int(numbered[1]), str(below.with_name(numbered[2]))


def _orphans(share: Share) -> Iterator[OrphanedClaim]:
    for folder in share.processing.glob(f"{CLAIMS_FOLDER_PREFIX}*"):
        if folder.is_symlink() or folder.name == PurePosixPath(share.claims_folder).name:
            continue
        for found in folder.rglob("*"):
            if is_part_file(found.name) and found.is_file() and not found.is_symlink():
                place = found.relative_to(share.root).as_posix()
                number, path = parse_claim_name(f"processing/{folder.name}", place)
                claimed_at = datetime.fromtimestamp(found.stat().st_ctime, UTC)
                owner = folder.name.removeprefix(CLAIMS_FOLDER_PREFIX)
                yield OrphanedClaim(place, owner, number, path, claimed_at)


def _sha256(share: Share, claim: OrphanedClaim) -> str:
    with (share.root / claim.claimed_as).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
