"""Room is made only of what has ended, and only as far as it is asked for."""

import os
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from tests.pipeline.conftest import Shop, dispatched, held
from tests.stl import box, open_box
from workflow.ledger import Ledger
from workflow.model import State, Submission
from workflow.pipeline.upkeep import Keep, retire, tidy_spool

A_DAY = timedelta(days=1)


def aged(shop: Shop, submission: Submission, days: float) -> Submission:
    """Let a submission have ended so many days ago."""
    assert submission.ended_at is not None
    return shop.service.ledger.change(submission, ended_at=submission.ended_at - days * A_DAY)


def test_old_files_of_ended_submissions_go_with_their_notes_and_nothing_else(shop: Shop) -> None:
    shop.drop("kept/old.stl", box(51))
    shop.drop("young.stl", box(52))
    shop.drop("bad.stl", open_box())
    shop.drop("small.stl", box(1, 0.5, 0.5))
    aged(shop, shop.wait("kept/old.stl", dispatched), 40)
    shop.wait("young.stl", dispatched)
    aged(shop, shop.wait("bad.stl"), 40)
    shop.wait("small.stl", held)
    stranger = shop.share / "done" / "theirs.stl"
    stranger.write_bytes(box(53))
    if sys.platform == "linux":
        (shop.share / "done" / os.fsdecode(b"caf\xe9.stl")).write_bytes(box(53))  # theirs, too
    shop.drop("replaced.stl", box(54))
    aged(shop, shop.wait("replaced.stl", dispatched), 40)
    (shop.share / "done" / "replaced.stl").write_bytes(box(55))  # theirs since then
    remarks = shop.share / "rejected" / "bad.stl.txt"
    remarks.write_text("What the customer said about it.")
    retire(shop.service.shop, Keep(file_days=30))
    assert remarks.read_text() == "What the customer said about it."
    assert (shop.share / "done" / "replaced.stl").read_bytes() == box(55)
    remarks.unlink()
    assert shop.places("old.stl") == shop.places("bad.stl") == set()
    assert not (shop.share / "done" / "kept" / "old.stl.txt").exists()
    assert shop.places("young.stl") == {"done/young.stl"}
    assert shop.places("small.stl") == {"held/small.stl"}
    assert stranger.exists()


def test_without_limits_everything_is_kept(shop: Shop) -> None:
    shop.drop("for ever.stl", box(54))
    done = aged(shop, shop.wait("for ever.stl", dispatched), 9000)
    retire(shop.service.shop, Keep())
    assert shop.places("for ever.stl") == {"done/for ever.stl"}
    assert shop.service.ledger.get(done.id).state is State.DISPATCHED


def test_old_submissions_are_forgotten_and_their_files_stay(shop: Shop) -> None:
    shop.drop("forgotten.stl", box(55))
    aged(shop, shop.wait("forgotten.stl", dispatched), 40)
    retire(shop.service.shop, Keep(submission_days=30))
    assert shop.submission("forgotten.stl") is None
    assert shop.places("forgotten.stl") == {"done/forgotten.stl"}


@pytest.mark.parametrize(("state", "stays"), [(State.INSPECTED, True), (State.SLICING, False)])
def test_private_copies_that_nobody_needs_are_deleted(
    ledger: Ledger, tmp_path: Path, state: State, stays: bool
) -> None:
    number = ledger.open("a.stl")
    ledger.claimed(number, "processing/a.stl")
    ledger.change(ledger.get(number), state=state)
    for name in (f"{number}.stl", "999.stl", "7.stl.tmp"):
        (tmp_path / name).write_bytes(b"solid")
    assert tidy_spool(ledger, tmp_path) == (2 if stays else 3)
    assert (tmp_path / f"{number}.stl").exists() is stays


def test_the_engines_own_rows_go_and_everything_goes_on(shop: Shop) -> None:
    def rows() -> int:
        with shop.service.ledger.reading() as connection:
            return int(connection.exec_driver_sql("select count(*) from workflow_status").scalar_one())

    shop.drop("before.stl", box(56))
    shop.wait("before.stl", dispatched)
    assert rows() > 0
    shop.service.make_room(engine_rows_seconds=-1)
    assert rows() == 0
    shop.drop("after.stl", box(57))
    assert shop.sent(shop.wait("after.stl", dispatched)) == 1
