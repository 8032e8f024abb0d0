"""Lists in pages: lazily, each entry once, and always with an end."""

from collections.abc import Iterable
from itertools import islice

import pytest

from workflow.eiger import User
from workflow.eiger.models import Page
from workflow.eiger.resource import paginate
from workflow.errors import ContractBroken


class Pages:
    """Pages of users, and which of them were read."""

    def __init__(self, *pages: Iterable[str], more_at_end: bool = False) -> None:
        self._pages = [tuple(User(id=name) for name in page) for page in pages]
        self._more_at_end = more_at_end
        self.read: list[int] = []

    def __call__(self, number: int) -> Page[User]:
        self.read.append(number)
        last = number >= len(self._pages)
        items = self._pages[min(number, len(self._pages)) - 1]
        return Page[User](items=items, has_more_items=self._more_at_end or not last)


def names(pages: Pages) -> list[str | None]:
    return [user.id for user in paginate(pages, "listUsers")]


def test_pages_are_read_in_order_to_the_end() -> None:
    pages = Pages("ab", "cd", "e")
    assert names(pages) == ["a", "b", "c", "d", "e"]
    assert pages.read == [1, 2, 3]


def test_a_page_is_read_only_when_it_is_needed() -> None:
    pages = Pages("ab", "cd", "e")
    users = paginate(pages, "listUsers")
    assert pages.read == []
    assert [user.id for user in islice(users, 2)] == ["a", "b"]
    assert pages.read == [1]


def test_entries_that_move_to_the_next_page_come_once() -> None:
    assert names(Pages("ab", "bc", "cd")) == ["a", "b", "c", "d"]


def test_entries_without_an_id_are_told_apart_by_what_they_say() -> None:
    page = Page[User](items=(User(name="Ada"), User(name="Ben"), User(name="Ada")), has_more_items=False)
    assert [user.name for user in paginate(lambda _: page, "listUsers")] == ["Ada", "Ben", "Ada"]


def test_an_empty_list() -> None:
    assert names(Pages("")) == []


def test_an_empty_page_that_promises_more_is_no_endless_loop() -> None:
    with pytest.raises(ContractBroken, match="Page 1 of listUsers says that there is more, but nothing new"):
        names(Pages("", more_at_end=True))


def test_a_page_that_repeats_for_ever_is_no_endless_loop() -> None:
    pages = Pages("ab", more_at_end=True)
    with pytest.raises(ContractBroken, match="nothing new comes"):
        names(pages)
    assert len(pages.read) < 10
