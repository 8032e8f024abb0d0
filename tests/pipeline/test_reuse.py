"""The same file once more: its build is sent again, and nothing is uploaded."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from tests.pipeline.conftest import Open, Shop, dispatched, held, written
from tests.stl import box
from workflow.errors import NotNow
from workflow.ledger import Ledger, forget_ended, reuse_build
from workflow.model import Hold, State, Submission
from workflow.pipeline.clock import now
from workflow.pipeline.orders import attach, cancel, release, retry

LOOK_FIRST = """\
version: 1
intake: [{name: rest, preset: Onyx}]
routing:
  - {name: look, when: {path: b.stl}, hold: A person looks first.}
  - {name: rest, send_to: job_request}
"""


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


def test_a_reuse_that_is_cut_off_goes_on(thrifty: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    thrifty.drop("a.stl", box(55))
    first = thrifty.wait("a.stl", dispatched)
    written_down = reuse_build

    def cut(ledger: Ledger, submission: Submission, earlier: Submission, **changes: object) -> bool:
        monkeypatch.setattr("workflow.pipeline.reuse.reuse_build", written_down)
        written_down(ledger, submission, earlier, **changes)
        raise OSError("cut off")

    monkeypatch.setattr("workflow.pipeline.reuse.reuse_build", cut)
    thrifty.drop("b.stl", box(55))
    assert thrifty.sent(thrifty.wait("b.stl", dispatched)) == 2
    assert thrifty.service.ledger.get(first.id).build_id == thrifty.wait("b.stl").build_id


def test_what_was_sent_before_is_told_apart_when_its_submission_is_forgotten(
    open_shop: Open, tmp_path: Path
) -> None:
    shop = open_shop(reuse_builds=True, rules=written(tmp_path, LOOK_FIRST))
    shop.drop("a.stl", box(56))
    first = shop.wait("a.stl", dispatched)
    shop.drop("b.stl", box(56))
    second = shop.wait("b.stl", held)
    assert second.build_id == first.build_id
    assert forget_ended(shop.service.ledger, now() + timedelta(days=1), None) == 1
    release(shop.service.ledger, second.id)
    assert shop.sent(shop.wait("b.stl", dispatched)) == 2


def test_another_build_attached_instead_of_a_reused_one_has_a_past_of_its_own(
    open_shop: Open, tmp_path: Path
) -> None:
    shop = open_shop(reuse_builds=True, rules=written(tmp_path, LOOK_FIRST))
    shop.drop("a.stl", box(57))
    first = shop.wait("a.stl", dispatched)
    shop.drop("b.stl", box(57))
    second = shop.wait("b.stl", held)
    assert (second.hold, second.reused) == (Hold.ROUTE, first.id)
    other = attach(shop.service.ledger, second.id, "2f1c9d0e-1a2b-4c3d-8e4f-0123456789ab")
    assert (other.state, other.reused, other.uploaded_at) == (State.SLICED, None, None)


def test_a_build_of_which_a_send_is_in_doubt_is_not_sent_once_more(open_shop: Open, tmp_path: Path) -> None:
    shop = open_shop(reuse_builds=True)
    shop.drop("a.stl", box(58))
    first = shop.wait("a.stl", dispatched)
    shop.cloud.fault("sendBuildToJobRequestQueue", "delay", delay_seconds=10)
    shop.drop("b.stl", box(58))
    doubtful = shop.wait("b.stl", held)
    assert (doubtful.hold, doubtful.reused) == (Hold.SEND, first.id)
    cancel(shop.service.ledger, doubtful.id)
    shop.drop("c.stl", box(58))
    assert shop.wait("c.stl", dispatched).build_id != first.build_id


def test_a_build_that_a_person_attached_is_not_sent_for_others(open_shop: Open, tmp_path: Path) -> None:
    shop = open_shop(reuse_builds=True, rules=written(tmp_path, LOOK_FIRST))
    shop.drop("plate.stl", box(70))
    plate = shop.wait("plate.stl", dispatched)
    shop.drop("b.stl", box(59))
    attach(shop.service.ledger, shop.wait("b.stl", held).id, str(plate.build_id))
    release(
        shop.service.ledger,
        shop.wait("b.stl", lambda seen: held(seen) and seen.build_id == plate.build_id).id,
    )
    asked = shop.wait("b.stl", lambda seen: held(seen) and seen.hold is Hold.SEND)
    assert shop.sent(asked) == 1, "it was sent for the plate a moment ago: a person looks first"
    retry(shop.service.ledger, asked.id)
    shop.wait("b.stl", lambda seen: held(seen) and seen.hold is Hold.ROUTE)
    release(shop.service.ledger, asked.id)
    assert shop.sent(shop.wait("b.stl", dispatched)) == 2
    shop.drop("c.stl", box(59))
    assert shop.wait("c.stl", dispatched).build_id != plate.build_id


def test_a_canceled_one_that_is_retried_leaves_the_build_to_whoever_took_it_meanwhile(
    open_shop: Open, tmp_path: Path
) -> None:
    """Two at one build: the trace of one's send would pass for the other's, and that one never be sent."""
    shop = open_shop(
        reuse_builds=True, rules=written(tmp_path, LOOK_FIRST.replace("b.stl", "[b.stl, other/c.stl]"))
    )
    shop.drop("a.stl", box(60))
    first = shop.wait("a.stl", dispatched)
    shop.drop("b.stl", box(60))
    cancel(shop.service.ledger, shop.wait("b.stl", held).id)
    canceled = shop.wait("b.stl", lambda seen: seen.state is State.CANCELED and seen.step is None)
    shop.drop("other/c.stl", box(60))
    assert shop.wait("other/c.stl", held).build_id == canceled.build_id == first.build_id
    retry(shop.service.ledger, canceled.id)
    assert shop.wait("b.stl", held).build_id != first.build_id


def test_one_sent_in_part_is_not_taken_up_while_its_build_is_sent_for_another(
    thrifty: Shop,
) -> None:
    thrifty.drop("a.stl", box(61))
    first = thrifty.wait("a.stl", dispatched)
    ledger = thrifty.service.ledger
    thrifty.cloud.fault("sendBuildToJobRequestQueue", "delay", delay_seconds=10)
    thrifty.drop("b.stl", box(61))
    doubtful = thrifty.wait("b.stl", held)
    assert doubtful.reused == first.id
    cancel(ledger, doubtful.id)
    thrifty.wait("b.stl", lambda seen: seen.state is State.CANCELED and seen.step is None)
    rival = ledger.open("c.stl")
    ledger.claimed(rival, "processing/c.stl")
    ledger.change(ledger.get(rival), build_id=first.build_id, state=State.HELD, step=None)
    with pytest.raises(NotNow, match=rf"^Submission {rival} sends the same build just now: what either"):
        retry(ledger, doubtful.id)


def test_a_preset_that_was_renamed_since_is_another_one(thrifty: Shop) -> None:
    """Eiger tells no version of a preset; whoever changes one and says so in its title is heard."""
    thrifty.drop("a.stl", box(62))
    first = thrifty.wait("a.stl", dispatched)
    thrifty.service.ledger.change(first, preset="Onyx of last year")
    thrifty.drop("b.stl", box(62))
    assert thrifty.wait("b.stl", dispatched).build_id != first.build_id
