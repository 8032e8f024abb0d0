"""The send fence: one attempt at a time, and none after the outcome."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest

from workflow.ledger import AlreadySent, Ledger, SendInProgress, SendIntent, SharedBuild, Superseded
from workflow.model import EventKind, Step, Submission, SubmissionState


@pytest.fixture
def submission(ledger: Ledger) -> Submission:
    number = ledger.open("a.stl")
    ledger.claimed(number, "processing/1~a.stl")
    return ledger.get(number)


def intent_of(ledger: Ledger, submission: Submission, lease_seconds: float = 60) -> SendIntent:
    intent = ledger.sends.begin(submission, 1, lease_seconds)
    assert isinstance(intent, SendIntent)
    return intent


def test_a_settled_send_is_never_begun_again(ledger: Ledger, submission: Submission) -> None:
    ledger.sends.complete(submission, 1, intent_of(ledger, submission), "receipt")
    assert ledger.sends.begin(submission, 1, 60) == AlreadySent("receipt")


def test_while_one_is_at_it_nobody_else_begins(ledger: Ledger, submission: Submission) -> None:
    intent_of(ledger, submission)
    assert isinstance(ledger.sends.begin(submission, 1, 60), SendInProgress)


def test_after_the_deadline_the_next_one_takes_over_and_knows_it(
    ledger: Ledger, submission: Submission
) -> None:
    first = intent_of(ledger, submission, lease_seconds=0)
    ledger.sends.record_lost_reply(submission, 1, first, "timed out", 0)
    second = intent_of(ledger, submission)
    assert (second.times, second.lost) == (2, "timed out")
    with pytest.raises(Superseded, match="Copy 1 of submission 1 was settled by another worker"):
        ledger.sends.complete(submission, 1, first, "late")


def test_a_lease_is_renewed_only_by_its_owner(ledger: Ledger, submission: Submission) -> None:
    first = intent_of(ledger, submission, lease_seconds=0)
    second = intent_of(ledger, submission, lease_seconds=0)
    with pytest.raises(Superseded, match="Copy 1 of submission 1 was taken over"):
        ledger.sends.renew_lease(submission, 1, first, 60)
    ledger.sends.renew_lease(submission, 1, second, 60)
    assert isinstance(ledger.sends.begin(submission, 1, 60), SendInProgress)


def test_a_send_that_is_complete_is_not_renewed(ledger: Ledger, submission: Submission) -> None:
    """A person may have confirmed it while the cloud was searched."""
    intent = intent_of(ledger, submission)
    ledger.sends.complete(submission, 1, intent, "receipt")
    with pytest.raises(Superseded):
        ledger.sends.renew_lease(submission, 1, intent, 60)
    ledger.sends.withdraw(submission, 1, intent)
    assert ledger.sends.begin(submission, 1, 60) == AlreadySent("receipt")


def test_a_withdrawn_intent_leaves_no_trace(ledger: Ledger, submission: Submission) -> None:
    ledger.sends.withdraw(submission, 1, intent_of(ledger, submission))
    assert intent_of(ledger, submission).times == 1


def test_a_canceled_submission_is_not_sent(ledger: Ledger, submission: Submission) -> None:
    ledger.schedule_next_step(submission, Step.FINISH, None, EventKind.CANCELED)
    with pytest.raises(Superseded):
        ledger.sends.begin(submission, 1, 60)


def test_of_many_rivals_one_wins(ledger: Ledger, submission: Submission) -> None:
    permits: list[object] = []
    start = Barrier(8)

    def rival() -> None:
        start.wait()
        permits.append(ledger.sends.begin(submission, 1, 60))

    rivals = [Thread(target=rival) for _ in range(8)]
    for thread in rivals:
        thread.start()
    for thread in rivals:
        thread.join()
    assert sum(isinstance(permit, SendIntent) for permit in permits) == 1


# -- parts on one bed ---------------------------------------------------------------------------------


@pytest.fixture
def bed(ledger: Ledger) -> list[Submission]:
    """Two submissions of one build."""
    numbers = [ledger.open(path) for path in ("a.stl", "b.stl")]
    for number in numbers:
        ledger.claimed(number, f"processing/{number}")
    return [ledger.update_submission(ledger.get(number), build_id="bed") for number in numbers]


def begin(
    ledger: Ledger, submission: Submission, copy: int = 1
) -> SendIntent | AlreadySent | SendInProgress | SharedBuild:
    return ledger.sends.begin(submission, copy, 60, submission.opened_at)


def test_who_is_first_sends_for_all_on_the_bed(ledger: Ledger, bed: list[Submission]) -> None:
    first, second = bed
    intent = begin(ledger, first)
    assert isinstance(intent, SendIntent)
    assert begin(ledger, second) == SharedBuild(first.id, None)
    ledger.sends.complete(first, 1, intent, "receipt")
    assert begin(ledger, second) == SharedBuild(first.id, "receipt")
    assert begin(ledger, first) == AlreadySent("receipt")


def test_a_further_copy_is_sent_by_any_submission(ledger: Ledger, bed: list[Submission]) -> None:
    begin(ledger, bed[0])
    assert isinstance(begin(ledger, bed[1], copy=2), SendIntent)


def test_what_was_taken_back_or_given_up_keeps_nobody_waiting(ledger: Ledger, bed: list[Submission]) -> None:
    first, second = bed
    intent = begin(ledger, first)
    assert isinstance(intent, SendIntent)
    ledger.sends.withdraw(first, 1, intent)
    assert isinstance(begin(ledger, second), SendIntent)
    assert begin(ledger, first) == SharedBuild(second.id, None), "the first one has never tried"
    ledger.update_submission(second, state=SubmissionState.CANCELED)
    assert isinstance(begin(ledger, first), SendIntent)


def test_what_was_sent_before_the_upload_is_no_send_of_this_bed(
    ledger: Ledger, bed: list[Submission]
) -> None:
    first, second = bed
    intent = begin(ledger, first)
    assert isinstance(intent, SendIntent)
    ledger.sends.complete(first, 1, intent, "receipt")
    assert isinstance(ledger.sends.begin(second, 1, 60, second.opened_at + timedelta(hours=1)), SendIntent)


def test_who_has_tried_looks_for_its_own_attempt(ledger: Ledger, bed: list[Submission]) -> None:
    """As two of an older release may both have done: neither waits for the other."""
    for each in bed:
        assert isinstance(ledger.sends.begin(each, 1, 0), SendIntent)
    for each in bed:
        assert isinstance(begin(ledger, each), SendIntent)


def test_receipts_of_others_are_of_the_same_build_and_outlive_their_submissions(
    ledger: Ledger, bed: list[Submission]
) -> None:
    first, second = bed
    other = ledger.update_submission(ledger.get(ledger.open("c.stl")), build_id="another bed")
    for each, receipt in ((first, "first"), (second, "second")):
        intent = ledger.sends.begin(each, 1, 60)
        assert isinstance(intent, SendIntent)
        ledger.sends.complete(each, 1, intent, receipt)
    assert ledger.sends.list_receipts_of_others(first) == ("second",)
    assert ledger.sends.list_receipts(second.id) == ("second",)
    ledger.update_submission(first, state=SubmissionState.CANCELED, step=None, ended_at=first.opened_at)
    assert ledger.retention.delete_ended(None, 0) == 1
    assert ledger.sends.list_receipts_of_others(second) == ("first",)
    assert ledger.sends.list_receipts_of_others(other) == ()


def test_of_two_at_the_same_time_one_sends(ledger: Ledger, bed: list[Submission]) -> None:
    gate, permits = Barrier(2), list[object]()

    def send(submission: Submission) -> None:
        gate.wait()
        permits.append(begin(ledger, submission))

    threads = [Thread(target=send, args=(each,)) for each in bed]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(type(permit).__name__ for permit in permits) == ["SendIntent", "SharedBuild"]


def test_a_lost_reply_of_an_old_attempt_changes_nothing(ledger: Ledger, submission: Submission) -> None:
    """The machine stood still; another one has taken the send over, and may be sending now."""
    old = ledger.sends.begin(submission, 1, -1)
    new = ledger.sends.begin(submission, 1, 60)
    assert isinstance(old, SendIntent)
    assert isinstance(new, SendIntent)
    ledger.sends.record_lost_reply(submission, 1, old, "timed out", -1)
    assert isinstance(ledger.sends.begin(submission, 1, 60), SendInProgress), "the new lease is kept"
    ledger.sends.record_lost_reply(submission, 1, new, "cut", -1)
    third = ledger.sends.begin(submission, 1, 60)
    assert isinstance(third, SendIntent)
    assert (third.times, third.lost) == (3, "cut")


def test_a_lost_reply_concerns_one_copy_only(ledger: Ledger, submission: Submission) -> None:
    first, second = ledger.sends.begin(submission, 1, 60), ledger.sends.begin(submission, 2, -1)
    assert isinstance(first, SendIntent)
    assert isinstance(second, SendIntent)
    ledger.sends.record_lost_reply(submission, 1, first, "cut", -1)
    again = ledger.sends.begin(submission, 2, 60)
    assert isinstance(again, SendIntent)
    assert again.lost is None


def test_a_deadline_that_a_wrong_clock_wrote_is_shortened(ledger: Ledger, submission: Submission) -> None:
    ledger.sends.begin(submission, 1, 100_000)
    busy = ledger.sends.begin(submission, 1, 60)
    assert isinstance(busy, SendInProgress)
    assert busy.seconds <= 60
