"""Needs attention: what waits for a person, grouped by the reason."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby

from starlette.requests import Request

from workflow.console.access import console_of
from workflow.console.actions import ACTIONS, ActionKind
from workflow.console.bulk_arrival import BulkArrival, bulk_arrival_of
from workflow.console.console import Console
from workflow.console.rows import SubmissionRow, make_rows
from workflow.console.waiting_files import WaitingFiles, show_waiting
from workflow.frozen import frozen
from workflow.intake import WaitingKind
from workflow.ledger import Ledger, SortOrder, SubmissionFilter
from workflow.model import HoldReason, Submission, SubmissionState

MOST_SHOWN = 300
HELD = SubmissionFilter(fields={"state": frozenset({SubmissionState.HELD.value})})
PRINT = "print"
"""Holds of a send that is not in doubt: it is known what was sent, and the print is not as it should be."""
TITLES: Mapping[str, str] = {
    HoldReason.SEND: "Not confirmed: was it sent?",
    PRINT: "The print needs a look",
    HoldReason.UPLOAD: "Not confirmed: was it uploaded?",
    HoldReason.MESH: "Something is wrong with the mesh",
    HoldReason.UNITS: "Eiger took it in another size",
    HoldReason.RULE: "A rule holds it",
    HoldReason.ROUTE: "No place to send it",
    HoldReason.PRESET: "Eiger lacks what the rule names",
    HoldReason.SLICE: "Eiger did not slice it",
    HoldReason.BUILD: "No build in Eiger yet",
    HoldReason.DEVICE: "No printer qualifies yet",
    HoldReason.FILE: "The file was not checked",
    HoldReason.FAULT: "stlflow failed with it",
}
"""By what holds a part: the most urgent first."""
PROPOSALS: Mapping[str, str] = {
    HoldReason.SEND: "Look in Eiger whether it arrived there, then confirm.",
    PRINT: "Look at the printer. The reason says what a retry does.",
    HoldReason.UPLOAD: "Look in Eiger for the part. If it is not there, retry.",
    HoldReason.MESH: "Correct the part and drop it again. Or release it as it is.",
    HoldReason.UNITS: "If that size is meant, release it. Otherwise put it right in Eiger, then retry.",
    HoldReason.RULE: "If the part is right as it is, release it.",
    HoldReason.ROUTE: "Release it past the rule, or put the rules or printers right and retry.",
    HoldReason.PRESET: "Put the rule or Eiger right, then retry.",
    HoldReason.SLICE: "Look at the part in Eiger. Then retry.",
    HoldReason.BUILD: "Make a build of it in Eiger: it is found by itself. Or attach one.",
    HoldReason.DEVICE: "Nothing: it goes by itself once a printer qualifies.",
    HoldReason.FILE: "Retry to have the file checked.",
    HoldReason.FAULT: "Retry. If that does not help, send the support bundle.",
}


@frozen
class AttentionGroup:
    """Parts that wait for the same reason. `together` is what can be done for several of them at once."""

    key: str
    hold: str
    title: str
    proposal: str
    together: tuple[ActionKind, ...]
    rows: tuple[SubmissionRow, ...]


@frozen
class AttentionPage:
    """What waits for a person, how many were sent today, and what else is in the inbox and not taken."""

    waiting: int
    sent_today: int
    groups: tuple[AttentionGroup, ...]
    bulk_arrival: BulkArrival | None
    inbox: WaitingFiles


def count_waiting(ledger: Ledger) -> int:
    """Return how many decisions wait for a person: held parts, and a bulk arrival."""
    return ledger.search.count(HELD) + bool(ledger.mass_arrival.list_waiting())


def read_attention(request: Request) -> AttentionPage:
    """Return what waits for a person, grouped by the reason, the most urgent reason first."""
    console = console_of(request)
    held, _ = console.ledger.search.page(HELD, SortOrder("number", descending=False), MOST_SHOWN)
    listing, trouble = console.inbox()
    others = [file for file in listing.files if file.kind is not WaitingKind.BULK_ARRIVAL]
    today = datetime.now(console.settings.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    ended = console.ledger.search.count_ended_since(today)
    return AttentionPage(
        count_waiting(console.ledger),
        sum(ended.get(state, 0) for state in ("dispatched", "printing", "printed", "failed")),
        tuple(_groups(console, held)),
        bulk_arrival_of(console.ledger.mass_arrival.list_waiting()),
        show_waiting(others, listing.count - listing.bulk_arrival, trouble),
    )


def _groups(console: Console, held: Sequence[Submission]) -> Iterator[AttentionGroup]:
    urgency = {key: place for place, key in enumerate(TITLES)}
    by_urgency = sorted(make_rows(console, held), key=lambda row: urgency[_key_of(row)])
    for key, some in groupby(by_urgency, _key_of):
        rows = tuple(some)
        together = {kind for row in rows for kind in row.actions if not ACTIONS[kind].asks}
        in_order = tuple(kind for kind in ActionKind if kind in together and kind is not ActionKind.NOT_SENT)
        hold = rows[0].hold or HoldReason.FAULT.value
        yield AttentionGroup(key, hold, TITLES[key], PROPOSALS[key], in_order, rows)


def _key_of(row: SubmissionRow) -> str:
    is_known = row.hold == HoldReason.SEND and ActionKind.SENT not in row.actions
    return PRINT if is_known else row.hold or HoldReason.FAULT.value


def proposal_of(row: SubmissionRow) -> str:
    """Return what to do about a held part, by the actions that its row offers; "" for another one."""
    return PROPOSALS[_key_of(row)] if row.state == SubmissionState.HELD and row.hold else ""
