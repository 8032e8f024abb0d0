"""Many files that came at once: which wait, the question before they are accepted, and what changed since."""

from collections.abc import Collection

from starlette.requests import Request

from workflow.console.access import console_of, visitor_of
from workflow.console.console import Console
from workflow.console.forms import Refused, first, own_path
from workflow.console.views import Form, Parameter
from workflow.errors import format_count
from workflow.frozen import frozen
from workflow.intake import printable_path
from workflow.pipeline.decider import Decider
from workflow.pipeline.mass_arrival import accept_mass_arrival, mass_arrival_digest

NAMED_ON_PAGE, NAMED_IN_QUESTION, NAMED_IN_REFUSAL = 20, 500, 5
ACCEPT_FIELDS = (
    Parameter("digest", "which files the page showed: the `digest` of its bulk arrival"),
    Parameter("why", "the reason, for the history"),
)


@frozen
class BulkArrival:
    """Files of the inbox that wait because many came at once; some are named, `digest` identifies all."""

    count: int
    names: tuple[str, ...]
    digest: str


@frozen
class BulkQuestion:
    """What is asked before a bulk arrival is accepted; None if no file waits any more."""

    arrival: BulkArrival | None
    goes_to: str


def bulk_arrival_of(paths: Collection[str], named: int = NAMED_ON_PAGE) -> BulkArrival | None:
    """Return what waits, with the names of the first files; None if nothing does."""
    if not paths:
        return None
    names = tuple(map(printable_path, sorted(paths)[:named]))
    return BulkArrival(len(paths), names, mass_arrival_digest(paths))


def read_bulk_question(request: Request) -> BulkQuestion:
    """Return what would be accepted. Which files that are is kept, to tell later what changed."""
    console, paths = console_of(request), console_of(request).ledger.mass_arrival.list_waiting()
    arrival = bulk_arrival_of(paths, NAMED_IN_QUESTION)
    if arrival is not None and arrival.digest not in dict(console.shown_arrivals):
        console.shown_arrivals.append((arrival.digest, frozenset(paths)))
    return BulkQuestion(arrival, own_path(request.query_params.get("next", "")) or "/")


def accept_bulk_arrival(request: Request, form: Form) -> str:
    """Accept the files that wait because many came at once, if they are those that the page showed."""
    console, shown = console_of(request), first(form, "digest")
    paths = console.ledger.mass_arrival.list_waiting()
    if shown != mass_arrival_digest(paths):
        raise Refused(f"Nothing was accepted: {_what_changed(console, shown, frozenset(paths))} Look again.")
    decider = Decider(visitor_of(request).by, first(form, "why"))
    accepted = accept_mass_arrival(console.ledger, paths, decider)
    console.wake()
    verb = "is" if accepted == 1 else "are"
    return f"{format_count(accepted, 'file')} {verb} accepted. They are taken at the next scan."


def _what_changed(console: Console, shown: str, waiting: frozenset[str]) -> str:
    """Return how the files that wait differ from those that a page showed."""
    before = dict(console.shown_arrivals).get(shown)
    if before is None:
        return f"other files wait now than the page showed, {len(waiting):,} in all."
    differences = (("came", waiting - before), ("went", before - waiting))
    told = [f"{len(paths):,} {what}: {_some_names(paths)}." for what, paths in differences if paths]
    return f"since the page showed them, {' '.join(told)}"


def _some_names(paths: Collection[str]) -> str:
    names, more = sorted(map(printable_path, paths))[:NAMED_IN_REFUSAL], len(paths) - NAMED_IN_REFUSAL
    return ", ".join(names) + (f" and {more:,} more" if more > 0 else "")
