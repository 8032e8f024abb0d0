"""The same file once more: its build is sent again, and nothing is uploaded."""

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Unpack

import pytest

from tests.pipeline.conftest import Open, Shop, dispatched, held, written
from tests.stl import box
from workflow.errors import WrongSubmissionState
from workflow.model import HoldReason, Submission, SubmissionChanges, SubmissionState
from workflow.pipeline.commands import attach_build, cancel_submission, release_submission, retry_submission
from workflow.pipeline.context import now

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


def uploads(context: Shop) -> int:
    return sum(entry["operation"] == "uploadStl" for entry in context.cloud.journal())


def receipts(context: Shop) -> Counter[str]:
    return Counter(str(submission.receipt_id) for submission in context.service.ledger.all())


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
    context = open_shop()
    context.drop("a.stl", box(54))
    first = context.wait("a.stl", dispatched)
    context.drop("b.stl", box(54))
    assert context.wait("b.stl", dispatched).build_id != first.build_id
    assert uploads(context) == 2


def test_a_reuse_that_is_cut_off_goes_on(thrifty: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    thrifty.drop("a.stl", box(55))
    first = thrifty.wait("a.stl", dispatched)
    store = thrifty.service.ledger.duplicates
    unbroken = store.reuse_build

    def cut(submission: Submission, earlier: Submission, **changes: Unpack[SubmissionChanges]) -> bool:
        monkeypatch.setattr(store, "reuse_build", unbroken)
        unbroken(submission, earlier, **changes)
        raise OSError("cut off")

    monkeypatch.setattr(store, "reuse_build", cut)
    thrifty.drop("b.stl", box(55))
    assert thrifty.sent(thrifty.wait("b.stl", dispatched)) == 2
    assert thrifty.service.ledger.get(first.id).build_id == thrifty.wait("b.stl").build_id


def test_what_was_sent_before_is_reported_apart_when_its_submission_is_forgotten(
    open_shop: Open, tmp_path: Path
) -> None:
    context = open_shop(reuse_builds=True, rules=written(tmp_path, LOOK_FIRST))
    context.drop("a.stl", box(56))
    first = context.wait("a.stl", dispatched)
    context.drop("b.stl", box(56))
    second = context.wait("b.stl", held)
    assert second.build_id == first.build_id
    assert context.service.ledger.retention.delete_ended(now() + timedelta(days=1), None) == 1
    release_submission(context.service.ledger, second.id)
    assert context.sent(context.wait("b.stl", dispatched)) == 2


def test_another_build_attached_instead_of_a_reused_one_has_a_past_of_its_own(
    open_shop: Open, tmp_path: Path
) -> None:
    context = open_shop(reuse_builds=True, rules=written(tmp_path, LOOK_FIRST))
    context.drop("a.stl", box(57))
    first = context.wait("a.stl", dispatched)
    context.drop("b.stl", box(57))
    second = context.wait("b.stl", held)
    assert (second.hold, second.reused) == (HoldReason.ROUTE, first.id)
    other = attach_build(context.service.ledger, second.id, "2f1c9d0e-1a2b-4c3d-8e4f-0123456789ab")
    assert (other.state, other.reused, other.uploaded_at) == (SubmissionState.SLICED, None, None)


def test_a_build_of_which_a_send_is_in_doubt_is_not_sent_once_more(open_shop: Open, tmp_path: Path) -> None:
    context = open_shop(reuse_builds=True)
    context.drop("a.stl", box(58))
    first = context.wait("a.stl", dispatched)
    context.cloud.fault("sendBuildToJobRequestQueue", "delay", delay_seconds=10)
    context.drop("b.stl", box(58))
    doubtful = context.wait("b.stl", held)
    assert (doubtful.hold, doubtful.reused) == (HoldReason.SEND, first.id)
    cancel_submission(context.service.ledger, doubtful.id)
    context.drop("c.stl", box(58))
    assert context.wait("c.stl", dispatched).build_id != first.build_id


def test_a_build_that_a_person_attached_is_not_sent_for_others(open_shop: Open, tmp_path: Path) -> None:
    context = open_shop(reuse_builds=True, rules=written(tmp_path, LOOK_FIRST))
    context.drop("plate.stl", box(70))
    plate = context.wait("plate.stl", dispatched)
    context.drop("b.stl", box(59))
    attach_build(context.service.ledger, context.wait("b.stl", held).id, str(plate.build_id))
    release_submission(
        context.service.ledger,
        context.wait("b.stl", lambda seen: held(seen) and seen.build_id == plate.build_id).id,
    )
    asked = context.wait("b.stl", lambda seen: held(seen) and seen.hold is HoldReason.SEND)
    assert context.sent(asked) == 1, "it was sent for the plate a moment ago: a person looks first"
    retry_submission(context.service.ledger, asked.id)
    context.wait("b.stl", lambda seen: held(seen) and seen.hold is HoldReason.ROUTE)
    release_submission(context.service.ledger, asked.id)
    assert context.sent(context.wait("b.stl", dispatched)) == 2
    context.drop("c.stl", box(59))
    assert context.wait("c.stl", dispatched).build_id != plate.build_id


def test_a_canceled_one_that_is_retried_leaves_the_build_to_its_new_owner(
    open_shop: Open, tmp_path: Path
) -> None:
    """Two at one build: the trace of one's send would pass for the other's, and that one never be sent."""
    context = open_shop(
        reuse_builds=True, rules=written(tmp_path, LOOK_FIRST.replace("b.stl", "[b.stl, other/c.stl]"))
    )
    context.drop("a.stl", box(60))
    first = context.wait("a.stl", dispatched)
    context.drop("b.stl", box(60))
    cancel_submission(context.service.ledger, context.wait("b.stl", held).id)
    canceled = context.wait(
        "b.stl", lambda seen: seen.state is SubmissionState.CANCELED and seen.step is None
    )
    context.drop("other/c.stl", box(60))
    assert context.wait("other/c.stl", held).build_id == canceled.build_id == first.build_id
    retry_submission(context.service.ledger, canceled.id)
    assert context.wait("b.stl", held).build_id != first.build_id


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
    cancel_submission(ledger, doubtful.id)
    thrifty.wait("b.stl", lambda seen: seen.state is SubmissionState.CANCELED and seen.step is None)
    rival = ledger.open("c.stl")
    ledger.claimed(rival, "processing/c.stl")
    ledger.update_submission(
        ledger.get(rival), build_id=first.build_id, state=SubmissionState.HELD, step=None
    )
    with pytest.raises(
        WrongSubmissionState, match=rf"^Submission {rival} sends the same build just now: what either"
    ):
        retry_submission(ledger, doubtful.id)


def test_a_preset_that_was_renamed_since_is_another_one(thrifty: Shop) -> None:
    """Eiger tells no version of a preset; whoever changes one and says so in its title is heard."""
    thrifty.drop("a.stl", box(62))
    first = thrifty.wait("a.stl", dispatched)
    thrifty.service.ledger.update_submission(first, preset="Onyx of last year")
    thrifty.drop("b.stl", box(62))
    assert thrifty.wait("b.stl", dispatched).build_id != first.build_id
