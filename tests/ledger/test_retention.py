"""The past is forgotten by age and by count; what is unfinished never is."""

from datetime import UTC, datetime, timedelta

from tests.states import put_in_state
from workflow.ledger import InPlaceFile, Ledger, SendIntent
from workflow.model import HoldReason, Step, SubmissionState

NOW = datetime.now(UTC)


def ended(ledger: Ledger, days_ago: float, state: SubmissionState = SubmissionState.DISPATCHED) -> int:
    number = ledger.open("a.stl")
    ledger.claimed(number, f"done/{number}.stl")
    submission = ledger.get(number)
    intent = ledger.sends.begin(submission, 1, 60)
    assert isinstance(intent, SendIntent)
    ledger.sends.complete(submission, 1, intent, "receipt")
    ended_at = NOW - timedelta(days=days_ago)
    put_in_state(ledger, submission, state=state, ended_at=ended_at, step=None, due_at=None)
    return number


def left(ledger: Ledger) -> set[int]:
    return {submission.id for submission in ledger.all()}


def test_what_ended_long_ago_is_forgotten_with_its_events_and_sends(ledger: Ledger) -> None:
    old, young = ended(ledger, 31), ended(ledger, 29)
    assert ledger.retention.delete_ended(NOW - timedelta(days=30), None) == 1
    assert left(ledger) == {young}
    assert ledger.events(old) == ()
    assert ledger.events(young) != ()


def test_only_so_many_are_remembered_the_latest_ones(ledger: Ledger) -> None:
    numbers = [ended(ledger, days_ago) for days_ago in (1, 5, 2, 4, 3)]
    assert ledger.retention.delete_ended(None, 2) == 3
    assert left(ledger) == {numbers[0], numbers[2]}


def test_what_a_read_only_inbox_still_shows_does_not_count_among_them(ledger: Ledger) -> None:
    for number in range(3):
        file = InPlaceFile("nas:/exports", f"{number}.stl", f"/exports/{number}.stl", "home")
        taken = ledger.in_place.begin_read_only(file, (684, number, number), None)
        assert taken is not None
        put_in_state(
            ledger, ledger.get(taken), state=SubmissionState.DISPATCHED, ended_at=NOW, step=None, due_at=None
        )
    others = [ended(ledger, days_ago) for days_ago in (1, 2)]
    assert ledger.retention.delete_ended(None, 2) == 0
    assert left(ledger) >= set(others)


def test_what_is_unfinished_is_never_forgotten_however_old(ledger: Ledger) -> None:
    held = ended(ledger, 900, SubmissionState.HELD)
    ledger.update_submission(ledger.get(held), hold=HoldReason.RULE, ended_at=None)
    waiting = ended(ledger, 900)
    ledger.update_submission(ledger.get(waiting), step=Step.FINISH)
    opened = ledger.open("b.stl")
    assert ledger.retention.delete_ended(NOW, 0) == 0
    assert left(ledger) == {held, waiting}
    assert ledger.get(opened).claimed_as is None
