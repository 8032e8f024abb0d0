"""A send of a build that a person attached, attempt by attempt: what is written down, sent or held."""

import pytest

from tests.pipeline.sending import CALLS, Desk, begin, send, send_by_hand, send_first_copy, upload
from workflow.ledger import SendIntent
from workflow.model import Destination, EventKind, HoldReason, Submission, SubmissionState
from workflow.pipeline.attached_builds import PrintedBefore, find_attached_send
from workflow.pipeline.reconcile import AmbiguousTraces

REQUEST = Destination.JOB_REQUEST
SENT, HELD, ROUTED = SubmissionState.DISPATCHED, SubmissionState.HELD, SubmissionState.ROUTED


def attach(desk: Desk, submission: Submission) -> Submission:
    """Let a person have named the build."""
    detail = f"{submission.build_id}, by a person"
    return desk.ledger.record_event(submission, EventKind.BUILD_ATTACHED, detail)


def again(desk: Desk, held: Submission) -> Submission:
    """Let a person retry what is held."""
    return desk.ledger.update_submission(held, state=ROUTED, hold=None)


def test_a_build_that_was_never_printed_is_sent_and_nothing_more_is_asked(desk: Desk) -> None:
    submission = attach(desk, desk.routed())
    done = send(desk, submission)
    assert (done.state, desk.sent(done)) == (SENT, 1)
    assert desk.ledger.earlier_prints.read(done) == frozenset()
    assert "readPartVersion" not in {entry["operation"] for entry in desk.cloud.journal()}


def test_what_may_be_a_print_of_the_part_is_shown_to_a_person_each_time(desk: Desk) -> None:
    submission = attach(desk, desk.routed())
    prints = [send_by_hand(desk, submission) for _ in range(4)]
    held = send(desk, submission)
    assert (held.state, held.hold, desk.sent(held)) == (HELD, HoldReason.SEND, 4)
    assert desk.ledger.earlier_prints.read(held) == frozenset(prints)
    shown = ", ".join(reversed(prints[1:]))
    assert (held.reason or "").startswith(
        f"Eiger shows 4 print(s) of the attached build {held.build_id} that may be for this part ({shown}). "
    )
    prints.append(send_by_hand(desk, submission))
    held = send(desk, again(desk, held))
    assert (held.hold, desk.sent(held)) == (HoldReason.SEND, 5)
    assert f"Eiger shows 1 print(s) of the attached build {held.build_id} that may be" in (held.reason or "")
    done = send(desk, again(desk, held))
    assert (done.state, desk.sent(done)) == (SENT, 6)


@pytest.mark.parametrize("fault", ["cut_before", "cut_after"])
@pytest.mark.parametrize("copies", [1, 2])
def test_a_lost_reply_is_told_from_what_was_printed_before(desk: Desk, fault: str, copies: int) -> None:
    submission = attach(desk, desk.routed(copies=copies))
    if copies == 2:
        desk.ledger.earlier_prints.remember(submission, [])
        send_first_copy(desk, submission)
    desk.cloud.fault(CALLS[REQUEST], fault)
    done = send(desk, send(desk, submission))
    assert (done.state, desk.sent(done)) == (SENT, copies)
    assert desk.reconciled(done)[-1] is (fault == "cut_after")


def test_what_others_sent_of_the_build_before_is_for_a_person_and_not_for_this_part(desk: Desk) -> None:
    first = send(desk, desk.routed())
    held = send(desk, attach(desk, desk.routed(build_id=first.build_id)))
    assert (held.state, held.hold, desk.sent(held)) == (HELD, HoldReason.SEND, 1)


def test_the_build_in_use_counts_not_one_that_was_attached_before(desk: Desk) -> None:
    named = attach(desk, desk.routed())
    other = desk.ledger.update_submission(named, build_id=desk.cloud.make_build(desk.part))
    receipt = send_by_hand(desk, other)
    done = send(desk, other)
    assert (done.state, done.receipt_id, desk.sent(done)) == (SENT, receipt, 1)


def test_prints_that_are_older_than_the_part_are_written_down_and_no_doubt(desk: Desk) -> None:
    """Unless something else was written down before: then they came after that, whatever time they say."""
    old = desk.routed()
    receipt = send_by_hand(desk, old)
    desk.cloud.advance(3 * 3600)
    later = attach(desk, desk.routed(build_id=old.build_id, part_version_id=upload(desk.client, 32)))
    first = SendIntent("token", 1)
    assert find_attached_send(desk.context, later, first, []) is None
    assert desk.ledger.earlier_prints.read(later) == frozenset([receipt])
    desk.ledger.earlier_prints.remember(later, ["gone"])
    found = find_attached_send(desk.context, later, first, [])
    assert found == PrintedBefore((receipt,), ("gone", receipt))


@pytest.mark.parametrize("printed", [True, False])
def test_an_attempt_of_which_nothing_was_written_down_is_no_proof_and_is_not_repeated(
    desk: Desk, *, printed: bool
) -> None:
    """An older release wrote no earlier prints down: what Eiger shows now may be that attempt, or not."""
    submission = attach(desk, desk.routed())
    if printed:
        send_by_hand(desk, submission)
    found = find_attached_send(desk.context, submission, SendIntent("token", 2), [])
    doubt = AmbiguousTraces("Eiger shows 1 print(s) of this build since the upload")
    assert found == (doubt if printed else None)
    assert desk.ledger.earlier_prints.read(submission) == (None if printed else frozenset())


def test_what_was_written_down_and_is_gone_stays_written_down(desk: Desk) -> None:
    submission = attach(desk, desk.routed())
    desk.ledger.earlier_prints.remember(submission, ["gone"])
    assert find_attached_send(desk.context, submission, begin(desk, submission), []) is None
    assert desk.ledger.earlier_prints.read(submission) == frozenset(["gone"])
