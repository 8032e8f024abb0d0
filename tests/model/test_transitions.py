"""The table of allowed changes of state, and the values that travel with a submission."""

from dataclasses import fields
from pathlib import Path

import pytest

from tests.states import path_between
from workflow.ledger import Ledger
from workflow.model import (
    ALLOWED_TRANSITIONS,
    ENDED_STATES,
    SENT_STATES,
    EventKind,
    IllegalTransition,
    Submission,
    SubmissionChanges,
    SubmissionState,
    check_transition,
    is_allowed_transition,
)

SENT = SENT_STATES


def test_the_table_names_every_state() -> None:
    assert set(ALLOWED_TRANSITIONS) == set(SubmissionState)
    assert all(path_between(SubmissionState.CLAIMED, state) for state in SubmissionState)


@pytest.mark.parametrize("state", SubmissionState)
def test_a_state_may_stay(state: SubmissionState) -> None:
    check_transition(state, state)


@pytest.mark.parametrize("state", sorted(set(SubmissionState) - ENDED_STATES))
def test_what_has_not_ended_can_be_canceled(state: SubmissionState) -> None:
    assert is_allowed_transition(state, SubmissionState.CANCELED)


@pytest.mark.parametrize("state", sorted(SENT))
def test_what_is_sent_never_becomes_unsent(state: SubmissionState) -> None:
    """Another send of it would begin there."""
    for after in set(SubmissionState) - SENT:
        with pytest.raises(IllegalTransition, match=f"^A submission can't go from {state} to {after}"):
            check_transition(state, after)


def test_nothing_is_sent_that_was_not_routed() -> None:
    """But for a retry of one whose receipt is known."""
    before = {state for state in SubmissionState if SubmissionState.DISPATCHED in ALLOWED_TRANSITIONS[state]}
    assert before == {
        SubmissionState.ROUTED, SubmissionState.HELD, SubmissionState.REJECTED, SubmissionState.CANCELED,
    }  # fmt: skip


def test_the_ledger_refuses_a_change_that_is_not_in_the_table(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    number = ledger.open("a.stl")
    ledger.claimed(number, "processing/1~a.stl")
    claimed = ledger.get(number)
    with pytest.raises(IllegalTransition):
        ledger.record_event(claimed, EventKind.DISPATCHED, state=SubmissionState.DISPATCHED)
    assert ledger.get(number) == claimed
    assert [event.event for event in ledger.events(number)] == [EventKind.CLAIMED]
    ledger.close()


def test_changes_are_the_fields_of_a_submission_and_of_their_types() -> None:
    fixed = {"id", "path", "opened_at"}
    types = {field.name: field.type for field in fields(Submission)}
    assert SubmissionChanges.__annotations__.keys() - types.keys() == set()
    assert types.keys() - SubmissionChanges.__annotations__.keys() <= fixed
