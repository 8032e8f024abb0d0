"""After a crash, files in processing/ and rows of the ledger find each other."""

from dataclasses import replace
from pathlib import Path

import pytest

from workflow.intake import Share
from workflow.ledger import Ledger, abandoned
from workflow.model import State, Step
from workflow.pipeline.adoption import adopt


@pytest.fixture
def share(tmp_path: Path) -> Share:
    share = Share(tmp_path / "share")
    share.prepare()
    return share


def in_processing(share: Share, name: str) -> str:
    (share.processing / "rush").mkdir(exist_ok=True)
    (share.processing / "rush" / name).write_bytes(b"solid")
    return f"processing/rush/{name}"


def test_a_file_moved_before_the_ledger_heard_of_it_keeps_its_number(share: Share, ledger: Ledger) -> None:
    number = ledger.open("rush/a.stl")
    claimed_as = in_processing(share, f"{number}~a.stl")
    adopt(ledger, share)
    submission = ledger.get(number)
    assert (submission.claimed_as, submission.path, submission.step) == (
        claimed_as,
        "rush/a.stl",
        Step.INTAKE,
    )
    assert len(ledger.all()) == 1


def test_a_row_whose_file_was_never_moved_is_dropped(share: Share, ledger: Ledger) -> None:
    ledger.open("a.stl")
    adopt(ledger, share)
    assert abandoned(ledger) == ()


def test_a_file_whose_ledger_is_lost_becomes_a_submission(share: Share, ledger: Ledger) -> None:
    claimed_as = in_processing(share, "17~a.stl")
    adopt(ledger, share)
    (submission,) = ledger.all()
    assert (submission.path, submission.claimed_as) == ("rush/a.stl", claimed_as)


def test_a_file_called_back_in_a_retry_stays_with_its_submission(share: Share, ledger: Ledger) -> None:
    number = ledger.open("rush/a.stl")
    ledger.claimed(number, "rejected/rush/a.stl")
    claimed_as = in_processing(share, f"{number}~a.stl")
    adopt(ledger, share)
    assert [submission.id for submission in ledger.all()] == [number]
    assert ledger.get(number).claimed_as == claimed_as


def test_a_file_of_an_ended_submission_is_put_away_again(share: Share, ledger: Ledger) -> None:
    number = ledger.open("rush/a.stl")
    ledger.claimed(number, "rejected/rush/a.stl")
    ledger.change(ledger.get(number), state=State.CANCELED, step=None, due_at=None)
    in_processing(share, f"{number}~a.stl")
    adopt(ledger, share)
    assert ledger.get(number).step is Step.FINISH


def test_litter_of_systems_is_no_submission(share: Share, ledger: Ledger) -> None:
    in_processing(share, "Thumbs.db")
    adopt(ledger, share)
    assert ledger.all() == ()


def test_claims_of_another_stlflow_are_left_alone(share: Share, ledger: Ledger) -> None:
    """Two services with ledgers of their own may share a folder: the second start takes nothing away."""
    ours, theirs = replace(share, owner="a1b2c3"), replace(share, owner="d4e5f6")
    for each in (ours, theirs):
        (each.root / each.claims).mkdir()
        (each.root / each.claims / "17~a.stl").write_bytes(b"solid")
    adopt(ledger, ours)
    assert [(each.path, each.claimed_as) for each in ledger.all()] == [
        ("a.stl", "processing/stlflow-a1b2c3/17~a.stl")
    ]


def test_claims_without_an_owner_are_adopted(share: Share, ledger: Ledger) -> None:
    """They are from a release that gave claims no owner."""
    claimed_as = in_processing(share, "17~a.stl")
    adopt(ledger, replace(share, owner="a1b2c3"))
    assert [(each.path, each.claimed_as) for each in ledger.all()] == [("rush/a.stl", claimed_as)]
