"""After a crash, files in processing/ and rows of the ledger find each other."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from workflow.intake import Share
from workflow.ledger import (
    RESTORED_KEY,
    Ledger,
    list_abandoned_claims,
    register_worker,
    take_due_steps,
    work_of,
)
from workflow.model import HoldReason, Step, SubmissionState
from workflow.pipeline.recovery import recover_claims


@pytest.fixture
def share(tmp_path: Path) -> Share:
    share = Share(tmp_path / "share")
    share.prepare()
    return share


def in_processing(share: Share, name: str) -> str:
    (share.processing / "rush").mkdir(exist_ok=True)
    (share.processing / "rush" / name).write_bytes(b"solid")
    return f"processing/rush/{name}"


def test_a_file_moved_before_the_ledger_recorded_it_keeps_its_number(share: Share, ledger: Ledger) -> None:
    number = ledger.open("rush/a.stl")
    claimed_as = in_processing(share, f"{number}~a.stl")
    recover_claims(ledger, share)
    submission = ledger.get(number)
    assert (submission.claimed_as, submission.path, submission.step) == (
        claimed_as,
        "rush/a.stl",
        Step.INTAKE,
    )
    assert len(ledger.all()) == 1


def test_a_row_whose_file_was_never_moved_is_dropped(share: Share, ledger: Ledger) -> None:
    ledger.open("a.stl")
    recover_claims(ledger, share)
    assert list_abandoned_claims(ledger) == ()


def test_a_file_whose_ledger_is_lost_becomes_a_submission(share: Share, ledger: Ledger) -> None:
    claimed_as = in_processing(share, "17~a.stl")
    recover_claims(ledger, share)
    (submission,) = ledger.all()
    assert (submission.path, submission.claimed_as) == ("rush/a.stl", claimed_as)


def test_a_file_called_back_in_a_retry_stays_with_its_submission(share: Share, ledger: Ledger) -> None:
    number = ledger.open("rush/a.stl")
    ledger.claimed(number, "rejected/rush/a.stl")
    claimed_as = in_processing(share, f"{number}~a.stl")
    recover_claims(ledger, share)
    assert [submission.id for submission in ledger.all()] == [number]
    assert ledger.get(number).claimed_as == claimed_as


def test_a_file_whose_step_is_in_progress_is_left_to_that_step(share: Share, ledger: Ledger) -> None:
    number = ledger.open("rush/a.stl")
    ledger.claimed(number, "rejected/rush/a.stl")
    in_processing(share, f"{number}~a.stl")
    assert take_due_steps(ledger, [work_of(ledger.get(number))])
    recover_claims(ledger, share)
    assert ledger.get(number).claimed_as == "rejected/rush/a.stl"


def test_a_file_of_an_ended_submission_is_put_away_again(share: Share, ledger: Ledger) -> None:
    number = ledger.open("rush/a.stl")
    ledger.claimed(number, "rejected/rush/a.stl")
    ledger.update_submission(ledger.get(number), state=SubmissionState.CANCELED, step=None, due_at=None)
    in_processing(share, f"{number}~a.stl")
    recover_claims(ledger, share)
    assert ledger.get(number).step is Step.FINISH


def test_a_file_that_was_taken_for_gone_is_put_away_once_it_is_seen(share: Share, ledger: Ledger) -> None:
    number = ledger.open("rush/a.stl")
    claimed_as = in_processing(share, f"{number}~a.stl")
    ledger.claimed(number, claimed_as)
    ledger.update_submission(ledger.get(number), state=SubmissionState.CANCELED, step=None, due_at=None)
    recover_claims(ledger, share)
    assert ledger.get(number).step is Step.FINISH


def test_a_restored_database_holds_only_what_it_does_not_know(share: Share, ledger: Ledger) -> None:
    number = ledger.open("rush/a.stl")
    ledger.claimed(number, in_processing(share, f"{number}~a.stl"))
    in_processing(share, "17~b.stl")
    ledger.metadata.write(RESTORED_KEY, "yesterday")
    recover_claims(ledger, share)
    holds = sorted((each.path, each.hold) for each in ledger.all())
    assert holds == [("rush/a.stl", None), ("rush/b.stl", HoldReason.FILE)]
    in_processing(share, "23~c.stl")
    recover_claims(ledger, share)
    assert {each.path: each.state for each in ledger.all()}["rush/c.stl"] is SubmissionState.CLAIMED


def test_two_workers_may_start_at_once_on_a_restored_database(share: Share, ledger: Ledger) -> None:
    ours = replace(share, owner="a1b2c3")
    (share.root / ours.claims_folder).mkdir()
    for n in range(900, 930):
        (share.root / ours.claims_folder / f"{n}~a{n}.stl").write_bytes(b"solid")
    ledger.metadata.write(RESTORED_KEY, "yesterday")
    switched = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: recover_claims(ledger, ours), range(4)))
    finally:
        sys.setswitchinterval(switched)
    assert [each.hold for each in ledger.all()] == [HoldReason.FILE] * 30


def test_two_files_with_the_number_of_one_submission_stop_no_start(share: Share, ledger: Ledger) -> None:
    """As a copy that a person made in processing/: one is put away now, the other at the next start."""
    ours = replace(share, owner="a1b2c3")
    number = ledger.open("a.stl")
    ledger.claimed(number, "rejected/a.stl")
    ledger.update_submission(ledger.get(number), state=SubmissionState.CANCELED, step=None, due_at=None)
    for name in ("", "copies/"):
        place = ours.root / ours.claims_folder / f"{name}{number}~a.stl"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(b"solid")
    recover_claims(ledger, ours)
    assert ledger.get(number).step is Step.FINISH
    assert len(list(ours.processing.rglob("*.stl"))) == 2


def test_a_file_that_a_living_worker_is_about_to_claim_is_left_to_it(share: Share, ledger: Ledger) -> None:
    worker = register_worker(ledger, "elsewhere", "host", 1, "1.0")
    number = ledger.open("rush/a.stl", worker.name)
    in_processing(share, f"{number}~a.stl")
    recover_claims(ledger, share)
    opened = ledger.get(number)
    assert (opened.claimed_as, opened.step, opened.turn) == (None, None, 0)


def test_litter_of_systems_folders_and_links_are_no_submissions(share: Share, ledger: Ledger) -> None:
    in_processing(share, "Thumbs.db")
    (share.processing / "18~folder.stl").mkdir()
    (share.root / "elsewhere").write_bytes(b"solid")
    (share.processing / "19~link.stl").symlink_to(share.root / "elsewhere")
    recover_claims(ledger, share)
    assert ledger.all() == ()


def test_claims_of_another_stlflow_are_left_alone(share: Share, ledger: Ledger) -> None:
    """Two services with ledgers of their own may share a folder: the second start takes nothing away."""
    ours, theirs = replace(share, owner="a1b2c3"), replace(share, owner="d4e5f6")
    for each in (ours, theirs):
        (each.root / each.claims_folder).mkdir()
        (each.root / each.claims_folder / "17~a.stl").write_bytes(b"solid")
    recover_claims(ledger, ours)
    assert [(each.path, each.claimed_as) for each in ledger.all()] == [
        ("a.stl", "processing/stlflow-a1b2c3/17~a.stl")
    ]


def test_claims_without_an_owner_stay_with_their_submission(share: Share, ledger: Ledger) -> None:
    """They are from a release that gave claims no owner."""
    number = ledger.open("rush/a.stl")
    claimed_as = in_processing(share, f"{number}~a.stl")
    ledger.claimed(number, claimed_as)
    recover_claims(ledger, replace(share, owner="a1b2c3"))
    assert [(each.path, each.claimed_as) for each in ledger.all()] == [("rush/a.stl", claimed_as)]
    assert (share.root / claimed_as).is_file()


@pytest.mark.parametrize("name", ["a.stl", "17~a.stl"])
def test_what_no_ledger_claimed_goes_to_the_inbox(share: Share, ledger: Ledger, name: str) -> None:
    """Adopted in its place, every service on the share would send it; in the inbox one rename decides."""
    in_processing(share, name)
    (share.inbox / "rush").mkdir()
    (share.inbox / "rush" / "a.stl").write_bytes(b"another one")
    recover_claims(ledger, replace(share, owner="a1b2c3"))
    assert ledger.all() == ()
    assert (share.inbox / "rush" / "a (2).stl").read_bytes() == b"solid"
    assert (share.inbox / "rush" / "a.stl").read_bytes() == b"another one"


def test_a_number_of_ours_that_is_another_files_decides_nothing(share: Share, ledger: Ledger) -> None:
    """The claim of a ledger that gave no owner may bear a number that ours has given, too."""
    number = ledger.open("lid.stl")
    ledger.claimed(number, "done/lid.stl")
    in_processing(share, f"{number}~a.stl")
    recover_claims(ledger, replace(share, owner="a1b2c3"))
    assert ledger.get(number).claimed_as == "done/lid.stl"
    assert (share.inbox / "rush" / "a.stl").is_file()


def test_of_services_that_start_at_once_none_adopts_what_another_does(
    share: Share, tmp_path: Path, postgres_url: str
) -> None:
    """Two on one database, one with a database of its own."""
    names = [f"{place} part.stl" for place in range(30)]
    for name in names:
        in_processing(share, name)
    urls = [postgres_url, postgres_url, f"sqlite:///{tmp_path / 'own.db'}"]
    ledgers = [Ledger(url) for url in urls]
    shares = [replace(share, owner=ledger.metadata.ensure_name()) for ledger in ledgers]
    with ThreadPoolExecutor(len(ledgers)) as services:
        list(services.map(recover_claims, ledgers, shares))
    assert sum(len(ledger.all()) for ledger in (ledgers[0], ledgers[2])) == 0
    assert sorted(found.name for found in (share.inbox / "rush").iterdir()) == sorted(names)
    for ledger in ledgers:
        ledger.close()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_name_that_is_no_text_stops_no_start(share: Share, ledger: Ledger) -> None:
    in_processing(share, os.fsdecode(b"caf\xe9.stl"))
    recover_claims(ledger, share)
    assert (share.inbox / "rush" / "caf\N{REPLACEMENT CHARACTER}.stl").is_file()


def test_a_read_only_inbox_gets_nothing_put_into_it(share: Share, ledger: Ledger, tmp_path: Path) -> None:
    claimed_as = in_processing(share, "a.stl")
    recover_claims(ledger, replace(share, owner="a1b2c3", left_inbox=tmp_path))
    assert ledger.all() == ()
    assert (share.root / claimed_as).is_file()
