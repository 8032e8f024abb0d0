"""Room is made only of what has ended, and only as far as it is asked for."""

import os
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.disks import read_only
from tests.pipeline.conftest import Shop, dispatched, held
from tests.states import put_in_state
from tests.stl import box, flat_box
from tests.waiting import until
from workflow.ledger import Ledger
from workflow.model import Submission, SubmissionState
from workflow.pipeline import retention
from workflow.pipeline.retention import RetentionPolicy, clean_spool, delete_expired, remove_leftovers

A_DAY = timedelta(days=1)


def aged(context: Shop, submission: Submission, days: float) -> Submission:
    """Let a submission have ended so many days ago."""
    assert submission.ended_at is not None
    return context.service.ledger.update_submission(submission, ended_at=submission.ended_at - days * A_DAY)


def test_old_files_of_ended_submissions_go_with_their_notes_and_nothing_else(context: Shop) -> None:
    context.drop("kept/old.stl", box(51))
    context.drop("young.stl", box(52))
    context.drop("bad.stl", flat_box())
    context.drop("small.stl", box(1, 0.5, 0.5))
    aged(context, context.wait("kept/old.stl", dispatched), 40)
    context.wait("young.stl", dispatched)
    aged(context, context.wait("bad.stl"), 40)
    context.wait("small.stl", held)
    stranger = context.share / "done" / "theirs.stl"
    stranger.write_bytes(box(53))
    if sys.platform == "linux":
        (context.share / "done" / os.fsdecode(b"caf\xe9.stl")).write_bytes(box(53))  # theirs, too
    context.drop("replaced.stl", box(54))
    aged(context, context.wait("replaced.stl", dispatched), 40)
    (context.share / "done" / "replaced.stl").write_bytes(box(55))  # theirs since then
    remarks = context.share / "rejected" / "bad.stl.txt"
    remarks.write_text("What the customer said about it.")
    delete_expired(context.service.context, RetentionPolicy(file_days=30))
    assert remarks.read_text() == "What the customer said about it."
    assert (context.share / "done" / "replaced.stl").read_bytes() == box(55)
    remarks.unlink()
    assert context.places("old.stl") == context.places("bad.stl") == set()
    assert not (context.share / "done" / "kept" / "old.stl.txt").exists()
    assert context.places("young.stl") == {"done/young.stl"}
    assert context.places("small.stl") == {"held/small.stl"}
    assert stranger.exists()


def test_a_newer_file_that_comes_to_the_place_of_an_old_one_meanwhile_stays(
    context: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    context.drop("part.stl", box(51))
    aged(context, context.wait("part.stl", dispatched), 40)
    place = context.share / "done" / "part.stl"
    note = place.with_name("part.stl.txt")
    assert until(note.exists)
    compare = retention._is_unchanged

    def compare_and_be_late(*arguments: Any) -> bool:
        unchanged = compare(*arguments)
        place.rename(context.share / "taken away.stl")
        place.write_bytes(box(52))
        return unchanged

    monkeypatch.setattr(retention, "_is_unchanged", compare_and_be_late)
    delete_expired(context.service.context, RetentionPolicy(file_days=30))
    assert (place.read_bytes(), note.exists()) == (box(52), True)


def test_what_a_killed_process_left_unfinished_goes_when_it_is_old(context: Shop) -> None:
    share, yesterday = context.service.context.share, time.time() - 2 * 86_400
    ours = [
        "done/.stlflow-0123abcd.tmp", "held/deep/er/.stlflow-0123abcd.tmp", "inbox/.stlflow-0123456789ab.tmp",
        "rejected/.stlflow-0123abcd", "approved/.stlflow-0123abcd.tmp", ".stlflow-0123abcd.tmp",
        "inbox/.stlflow-echo-0123abcd",
    ]  # fmt: skip
    theirs = [
        "done/.stlflow-0123abc.tmp", "done/notes.tmp", "inbox/.stlflow-0123abcd.tmp.stl", ".stlflow-share",
        "held/stlflow-0123abcd.tmp",
    ]  # fmt: skip
    for name in (*ours, *theirs):
        place = context.share / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
        os.utime(place, (yesterday, yesterday))
    young, folder = context.share / "done/.stlflow-ffffffff.tmp", context.share / "done/.stlflow-eeeeeeee.tmp"
    link = context.share / "done/.stlflow-dddddddd.tmp"
    young.touch()
    folder.mkdir()
    os.utime(folder, (yesterday, yesterday))
    link.symlink_to(young)
    os.utime(link, (yesterday, yesterday), follow_symlinks=False)
    assert remove_leftovers(share, time.time() - 86_400) == len(ours)
    assert not [name for name in ours if (context.share / name).exists()]
    assert [name for name in theirs if (context.share / name).exists()] == theirs
    assert young.exists()
    assert folder.is_dir()
    assert link.is_symlink()
    for each in (young, link, *(context.share / name for name in theirs if name != ".stlflow-share")):
        each.unlink()
    folder.rmdir()


def test_a_file_that_cant_be_deleted_keeps_no_other_room_from_being_made(context: Shop) -> None:
    for path in ("locked/old.stl", "zest.stl"):
        context.drop(path, box(56 + len(path)))
        aged(context, context.wait(path, dispatched), 40)
    with read_only(context.share / "done" / "locked"):
        delete_expired(context.service.context, RetentionPolicy(submission_days=30, file_days=30))
        assert context.places("locked/old.stl") == {"done/locked/old.stl"}
    assert context.places("zest.stl") == set()
    assert context.submission("zest.stl") is None


def test_without_limits_everything_is_kept(context: Shop) -> None:
    context.drop("for ever.stl", box(54))
    done = aged(context, context.wait("for ever.stl", dispatched), 9000)
    delete_expired(context.service.context, RetentionPolicy())
    assert context.places("for ever.stl") == {"done/for ever.stl"}
    assert context.service.ledger.get(done.id).state is SubmissionState.DISPATCHED


def test_old_submissions_are_forgotten_and_their_files_stay(context: Shop) -> None:
    context.drop("forgotten.stl", box(55))
    aged(context, context.wait("forgotten.stl", dispatched), 40)
    delete_expired(context.service.context, RetentionPolicy(submission_days=30))
    assert context.submission("forgotten.stl") is None
    assert context.places("forgotten.stl") == {"done/forgotten.stl"}


@pytest.mark.parametrize(
    ("state", "stays"), [(SubmissionState.INSPECTED, True), (SubmissionState.SLICING, False)]
)
def test_private_copies_that_nobody_needs_are_deleted(
    ledger: Ledger, tmp_path: Path, state: SubmissionState, stays: bool
) -> None:
    number = ledger.open("a.stl")
    ledger.claimed(number, "processing/a.stl")
    put_in_state(ledger, ledger.get(number), state=state)
    for name in (f"{number}.stl", "999.stl", "7.stl.tmp", "7.png"):
        (tmp_path / name).write_bytes(b"solid")
    assert clean_spool(ledger, tmp_path) == (3 if stays else 4)
    assert (tmp_path / f"{number}.stl").exists() is stays
