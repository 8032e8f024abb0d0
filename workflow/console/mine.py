"""My files: what became of the files of one person, in plain words."""

from starlette.requests import Request

from workflow.console.access import console_of, visitor_of
from workflow.console.attention import proposal_of
from workflow.console.rows import SubmissionRow, make_rows
from workflow.console.waiting_files import WaitingFiles, show_waiting
from workflow.frozen import frozen
from workflow.ledger import SortOrder, SubmissionFilter

MOST_SHOWN = 100


@frozen
class OwnFile:
    """One file of a person: what became of it, and what they do next, if anything."""

    row: SubmissionRow
    sentence: str
    next_step: str


@frozen
class MinePage:
    """The files of one person, the newest first; `people` are those who dropped any.

    `inbox` are those of their files that are not taken yet.
    """

    who: str
    people: tuple[str, ...]
    files: tuple[OwnFile, ...]
    inbox: WaitingFiles


def read_mine(request: Request) -> MinePage:
    """Return the files of the person whom the address names, or who asks."""
    console, visitor = console_of(request), visitor_of(request)
    listing, trouble = console.inbox()
    droppers = {file.dropped_by for file in listing.files if file.dropped_by}
    people = tuple(sorted({*console.ledger.search.list_droppers(), *droppers}))
    who = request.query_params.get("who", "").strip() or (visitor.name if visitor.name in people else "")
    if not who:
        return MinePage("", people, (), WaitingFiles(trouble=trouble))
    wanted = SubmissionFilter(fields={"dropped_by": frozenset({who})})
    found, _ = console.ledger.search.page(wanted, SortOrder(), MOST_SHOWN)
    waiting = [file for file in listing.files if file.dropped_by == who]
    own = tuple(map(_own_file, make_rows(console, found)))
    return MinePage(who, people, own, show_waiting(waiting, len(waiting), trouble))


def _own_file(row: SubmissionRow) -> OwnFile:
    where = row.destination or "Eiger"
    sentences = {
        "held": "It waits for a decision.",
        "rejected": "It was rejected: nothing was sent to a printer.",
        "canceled": "It was canceled.",
        "dispatched": f"It was sent to {where if row.destination != 'Job requests' else 'the job requests'}.",
        "printing": f"It is being printed on {where}.",
        "printed": f"It is printed. Fetch it at {where}.",
        "failed": f"The print on {where} failed.",
    }
    sentence = sentences.get(row.state, "stlflow is working on it.")
    if row.state in {"dispatched", "printing"} and row.ready:
        sentence += f" Ready {row.ready}."
    next_step = "Correct the part and drop it again." if row.state == "rejected" else proposal_of(row)
    return OwnFile(row, sentence, next_step)
