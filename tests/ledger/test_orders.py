"""Orders: decided on what really stands, and what a person looked at counts no longer."""

import pytest

from workflow.errors import NotNow
from workflow.ledger import (
    LOOKED,
    Begun,
    Intent,
    Ledger,
    Order,
    Superseded,
    begin_send,
    give_order,
    reply_lost,
)
from workflow.model import State, Step, Submission


@pytest.fixture
def submission(ledger: Ledger) -> Submission:
    number = ledger.open("a.stl")
    ledger.claimed(number, "processing/1~a.stl")
    return ledger.get(number)


def ended(_submission: Submission, _begun: Begun) -> Order:
    return Order(Step.FINISH, "canceled", "by a person", {"state": State.CANCELED}, looked=True)


def test_an_order_ends_the_turn_so_that_a_stage_begun_before_changes_nothing(
    ledger: Ledger, submission: Submission
) -> None:
    canceled = give_order(ledger, submission.id, ended)
    assert (canceled.state, canceled.step, canceled.turn) == (State.CANCELED, Step.FINISH, 1)
    assert ledger.get(submission.id) == canceled
    with pytest.raises(Superseded):
        begin_send(ledger, submission, 1, 60)


def test_a_refused_order_changes_nothing(ledger: Ledger, submission: Submission) -> None:
    def refuse(_submission: Submission, _begun: Begun) -> Order:
        raise NotNow("not now")

    with pytest.raises(NotNow):
        give_order(ledger, submission.id, refuse)
    assert ledger.get(submission.id) == submission
    assert [event.event for event in ledger.events(submission.id)] == ["claimed"]


def test_an_order_knows_what_is_open_and_what_is_under_way(ledger: Ledger, submission: Submission) -> None:
    seen: list[Begun] = []

    def look(_submission: Submission, begun: Begun) -> Order:
        seen.append(begun)
        raise NotNow("only looking")

    def now() -> Begun:
        with pytest.raises(NotNow):
            give_order(ledger, submission.id, look)
        return seen[-1]

    assert now() == Begun(open=False, under_way=False)
    intent = begin_send(ledger, submission, 1, 60)
    assert isinstance(intent, Intent)
    assert now() == Begun(open=True, under_way=True)
    reply_lost(ledger, submission, 1, intent, "timed out", 0)
    assert now() == Begun(open=True, under_way=False)


def test_after_a_person_has_looked_a_lost_reply_counts_no_longer(
    ledger: Ledger, submission: Submission
) -> None:
    intent = begin_send(ledger, submission, 1, 60)
    assert isinstance(intent, Intent)
    reply_lost(ledger, submission, 1, intent, "timed out", 60)
    again = begin_send(ledger, give_order(ledger, submission.id, ended), 1, 60)
    assert isinstance(again, Intent)
    assert again.lost == LOOKED
