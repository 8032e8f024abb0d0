"""Reads what the status page shows: a few bounded queries."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from workflow.intake import Inbox
from workflow.ledger import RULES_ERROR_KEY, list_workers
from workflow.model import Submission, SubmissionState
from workflow.notes import StatusPage, StatusRow, is_undecided, make_answer, naming_eiger
from workflow.pipeline.context import Context, now
from workflow.pipeline.print_notes import read_print_status
from workflow.pipeline.thumbnails import read_thumbnail

RECENT_FILES = 50
UNDECIDED_FILES, UNDECIDED_SEARCHED = 20, 500
MAX_PRINTERS = 100


def read_status_page(context: Context, inbox: Inbox | None, *, stopped: bool = False) -> StatusPage:
    """Return what the page shows now. Raises StateFolderError."""
    ledger, cloud = context.ledger, context.client.vitals()
    workers = list_workers(ledger)
    scans = [each.vitals.scanned_at for each in workers if each.vitals.scanned_at is not None]
    held = [each for each in ledger.all([SubmissionState.HELD], UNDECIDED_SEARCHED) if is_undecided(each)]
    return StatusPage(
        written_at=now(),
        stopped=stopped,
        scanned_at=_moment(max(scans, default=None)),
        waiting_in_inbox=0 if inbox is None else len(inbox.waiting()),
        replied_at=_moment(cloud.answered_at),
        trouble=naming_eiger(cloud.last_failure) if cloud.is_failing else "",
        hosts=tuple(sorted(each.host for each in workers)),
        counts=ledger.count_by_state(),
        warnings=tuple(_warnings(context, [each.vitals.hanging for each in workers])),
        undecided=_rows(context, held[:UNDECIDED_FILES]),
        undecided_count=len(held),
        printers=ledger.printers.latest()[:MAX_PRINTERS],
        recent=_rows(context, ledger.all((), RECENT_FILES)),
    )


def without_times(page: StatusPage) -> StatusPage:
    """Return the page as it is compared with the last one: that time passes is no news."""
    moment = datetime.fromtimestamp(0, UTC)
    scanned_at, replied_at = page.scanned_at and moment, page.replied_at and moment
    return replace(page, written_at=moment, scanned_at=scanned_at, replied_at=replied_at)


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _rows(context: Context, submissions: Sequence[Submission]) -> tuple[StatusRow, ...]:
    built = [each.id for each in submissions if each.build_id is not None]
    decided = context.ledger.decisions.read_routing(built)
    answers = {
        each.id: make_answer(each, decided[each.id], context.prices, context.changeover_seconds)
        for each in submissions
        if each.id in decided
    }
    folder, prints = context.thumbnails, read_print_status(context.ledger, submissions)
    pictures = {each.id: None if folder is None else read_thumbnail(folder, each) for each in submissions}
    return tuple(
        StatusRow(each, answers.get(each.id), pictures[each.id], prints.get(each.id)) for each in submissions
    )


def _warnings(context: Context, hanging: Sequence[str]) -> Iterator[str]:
    """Yield what the person who looks after stlflow has to know."""
    metadata, arrived = context.ledger.metadata, context.ledger.mass_arrival.read_paths()
    if error := metadata.read(RULES_ERROR_KEY):
        yield f"The changed rules are not used: {error.splitlines()[0]} `stlflow rules check` says more."
    for sentences in filter(None, hanging):
        yield f"{sentences} Check that the share answers; then restart stlflow."
    if waiting := sum(not accepted for accepted in arrived.values()):
        yield (
            f"{waiting:,} files came at once and wait in the inbox. If they are meant: "
            "`stlflow intake accept`. If not, take them out of the inbox."
        )
