"""Lists in pages: lazily, each entry once, and always with an end."""

import itertools
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice

import pytest

from tests.eiger.server import Answer, Asked, as_json, client_of, serving
from workflow.eiger import User
from workflow.eiger.models import Page
from workflow.eiger.resource import WHOLE_LIST, ListLimits, ListTotals, paginate
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


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        (ListLimits(5, 1, 60), "listUsers has no end: more than 5 entries. stlflow stops reading it."),
        (ListLimits(99, 1, 60), "listUsers has no end: more than 1 MB. stlflow stops reading it."),
        (ListLimits(99, 99, 0), "listUsers has no end: more than 0 seconds. stlflow stops reading it."),
    ],
)
def test_a_list_of_new_entries_without_an_end_is_no_endless_loop(limits: ListLimits, sentence: str) -> None:
    totals = ListTotals(limits)

    def read_page(number: int) -> Page[User]:
        totals.size_bytes += 2**19
        return Page[User](items=(User(id=f"{number}a"), User(id=f"{number}b")), has_more_items=True)

    with pytest.raises(ContractBroken) as caught:
        list(paginate(read_page, "listUsers", totals))
    assert str(caught.value) == sentence


def test_devices_and_users_without_an_end_are_given_up_with_little_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert WHOLE_LIST.entries == 20_000
    monkeypatch.setattr("workflow.eiger.endpoints.WHOLE_LIST", replace(WHOLE_LIST, entries=2_000))

    def endless(asked: Asked) -> Answer:
        names = [f"{len(asked.path)}{asked.connection}{next(count)}" for _ in range(100)]
        printer = {"device_type": "printer", "device_series": "x", "name": "n" * 500}
        return as_json({"items": [{"id": name, **printer} for name in names], "has_more_items": True})

    count = itertools.count()
    with serving(endless) as server, client_of(server.url) as client:
        with pytest.raises(ContractBroken, match="listDevices has no end: more than 2,000 entries"):
            list(client.list_devices())
        with pytest.raises(ContractBroken, match="listUsers has no end: more than 2,000 entries"):
            list(client.list_users())
    assert len(server.asked) == 42
