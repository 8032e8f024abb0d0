"""What the calls of every resource are made of: get a value, page through a list, cause an effect.

Pages are requested one at a time, only while the caller reads.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from time import monotonic
from typing import TypeVar

from pydantic import BaseModel

from workflow.eiger.models import ApiModel, Page
from workflow.eiger.operations import Operation, Query, page_query
from workflow.eiger.protocol import parse_empty_response, parse_response
from workflow.eiger.request import RequestSender
from workflow.eiger.request_body import BeforeSend
from workflow.eiger.response import Response
from workflow.eiger.transport import Request
from workflow.errors import ContractBroken
from workflow.frozen import frozen

N = TypeVar("N", bound=ApiModel)
MAX_STALE_PAGES = 5
"""A list that grows while it is read repeats entries; one that only repeats would never end."""


@frozen
class ListLimits:
    """How long a list may be before it counts as endless; the seconds are those of reading pages."""

    entries: int
    megabytes: float
    seconds: float


STREAMED_LIST = ListLimits(entries=500_000, megabytes=1000, seconds=3600)
"""For lists that are read entry by entry: years of builds and print jobs."""
WHOLE_LIST = ListLimits(entries=20_000, megabytes=32, seconds=180)
"""For lists that are kept in memory, while others wait: devices and users."""


@dataclass
class ListTotals:
    """What one walk through a list has taken so far."""

    limits: ListLimits
    entries: int = 0
    size_bytes: int = 0
    seconds: float = 0.0

    def raise_if_endless(self, operation: str) -> None:
        """Raise ContractBroken once a limit is passed."""
        limits = self.limits
        for amount, most, unit in (
            (self.entries, limits.entries, "entries"),
            (self.size_bytes / 2**20, limits.megabytes, "MB"),
            (self.seconds, limits.seconds, "seconds"),
        ):
            if amount > most:
                text = f"{operation} has no end: more than {most:,.0f} {unit}. stlflow stops reading it."
                raise ContractBroken(text, operation=operation)


def paginate(
    read_page: Callable[[int], Page[N]], operation: str, totals: ListTotals | None = None
) -> Iterator[N]:
    """Yield each entry once; `read_page` is asked for page 1, 2, … as they are needed.

    An entry that moves to a later page while the list is read comes once. An entry that moves to an
    earlier page can be missed, as in any list in pages. Raises ContractBroken for a list without an end.
    """
    seen: set[object] = set()
    number, stale = 1, 0
    totals = totals or ListTotals(STREAMED_LIST)
    while True:
        began = monotonic()
        page = read_page(number)
        fresh = [entry for entry in page.items if _entry_key(entry) not in seen]
        seen.update(_entry_key(entry) for entry in fresh)
        totals.entries += len(page.items)
        totals.seconds += monotonic() - began
        totals.raise_if_endless(operation)
        yield from fresh
        if not page.has_more_items:
            return
        stale = 0 if fresh else stale + 1
        if not page.items or stale == MAX_STALE_PAGES:
            message = f"Page {number} of {operation} says that there is more, but nothing new comes."
            raise ContractBroken(message, operation=operation)
        number += 1


def _entry_key(entry: ApiModel) -> object:
    """Entries without an id (users may have none) are compared by all their fields."""
    return getattr(entry, "id", None) or entry


M = TypeVar("M", bound=BaseModel)
DEFAULT_PAGE_SIZE = 100
"""The contract's own default."""


class Resource:
    """The three ways to call; each raises CloudError."""

    def __init__(self, exchange: RequestSender) -> None:
        self._exchange = exchange

    def _get(self, operation: Operation, shape: type[M], **ids: str) -> M:
        request = Request(operation, operation.place(**ids))
        return self._exchange.call(request, partial(parse_response, operation, shape))

    def _paginate(
        self,
        operation: Operation,
        page: type[Page[N]],
        query: Query,
        page_size: int,
        limits: ListLimits = STREAMED_LIST,
    ) -> Iterator[N]:
        page_query(1, page_size)  # refuse a wrong size now, not when the first entry is read
        totals = ListTotals(limits)

        def parse(response: Response, now: datetime) -> "Page[N]":  # or pydantic makes it with each list
            totals.size_bytes += len(response.body)
            return parse_response(operation, page, response, now)

        def read_page(number: int) -> "Page[N]":
            request = Request(operation, operation.place(), (*query, *page_query(number, page_size)))
            return self._exchange.call(request, parse)

        return paginate(read_page, operation.id, totals)

    def _post(
        self,
        operation: Operation,
        shape: type[M],
        content: object,
        before_send: BeforeSend | None = None,
        **ids: str,
    ) -> M:
        request = Request(operation, operation.place(**ids), json=content, before_send=before_send)
        return self._exchange.call(request, partial(parse_response, operation, shape))

    def _execute(self, operation: Operation, content: object | None = None, **ids: str) -> None:
        request = Request(operation, operation.place(**ids), json=content)
        self._exchange.call(request, partial(parse_empty_response, operation))
