"""What the calls of every resource are made of: ask for a value, walk a list, cause an effect."""

from collections.abc import Iterator
from datetime import datetime
from typing import TypeVar

from pydantic import BaseModel

from workflow.eiger.exchange import Exchange
from workflow.eiger.filters import Query, page_query
from workflow.eiger.last_look import LastLook
from workflow.eiger.noun import Noun, Page
from workflow.eiger.operations import Operation
from workflow.eiger.paging import walk
from workflow.eiger.protocol import read, read_nothing
from workflow.eiger.reply import Reply
from workflow.eiger.transport import Request

M = TypeVar("M", bound=BaseModel)
N = TypeVar("N", bound=Noun)
PAGE_SIZE = 100
"""The contract's own default."""


class Calls:
    """The three ways to call; each raises CloudError."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def _ask(self, operation: Operation, shape: type[M], *, query: Query = (), **ids: str) -> M:
        request = Request(operation, operation.place(**ids), query)
        return self._exchange.call(request, lambda reply, now: read(operation, reply, shape, now))

    def _walk(self, operation: Operation, page: type[Page[N]], query: Query, page_size: int) -> Iterator[N]:
        page_query(1, page_size)  # refuse a wrong size now, not when the first entry is read

        def read_page(number: int) -> Page[N]:
            return self._ask(operation, page, query=(*query, *page_query(number, page_size)))

        return walk(read_page, operation.id)

    def _make(
        self,
        operation: Operation,
        shape: type[M],
        content: object,
        last_look: LastLook | None = None,
        **ids: str,
    ) -> M:
        request = Request(operation, operation.place(**ids), json=content, last_look=last_look)
        return self._exchange.call(request, lambda reply, now: read(operation, reply, shape, now))

    def _do(self, operation: Operation, content: object | None = None, **ids: str) -> None:
        def understand(reply: Reply, now: datetime) -> None:
            read_nothing(operation, reply, now)

        self._exchange.call(Request(operation, operation.place(**ids), json=content), understand)
