"""What a person may order, and what not: each refusal in words."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Unpack

import pytest

from tests.states import put_in_state
from workflow.errors import WrongSubmissionState
from workflow.intake import Share
from workflow.ledger import Ledger, SendIntent
from workflow.model import HoldReason, Step, Submission, SubmissionChanges, SubmissionState
from workflow.pipeline.commands import attach_build, cancel_submission, release_submission, retry_submission

BUILD = "2f1c9d0e-1a2b-4c3d-8e4f-0123456789ab"
Make = Callable[..., Submission]


@pytest.fixture
def make(ledger: Ledger) -> Make:
    def make(**changes: Unpack[SubmissionChanges]) -> Submission:
        number = ledger.open("a.stl")
        ledger.claimed(number, f"processing/{number}~a.stl")
        return put_in_state(ledger, ledger.get(number), **changes)

    return make


@pytest.mark.parametrize("state", [SubmissionState.HELD, SubmissionState.REJECTED, SubmissionState.CANCELED])
def test_retry_begins_with_the_file(ledger: Ledger, make: Make, state: SubmissionState) -> None:
    submission = make(state=state, hold=HoldReason.RULE, sha256="ab", intake_rule="inches", step=None)
    again = retry_submission(ledger, submission.id)
    assert (again.state, again.step, again.sha256, again.intake_rule) == (
        SubmissionState.CLAIMED,
        Step.INTAKE,
        "ab",
        None,
    )
    assert again.due_at is not None
    assert again.reason is None


@pytest.mark.parametrize("kind", [HoldReason.BUILD, HoldReason.ROUTE, HoldReason.SEND])
def test_retry_of_a_sliced_part_uploads_nothing_again(ledger: Ledger, make: Make, kind: HoldReason) -> None:
    submission = make(
        state=SubmissionState.HELD, hold=kind, slice_job_id=BUILD, part_version_id=BUILD, sha256="ab"
    )
    again = retry_submission(ledger, submission.id)
    assert (again.state, again.step, again.part_version_id) == (SubmissionState.SLICED, Step.DELIVER, BUILD)


def test_release_passes_the_rule_over(ledger: Ledger, make: Make) -> None:
    held = make(state=SubmissionState.HELD, hold=HoldReason.RULE, intake_rule="inches")
    assert release_submission(ledger, held.id).passed == ("inches",)


def test_release_of_units_uploads_nothing_again_and_a_retry_does(ledger: Ledger, make: Make) -> None:
    uploaded = {"part_version_id": BUILD, "build_id": BUILD, "passed": ("much",), "taken_as": "in"}
    held = make(state=SubmissionState.HELD, hold=HoldReason.UNITS, **uploaded)
    released = release_submission(ledger, held.id)
    assert (released.step, released.state, released.build_id) == (Step.DELIVER, SubmissionState.SLICED, BUILD)
    assert (released.units_released, released.passed) == (True, ("much",))
    held = make(state=SubmissionState.HELD, hold=HoldReason.UNITS, **uploaded)
    again = retry_submission(ledger, held.id)
    assert (again.step, again.part_version_id, again.units_released) == (Step.INTAKE, None, False)


def test_each_hold_is_released_for_itself_and_a_retry_begins_again(ledger: Ledger, make: Make) -> None:
    again = make(
        state=SubmissionState.HELD,
        hold=HoldReason.ROUTE,
        routing_rule="dear",
        passed=("much",),
        build_id=BUILD,
    )
    assert release_submission(ledger, again.id).passed == ("much", "dear")
    ledger.update_submission(ledger.get(again.id), state=SubmissionState.HELD)
    assert retry_submission(ledger, again.id).passed == ()


def test_only_held_ones_are_released(ledger: Ledger, make: Make) -> None:
    with pytest.raises(
        WrongSubmissionState, match=r"^Submission 1 is rejected, not held: there is nothing to release\.$"
    ):
        release_submission(ledger, make(state=SubmissionState.REJECTED).id)


def test_only_ended_ones_are_retried(ledger: Ledger, make: Make) -> None:
    with pytest.raises(
        WrongSubmissionState, match=r"^Submission 1 is slicing: only held, rejected or canceled ones go on\.$"
    ):
        retry_submission(ledger, make(state=SubmissionState.SLICING).id)


def test_cancel_ends_it_and_its_file_is_put_away(ledger: Ledger, make: Make) -> None:
    canceled = cancel_submission(ledger, make(state=SubmissionState.SLICING).id)
    assert (canceled.state, canceled.step, canceled.reason) == (
        SubmissionState.CANCELED,
        Step.FINISH,
        "Canceled by a person.",
    )


def test_what_is_sent_is_not_canceled(ledger: Ledger, make: Make) -> None:
    with pytest.raises(
        WrongSubmissionState, match=r"it has ended already\. Take the build out of its queue in Eiger\.$"
    ):
        cancel_submission(ledger, make(state=SubmissionState.DISPATCHED).id)


def test_what_is_being_sent_is_not_canceled(ledger: Ledger, make: Make) -> None:
    submission = make(state=SubmissionState.ROUTED)
    ledger.sends.begin(submission, 1, 60)
    with pytest.raises(WrongSubmissionState, match=r"is being sent right now\. Try again in a minute\.$"):
        cancel_submission(ledger, submission.id)


def test_what_is_sent_and_not_yet_put_away_is_not_canceled(ledger: Ledger, make: Make) -> None:
    """Its worker may have been killed right after the send."""
    submission = make(state=SubmissionState.ROUTED)
    intent = ledger.sends.begin(submission, 1, 60)
    assert isinstance(intent, SendIntent)
    ledger.sends.complete(submission, 1, intent, "receipt")
    with pytest.raises(
        WrongSubmissionState, match=r"is sent already, and ends as dispatched\. Take the build out of its"
    ):
        cancel_submission(ledger, submission.id)


def test_a_send_that_was_begun_is_searched_for_where_it_went(ledger: Ledger, make: Make) -> None:
    submission = make(
        state=SubmissionState.HELD,
        hold=HoldReason.SEND,
        build_id=BUILD,
        device_id="anvil",
        destination="backlog",
    )
    intent = ledger.sends.begin(submission, 1, 0)
    assert isinstance(intent, SendIntent)
    ledger.sends.record_lost_reply(submission, 1, intent, "timed out", 0)
    again = retry_submission(ledger, submission.id)
    assert (again.state, again.device_id, again.destination) == (SubmissionState.ROUTED, "anvil", "backlog")


def test_without_a_send_begun_a_retry_asks_the_rules_again(ledger: Ledger, make: Make) -> None:
    submission = make(
        state=SubmissionState.HELD, hold=HoldReason.ROUTE, build_id=BUILD, device_id="anvil", device="Anvil"
    )
    again = retry_submission(ledger, submission.id)
    assert (again.state, again.device_id, again.device) == (SubmissionState.SLICED, None, None)


def test_what_is_sent_is_only_put_away_again(ledger: Ledger, make: Make) -> None:
    submission = make(state=SubmissionState.HELD, hold=HoldReason.FAULT, build_id=BUILD, receipt_id=BUILD)
    again = retry_submission(ledger, submission.id)
    assert (again.state, again.step) == (SubmissionState.DISPATCHED, Step.FINISH)


def test_only_what_a_rule_held_is_released(ledger: Ledger, make: Make) -> None:
    submission = make(state=SubmissionState.HELD, hold=HoldReason.SLICE)
    with pytest.raises(
        WrongSubmissionState,
        match=r"is not held for its mesh, by a rule or for its units\. `stlflow retry 1` tries again\.$",
    ):
        release_submission(ledger, submission.id)


def test_cancel_after_a_lost_reply_says_so(ledger: Ledger, make: Make) -> None:
    submission = make(state=SubmissionState.HELD, hold=HoldReason.SEND)
    ledger.sends.begin(submission, 1, 0)
    canceled = cancel_submission(ledger, submission.id)
    assert canceled.reason == (
        "Canceled by a person. Whether it was sent before is not known: look in Eiger."
    )


def test_an_attached_build_is_routed_again(ledger: Ledger, make: Make) -> None:
    submission = make(
        state=SubmissionState.HELD,
        hold=HoldReason.ROUTE,
        build_id=BUILD,
        device_id="anvil",
        destination="backlog",
    )
    attached = attach_build(ledger, submission.id, BUILD)
    assert (attached.destination, attached.device_id) == (None, None)


def test_a_build_is_attached_where_one_is_missing(ledger: Ledger, make: Make) -> None:
    submission = make(state=SubmissionState.HELD, hold=HoldReason.BUILD, part_version_id=BUILD)
    attached = attach_build(ledger, submission.id, BUILD.upper())
    assert (attached.build_id, attached.step, attached.hold) == (BUILD, Step.DELIVER, None)


def test_a_build_id_has_a_shape(ledger: Ledger, make: Make) -> None:
    with pytest.raises(WrongSubmissionState, match=r"^'17' is no build id: it looks like"):
        attach_build(ledger, make(state=SubmissionState.SLICED).id, "17")


def test_a_build_is_attached_only_where_one_is_missing(ledger: Ledger, make: Make) -> None:
    with pytest.raises(
        WrongSubmissionState, match=r"is slicing: a build is attached only when one is missing\.$"
    ):
        attach_build(ledger, make(state=SubmissionState.SLICING).id, BUILD)


@pytest.fixture
def share(tmp_path: Path) -> Share:
    share = Share(tmp_path / "share")
    share.prepare()
    return share


@pytest.mark.parametrize("order", [retry_submission, release_submission])
def test_a_file_that_was_dragged_away_is_not_taken_up_and_the_refusal_says_what_to_do(
    ledger: Ledger, make: Make, share: Share, order: Callable[[Ledger, int, Share], Submission]
) -> None:
    held = make(
        state=SubmissionState.HELD,
        hold=HoldReason.RULE,
        claimed_as="held/a.stl",
        sha256="ab",
        intake_rule="inches",
    )
    with pytest.raises(WrongSubmissionState) as refused:
        order(ledger, held.id, share)
    assert str(refused.value) == (
        "The file of submission 1 is no longer at held/a.stl. "
        "Drop it into the inbox again: it becomes a new submission."
    )
    again = make(state=SubmissionState.DISPATCHED, sha256="ab")
    with pytest.raises(
        WrongSubmissionState, match=r"held/a\.stl\. It was dropped again, and is submission 2 \(dispatched\)"
    ):
        order(ledger, held.id, share)
    assert ledger.get(held.id) == held
    (share.root / "held" / "a.stl").write_bytes(b"solid")
    assert order(ledger, held.id, share).step is Step.INTAKE
    assert again.id == 2


def test_what_needs_no_file_or_is_on_a_lost_share_is_continued(
    ledger: Ledger, make: Make, share: Share
) -> None:
    sliced = make(state=SubmissionState.HELD, hold=HoldReason.ROUTE, claimed_as="held/a.stl", build_id=BUILD)
    assert retry_submission(ledger, sliced.id, share).step is Step.DELIVER
    rejected = make(state=SubmissionState.REJECTED, claimed_as="rejected/a.stl")
    assert (
        retry_submission(ledger, rejected.id, replace(share, marker="of another share")).step is Step.INTAKE
    )
