"""The send fence: one attempt at a time, and none after the outcome."""

from threading import Barrier, Thread

import pytest

from workflow.ledger import (
    Busy,
    Intent,
    Ledger,
    Settled,
    Superseded,
    begin_send,
    renew_send,
    reply_lost,
    settle_send,
    withdraw_send,
)
from workflow.model import Step, Submission


@pytest.fixture
def submission(ledger: Ledger) -> Submission:
    number = ledger.open("a.stl")
    ledger.claimed(number, "processing/1~a.stl")
    return ledger.get(number)


def intent_of(ledger: Ledger, submission: Submission, lease_seconds: float = 60) -> Intent:
    intent = begin_send(ledger, submission, 1, lease_seconds)
    assert isinstance(intent, Intent)
    return intent


def test_a_settled_send_is_never_begun_again(ledger: Ledger, submission: Submission) -> None:
    settle_send(ledger, submission, 1, intent_of(ledger, submission), "receipt", reconciled=False)
    assert begin_send(ledger, submission, 1, 60) == Settled("receipt")


def test_while_one_is_at_it_nobody_else_begins(ledger: Ledger, submission: Submission) -> None:
    intent_of(ledger, submission)
    assert isinstance(begin_send(ledger, submission, 1, 60), Busy)


def test_after_the_deadline_the_next_one_takes_over_and_knows_it(
    ledger: Ledger, submission: Submission
) -> None:
    first = intent_of(ledger, submission, lease_seconds=0)
    reply_lost(ledger, submission, 1, first, "timed out", 0)
    second = intent_of(ledger, submission)
    assert (second.times, second.lost) == (2, "timed out")
    with pytest.raises(Superseded, match="Copy 1 of submission 1 was settled by somebody else"):
        settle_send(ledger, submission, 1, first, "late", reconciled=False)


def test_a_lease_is_renewed_only_by_its_owner(ledger: Ledger, submission: Submission) -> None:
    first = intent_of(ledger, submission, lease_seconds=0)
    second = intent_of(ledger, submission, lease_seconds=0)
    with pytest.raises(Superseded, match="Copy 1 of submission 1 was taken over"):
        renew_send(ledger, submission, 1, first, 60)
    renew_send(ledger, submission, 1, second, 60)
    assert isinstance(begin_send(ledger, submission, 1, 60), Busy)


def test_a_withdrawn_intent_leaves_no_trace(ledger: Ledger, submission: Submission) -> None:
    withdraw_send(ledger, submission, 1, intent_of(ledger, submission))
    assert intent_of(ledger, submission).times == 1


def test_a_canceled_submission_is_not_sent(ledger: Ledger, submission: Submission) -> None:
    ledger.next_turn(submission, Step.FINISH, None, "canceled")
    with pytest.raises(Superseded):
        begin_send(ledger, submission, 1, 60)


def test_of_many_rivals_one_wins(ledger: Ledger, submission: Submission) -> None:
    permits: list[object] = []
    start = Barrier(8)

    def rival() -> None:
        start.wait()
        permits.append(begin_send(ledger, submission, 1, 60))

    rivals = [Thread(target=rival) for _ in range(8)]
    for thread in rivals:
        thread.start()
    for thread in rivals:
        thread.join()
    assert sum(isinstance(permit, Intent) for permit in permits) == 1
