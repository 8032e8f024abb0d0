"""The same file once more: its build is sent again, and nothing is uploaded."""

from collections import Counter

import pytest

from tests.pipeline.conftest import Open, Shop, dispatched
from tests.stl import box


@pytest.fixture
def thrifty(open_shop: Open) -> Shop:
    return open_shop(reuse_builds=True)


def uploads(shop: Shop) -> int:
    return sum(entry["operation"] == "uploadStl" for entry in shop.cloud.journal())


def receipts(shop: Shop) -> Counter[str]:
    return Counter(str(submission.receipt_id) for submission in shop.service.ledger.all())


def test_the_same_file_later_is_sent_without_an_upload(thrifty: Shop) -> None:
    thrifty.drop("a.stl", box(51))
    first = thrifty.wait("a.stl", dispatched)
    thrifty.drop("b.stl", box(51))
    second = thrifty.wait("b.stl", dispatched)
    assert second.build_id == first.build_id
    assert (thrifty.sent(first), uploads(thrifty)) == (2, 1)
    assert set(receipts(thrifty).values()) == {1}, "each has a receipt of its own"
    assert f"of submission {first.id}" in [
        event.detail for event in thrifty.history("b.stl") if event.event == "build reused"
    ]


@pytest.mark.parametrize("fault", ["cut_before", "cut_after"])
def test_a_lost_reply_sends_a_reused_build_neither_twice_nor_never(thrifty: Shop, fault: str) -> None:
    thrifty.drop("a.stl", box(52))
    first = thrifty.wait("a.stl", dispatched)
    thrifty.cloud.fault("sendBuildToJobRequestQueue", fault)
    thrifty.drop("b.stl", box(52))
    second = thrifty.wait("b.stl", dispatched)
    assert thrifty.sent(second) == 2
    assert second.receipt_id != first.receipt_id


def test_with_another_preset_it_is_another_part(thrifty: Shop) -> None:
    thrifty.drop("a.stl", box(53))
    first = thrifty.wait("a.stl", dispatched)
    thrifty.drop("metal/a.stl", box(53))
    assert thrifty.wait("metal/a.stl", dispatched).build_id != first.build_id


def test_unless_it_is_allowed_each_file_is_sliced(open_shop: Open) -> None:
    shop = open_shop()
    shop.drop("a.stl", box(54))
    first = shop.wait("a.stl", dispatched)
    shop.drop("b.stl", box(54))
    assert shop.wait("b.stl", dispatched).build_id != first.build_id
    assert uploads(shop) == 2
