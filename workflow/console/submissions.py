"""All submissions: a table that is searched, sorted and paged by its address, and the same as CSV."""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from workflow.console.access import console_of
from workflow.console.actions import ActionKind
from workflow.console.filters import Chip, chips, parse_filter, parse_order, read_cursor, write_cursor
from workflow.console.forms import is_whole_number
from workflow.console.rows import SubmissionRow, make_rows
from workflow.console.streams import Stream, read_in_thread
from workflow.console.views import Parameter
from workflow.frozen import frozen
from workflow.ledger import LONGEST_COUNT, SortOrder
from workflow.notes import spreadsheet_cell

ROWS_AT_ONCE = 100
MOST_ROWS = 500
CSV_ROWS_AT_ONCE = 500
TOGETHER = (ActionKind.RELEASE, ActionKind.RETRY, ActionKind.REJECT)
SEARCH_PARAMETERS = (
    Parameter("q", 'words, `state:held`, `who:kim`, `printer:"Mark Two"`, `since:2026-11-28`; `-` excludes'),
    Parameter("sort", "number, file, state, preset or destination; `-` before it turns it round"),
    Parameter("after", "`next` of the page before"),
    Parameter("limit", "how many rows, up to 500", "integer"),
    Parameter("only", "numbers with commas between: of these, those that match"),
)
CSV_COLUMNS = (
    "id", "path", "state", "hold", "reason", "preset", "rule", "destination", "copies", "print_time", "cost",
    "ready", "dropped_by", "opened_at", "changed_at",
)  # fmt: skip


@frozen
class SortLink:
    """The heading of a column: where a click leads, and how the table is sorted by it now."""

    title: str
    sort: str
    now: str


@frozen
class SubmissionsPage:
    """One page of the table. `next` begins the next page; `count` is all rows, up to 5,000."""

    rows: tuple[SubmissionRow, ...]
    count: int
    next: str | None
    q: str
    sort: str
    chips: tuple[Chip, ...]
    headings: tuple[SortLink, ...]
    together: tuple[ActionKind, ...]
    more: str
    is_first: bool

    @property
    def count_text(self) -> str:
        """Return the count in words."""
        return f"{self.count:,} or more" if self.count >= LONGEST_COUNT else f"{self.count:,}"


def read_submissions(request: Request) -> SubmissionsPage:
    """Return one page of submissions that match the search."""
    console, query = console_of(request), request.query_params
    wanted, order = parse_filter(query, console.settings.zone), parse_order(query)
    after = read_cursor(query.get("after"), order)
    search, limit = console.ledger.search, _limit(query.get("limit"))
    if after is None:
        found, cursor, total = search.first_page(wanted, order, limit)
    else:
        (found, cursor), total = search.page(wanted, order, limit, after), search.count(wanted)
    following = write_cursor(cursor) if cursor else None
    kept = {name: query[name] for name in ("q", "sort", "limit") if query.get(name)}
    return SubmissionsPage(
        rows=make_rows(console, found),
        count=total,
        next=following,
        q=query.get("q", ""),
        sort=query.get("sort", "-number"),
        chips=chips(query.get("q", "")),
        headings=tuple(_headings(order)),
        together=TOGETHER,
        more=urlencode({**kept, "after": following}) if following else "",
        is_first=after is None,
    )


def _limit(text: str | None) -> int:
    return min(max(int(text), 1), MOST_ROWS) if text and is_whole_number(text, 9) else ROWS_AT_ONCE


def _headings(order: SortOrder) -> Iterator[SortLink]:
    for column, title in (("number", "#"), ("file", "File"), ("state", "State"), ("preset", "Preset"),
                          ("destination", "Goes to")):  # fmt: skip
        is_now = order.column == column
        now = ("descending" if order.descending else "ascending") if is_now else "none"
        turned = not order.descending if is_now else column == "number"
        yield SortLink(title, f"{'-' if turned else ''}{column}", now)


def respond_csv(request: Request) -> Response:
    """Return all rows that match the search as CSV, as spreadsheets read it."""
    console, query = console_of(request), request.query_params
    wanted, order = parse_filter(query, console.settings.zone), parse_order(query)

    def lines() -> Iterator[bytes]:
        yield "\N{ZERO WIDTH NO-BREAK SPACE}".encode() + _csv_line(CSV_COLUMNS)
        after = None
        while True:
            found, after = console.ledger.search.page(wanted, order, CSV_ROWS_AT_ONCE, after)
            for row in make_rows(console, found):
                yield _csv_line([spreadsheet_cell(getattr(row, name)) for name in CSV_COLUMNS])
            if after is None or console.stop.is_set():
                return

    name = f"submissions-{datetime.now(console.settings.zone):%Y-%m-%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Stream(read_in_thread(lines()), headers=headers, media_type="text/csv; charset=utf-8")


def _csv_line(cells: Iterable[object]) -> bytes:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue().encode("utf-8", "replace")
