"""The prints that are followed come back as they were seen, and a round is for one worker alone."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.states import put_in_state
from workflow.ledger import Ledger, SendIntent, Superseded
from workflow.model import (
    Destination,
    EventKind,
    FollowedPrint,
    PrintPhase,
    Submission,
    SubmissionState,
)

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


def sent(ledger: Ledger, copies: int = 1, **changes: object) -> Submission:
    """Return a submission that is sent to a printer's queue, with a receipt for each copy."""
    number = ledger.open("a.stl")
    ledger.claimed(number, f"processing/{number}~a.stl")
    submission = ledger.get(number)
    for copy in range(1, copies + 1):
        intent = ledger.sends.begin(submission, copy, 60)
        assert isinstance(intent, SendIntent)
        ledger.sends.complete(submission, copy, intent, f"r-{number}-{copy}")
    submission = put_in_state(
        ledger, submission, state=SubmissionState.DISPATCHED, build_id="b-1", copies=copies,
        destination=Destination.DEVICE_QUEUE, device_id="d-1", device="Anvil",
        receipt_id=f"r-{number}-1", ended_at=NOON, followed=True,
    )  # fmt: skip
    return ledger.schedule_next_step(submission, None, None, **changes)  # type: ignore[arg-type]


def test_what_is_sent_is_followed_copy_by_copy(ledger: Ledger) -> None:
    submission = sent(ledger, copies=2)
    ((known, copies),) = ledger.prints.list_followed()
    assert known == submission
    assert [(copy.receipt_id, copy.phase, copy.device, copy.since) for copy in copies] == [
        (f"r-{submission.id}-{number}", PrintPhase.QUEUED, "Anvil", NOON) for number in (1, 2)
    ]
    assert ledger.prints.any_followed()


def test_copies_that_were_spread_have_their_own_printer(ledger: Ledger) -> None:
    sent(ledger, copies=2, spread_ids=("d-1", "d-2"))
    ((_, copies),) = ledger.prints.list_followed()
    assert [(copy.device_id, copy.device) for copy in copies] == [("d-1", None), ("d-2", None)]


@pytest.mark.parametrize(
    "change",
    [
        lambda ledger, each: ledger.update_submission(each, followed=False),
        lambda ledger, each: ledger.update_submission(each, followed=None),
        lambda ledger, each: ledger.update_submission(each, state=SubmissionState.PRINTED),
        lambda ledger, each: ledger.prints.stop_following(),
    ],
)
def test_what_is_not_followed(ledger: Ledger, change: Callable[[Ledger, Submission], object]) -> None:
    change(ledger, sent(ledger))
    assert ledger.prints.list_followed() == ()
    assert not ledger.prints.any_followed()


def test_what_was_seen_comes_back(ledger: Ledger) -> None:
    submission = sent(ledger)
    ((_, (copy,)),) = ledger.prints.list_followed()
    seen = FollowedPrint(
        copy.submission, 1, "b-1", copy.receipt_id, Destination.DEVICE_QUEUE, copy.sent_at, NOON,
        PrintPhase.PRINTING, "d-1", "Anvil", "j-1", 55.0, NOON, NOON + timedelta(hours=1), NOON, 2, 600.0,
        "One of two.",
    )  # fmt: skip
    event = (EventKind.PRINTING, "Anvil")
    written = ledger.prints.write(submission, [seen], [event], state=SubmissionState.PRINTING)
    assert ledger.prints.list_followed() == ((written, (seen,)),)
    assert ledger.prints.read([written]) == {submission.id: (seen,)}
    assert [each.event for each in ledger.events(submission.id)][-1:] == [EventKind.PRINTING]
    ledger.prints.write(written, [replace(seen, phase=PrintPhase.PRINTED)], state=SubmissionState.PRINTED)
    ended = ledger.get(submission.id)
    assert [each.phase for each in ledger.prints.read([ended])[ended.id]] == [PrintPhase.PRINTED]
    assert ledger.prints.list_known_jobs(["b-1", "b-2"]) == {"b-1": {"j-1", copy.receipt_id}}


def test_a_note_is_due_after_an_event_and_only_then(ledger: Ledger) -> None:
    submission = sent(ledger)
    ((_, (copy,)),) = ledger.prints.list_followed()
    ledger.prints.write(submission, [replace(copy, missing_since=NOON)])
    assert ledger.prints.list_unnoted() == ()
    printing = replace(copy, phase=PrintPhase.PRINTING)
    after = ledger.prints.write(
        submission, [printing], [(EventKind.PRINTING, "")], state=SubmissionState.PRINTING
    )
    assert ledger.prints.list_unnoted() == (after,)
    ledger.prints.mark_noted(submission)  # as it was before
    assert ledger.prints.list_unnoted() == (after,)
    ledger.prints.mark_noted(after)
    assert ledger.prints.list_unnoted() == ()
    ledger.prints.write(after, [replace(printing, percent=3.0)])
    assert ledger.prints.list_unnoted() == ()


def test_whoever_is_too_late_changes_nothing(ledger: Ledger) -> None:
    submission = sent(ledger)
    ((_, (copy,)),) = ledger.prints.list_followed()
    ledger.schedule_next_step(submission, None, None)
    with pytest.raises(Superseded):
        ledger.prints.write(submission, [replace(copy, phase=PrintPhase.PRINTED)])
    ((_, (unchanged,)),) = ledger.prints.list_followed()
    assert unchanged == copy


def test_a_round_is_for_one_worker(ledger: Ledger) -> None:
    assert ledger.prints.begin_round(3600)
    assert not ledger.prints.begin_round(3600)
    assert ledger.prints.begin_round(0)


def test_what_ended_is_forgotten_with_its_prints(ledger: Ledger) -> None:
    submission = sent(ledger)
    ((_, (copy,)),) = ledger.prints.list_followed()
    ledger.prints.write(submission, [copy])
    assert ledger.retention.delete_ended(None, keep=0) == 0
    ledger.prints.stop_following()
    assert ledger.retention.delete_ended(None, keep=0) == 1
    assert ledger.prints.list_known_jobs(["b-1"]) == {}


def test_printers_know_what_of_ours_they_print(ledger: Ledger) -> None:
    from tests.ledger.test_printers import BUSY

    first, second = sent(ledger), sent(ledger)
    copies = [copy for _, known in ledger.prints.list_followed() for copy in known]
    printing = replace(copies[0], phase=PrintPhase.PRINTING, job_id="j-1")
    ledger.prints.write(first, [printing])
    ledger.prints.write(second, [copies[1]])
    ledger.printers.write([BUSY])
    (seen,) = ledger.printers.latest()
    assert seen.running is not None
    assert (seen.running.submission, seen.queued) == (first.id, (second.id,))
