"""Orders: decided on what really stands, and what a person looked at counts no longer."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from tests.waiting import until
from workflow.errors import WrongSubmissionState
from workflow.ledger import CHECKED_BY_OPERATOR, CommandEffect, Ledger, SendIntent, SendState, Superseded
from workflow.ledger.changes import acquire_transaction_lock, apply_changes
from workflow.model import EventKind, Step, Submission, SubmissionState


@pytest.fixture
def submission(ledger: Ledger) -> Submission:
    number = ledger.open("a.stl")
    ledger.claimed(number, "processing/1~a.stl")
    return ledger.get(number)


def ended(_submission: Submission, _begun: SendState) -> CommandEffect:
    return CommandEffect(
        Step.FINISH, EventKind.CANCELED, "by a person", {"state": SubmissionState.CANCELED}, looked=True
    )


def test_an_order_ends_the_turn_so_that_a_stage_begun_before_changes_nothing(
    ledger: Ledger, submission: Submission
) -> None:
    canceled = ledger.commands.execute(submission.id, ended)
    assert (canceled.state, canceled.step, canceled.turn) == (SubmissionState.CANCELED, Step.FINISH, 1)
    assert ledger.get(submission.id) == canceled
    with pytest.raises(Superseded):
        ledger.sends.begin(submission, 1, 60)


def test_a_refused_order_changes_nothing(ledger: Ledger, submission: Submission) -> None:
    def refuse(_submission: Submission, _begun: SendState) -> CommandEffect:
        raise WrongSubmissionState("not now")

    with pytest.raises(WrongSubmissionState):
        ledger.commands.execute(submission.id, refuse)
    assert ledger.get(submission.id) == submission
    assert [event.event for event in ledger.events(submission.id)] == ["claimed"]


def test_an_order_knows_what_is_open_and_what_is_under_way(ledger: Ledger, submission: Submission) -> None:
    seen: list[SendState] = []

    def look(_submission: Submission, begun: SendState) -> CommandEffect:
        seen.append(begun)
        raise WrongSubmissionState("only looking")

    def now() -> SendState:
        with pytest.raises(WrongSubmissionState):
            ledger.commands.execute(submission.id, look)
        return seen[-1]

    assert now() == SendState(open=False, under_way=False)
    intent = ledger.sends.begin(submission, 1, 60)
    assert isinstance(intent, SendIntent)
    assert now() == SendState(open=True, under_way=True)
    ledger.sends.record_lost_reply(submission, 1, intent, "timed out", 0)
    assert now() == SendState(open=True, under_way=False)


def test_after_a_person_has_looked_a_lost_reply_counts_no_longer(
    ledger: Ledger, submission: Submission
) -> None:
    intent = ledger.sends.begin(submission, 1, 60)
    assert isinstance(intent, SendIntent)
    ledger.sends.record_lost_reply(submission, 1, intent, "timed out", 60)
    again = ledger.sends.begin(ledger.commands.execute(submission.id, ended), 1, 60)
    assert isinstance(again, SendIntent)
    assert again.lost == CHECKED_BY_OPERATOR


def test_an_order_and_the_step_that_writes_the_content_wait_for_each_other_in_turn(
    ledger: Ledger, submission: Submission
) -> None:
    """Both lock the content and the row; in another order, Postgres would break one of them off."""
    if not ledger.is_shared:
        pytest.skip("SQLite has one writer at a time")
    taken = ledger.update_submission(submission, sha256="a" * 64)
    with ThreadPoolExecutor(1) as threads:
        with ledger.write_transaction() as connection:
            acquire_transaction_lock(connection, "a" * 64)  # as in `duplicates.write_content`
            order = threads.submit(ledger.commands.execute, taken.id, ended)
            assert until(lambda: _waits_for_a_lock(ledger))
            apply_changes(connection, taken, {"size": 17})
        canceled = order.result(30)
    assert (canceled.state, canceled.size) == (SubmissionState.CANCELED, 17)


def _waits_for_a_lock(ledger: Ledger) -> bool:
    with ledger.read_connection() as connection:
        return bool(connection.execute(text("select 1 from pg_locks where not granted")).first())
