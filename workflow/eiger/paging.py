"""Walking through the pages of a list, one at a time and only as far as somebody reads."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from workflow.eiger.noun import Noun, Page
from workflow.errors import ContractBroken

N = TypeVar("N", bound=Noun)
PAGES_WITHOUT_NEWS = 5
"""A list that grows while it is read repeats entries; one that only repeats would never end."""


def walk(read_page: Callable[[int], Page[N]], operation: str) -> Iterator[N]:
    """Give each entry once; `read_page` is asked for page 1, 2, … as they are needed.

    Entries that move to a later page while the list is read are given only once; entries that move
    to an earlier one can be missed, as with any list in pages. Raises ContractBroken for a list
    that never ends.
    """
    seen: set[object] = set()
    number, stale = 1, 0
    while True:
        page = read_page(number)
        fresh = [entry for entry in page.items if _key(entry) not in seen]
        seen.update(_key(entry) for entry in fresh)
        yield from fresh
        if not page.has_more_items:
            return
        stale = 0 if fresh else stale + 1
        if not page.items or stale == PAGES_WITHOUT_NEWS:
            message = f"Page {number} of {operation} says that there is more, but nothing new comes."
            raise ContractBroken(message, operation=operation)
        number += 1


def _key(entry: Noun) -> object:
    """Entries without an id (users may have none) are told apart by all they say."""
    return getattr(entry, "id", None) or entry
