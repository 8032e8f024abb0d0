"""The same content, and the same name: duplicates are set aside, revisions are said."""

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any, Unpack

import pytest

from tests.cloud import simulated
from tests.pipeline.conftest import Open, dispatched, held
from tests.states import put_in_state
from tests.stl import box
from workflow.cli.watch import is_at_rest
from workflow.ledger import Ledger, Superseded, list_workers
from workflow.model import HoldReason, Step, Submission, SubmissionChanges, SubmissionState
from workflow.pipeline.commands import cancel_submission, confirm_send, retry_submission
from workflow.pipeline.context import now


def set_aside(submission: Submission) -> bool:
    return submission.state is SubmissionState.CANCELED and submission.step is None


def slicing(submission: Submission) -> bool:
    return submission.state in {SubmissionState.SLICING, SubmissionState.SLICED}


def test_the_same_content_under_way_in_the_same_folder_is_set_aside(open_shop: Open) -> None:
    with simulated(builds="manual") as cloud:
        context = open_shop(cloud, build_wait_seconds=60)
        drops = context.service.ledger.console_drops
        drops.write("clips/a.stl", hashlib.sha256(box(11)).hexdigest(), "Willi")
        context.drop("clips/a.stl", box(11))
        first = context.wait("clips/a.stl", slicing)
        context.drop("Clips/a again.stl", box(11))
        second = context.wait("Clips/a again.stl", set_aside)
        assert first.dropped_by == "Willi", "who dropped it at the console, not whose file it is in the share"
        assert second.dropped_by != "Willi"
        assert second.reason == (
            f"The same file is in progress as submission {first.id} (clips/a.stl): "
            "it is not sent twice at once."
        )
        assert context.places("a again.stl") == {"rejected/Clips/a again.stl"}
        assert second.reason in context.note("rejected/Clips/a again.stl")
        assert [event.event for event in context.history("Clips/a again.stl")][-1] == "duplicate"
        assert second.part_version_id is None


def test_in_another_folder_the_same_content_is_another_wish(open_shop: Open) -> None:
    context = open_shop()
    context.drop("a.stl", box(12))
    context.drop("metal/a.stl", box(12))
    both = [context.wait(path, dispatched) for path in ("a.stl", "metal/a.stl")]
    assert {each.preset for each in both} == {"Onyx", "17-4 PH"}
    assert [context.sent(each) for each in both] == [1, 1]


def test_the_same_content_later_is_sent_once_more(open_shop: Open) -> None:
    context = open_shop()
    for path in ("a.stl", "b.stl"):
        context.drop(path, box(13))
        assert context.sent(context.wait(path, dispatched)) == 1


def test_a_held_twin_is_pointed_to_with_its_reason(open_shop: Open) -> None:
    context = open_shop()
    context.drop("tiny.stl", box(1, 1, 1))
    first = context.wait("tiny.stl", held)
    context.drop("tiny copy.stl", box(1, 1, 1))
    second = context.wait("tiny copy.stl", set_aside)
    assert second.reason == (
        f"The same file is held as submission {first.id} (tiny.stl): {first.reason} "
        f"`stlflow retry {first.id}` takes that one up, or drag its file back into the inbox."
    )
    cancel_submission(context.service.ledger, first.id)
    retry_submission(context.service.ledger, second.id)
    assert context.wait("tiny copy.stl", held).hold is HoldReason.RULE


def test_two_that_come_together_are_one_and_a_duplicate(open_shop: Open) -> None:
    with simulated(builds="manual") as cloud:
        context = open_shop(cloud, build_wait_seconds=60)
        paths = [f"twin {number}.stl" for number in range(6)]
        for path in paths:
            context.drop(path, box(14))
        ended = [
            context.wait(path, lambda submission: slicing(submission) or set_aside(submission))
            for path in paths
        ]
        assert sorted(set_aside(each) for each in ended) == [False] + [True] * 5


def test_new_content_under_an_old_name_is_a_revision(open_shop: Open) -> None:
    context = open_shop()
    context.drop("part.stl", box(15))
    first = context.wait("part.stl", dispatched)
    context.drop("part.stl", box(16))

    def newer(submission: Submission) -> bool:
        return submission.id != first.id and dispatched(submission)

    second = context.wait("part.stl", newer)
    said = f"revision 2 of part.stl: submission {first.id} had other content and is dispatched to job_request"
    assert said in [event.detail for event in context.service.ledger.events(second.id)]
    assert context.places("part*.stl") == {"done/part.stl", "done/part (2).stl"}
    assert f"Careful\n  This is {said}." in context.note("done/part (2).stl")


def test_a_file_dragged_back_is_no_revision_and_no_duplicate(open_shop: Open) -> None:
    context = open_shop()
    context.drop("tiny.stl", box(1, 1, 1))
    first = context.wait("tiny.stl", held)
    (context.share / "held" / "tiny.stl").rename(context.share / "inbox" / "tiny.stl")
    second = context.wait("tiny.stl", lambda submission: submission.id != first.id and held(submission))
    events = [event.event for event in context.service.ledger.events(second.id)]
    assert "revision" not in events
    assert "duplicate" not in events
    assert context.service.ledger.get(first.id).state is SubmissionState.CANCELED


def test_outcomes_can_be_kept_by_the_day(open_shop: Open) -> None:
    context = open_shop(date_folders=True)
    context.drop("rush/a.stl", box(17))
    done = context.wait("rush/a.stl", dispatched)
    day = done.ended_at.astimezone().date().isoformat() if done.ended_at else ""
    assert context.places("a.stl") == {f"done/{day}/rush/a.stl"}
    assert Path(context.share / f"done/{day}/rush/a.stl.txt").is_file()


def test_a_duplicate_that_is_cut_off_stays_one(open_shop: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    with simulated(builds="manual") as cloud:
        context = open_shop(cloud, build_wait_seconds=60)
        context.drop("a.stl", box(18))
        context.wait("a.stl", slicing)
        store = context.service.ledger.duplicates
        unbroken = store.write_content

        def cut(*what: Any) -> None:
            monkeypatch.setattr(store, "write_content", unbroken)
            unbroken(*what)
            raise OSError("cut off")

        monkeypatch.setattr(store, "write_content", cut)
        context.drop("b.stl", box(18))
        assert (
            context.wait("b.stl", lambda seen: slicing(seen) or set_aside(seen)).state
            is SubmissionState.CANCELED
        )


@pytest.mark.parametrize("path", ["a.stl", "clips/a.stl"])
def test_a_send_in_doubt_is_not_repeated_because_its_file_is_dragged_back(open_shop: Open, path: str) -> None:
    context = open_shop()
    context.cloud.fault("sendBuildToJobRequestQueue", "delay", delay_seconds=10)
    context.drop(path, box(19))
    first = context.wait(path, held)
    assert first.hold is HoldReason.SEND
    (context.share / "held" / path).rename(context.share / "inbox" / "a.stl")
    second = context.wait("a.stl", lambda seen: seen.id != first.id and set_aside(seen))
    assert second.reason == f"The same file is held as submission {first.id} ({path}): {first.reason}"
    confirm_send(context.service.ledger, first.id, "job 7")

    def ended(_: Submission) -> bool:
        return dispatched(context.service.ledger.get(first.id))

    context.wait("a.stl", ended)
    assert context.sent(first) == 0, "on the word of a person"


def test_the_note_of_a_file_that_was_dragged_back_does_not_stay_alone(open_shop: Open) -> None:
    context = open_shop()
    context.drop("rush/a.stl", box(18))
    first = context.wait("rush/a.stl", dispatched)
    note = context.share / "done" / "rush" / "a.stl.txt"
    assert note.exists()
    (context.share / "done" / "rush" / "a.stl").rename(context.share / "inbox" / "b.stl")
    assert context.wait("b.stl", dispatched).id != first.id
    assert not note.exists()


def held_for_a_printer(ledger: Ledger, content: bytes, **changes: Unpack[SubmissionChanges]) -> Submission:
    """Make a submission that waits for a device, and whose file somebody dragged away."""
    (worker,) = list_workers(ledger)
    held_one: SubmissionChanges = {
        "claimed_as": "held/a.stl", "sha256": hashlib.sha256(content).hexdigest(),
        "state": SubmissionState.HELD, "hold": HoldReason.DEVICE, "reason": "No printer is free.",
        "step": Step.DELIVER,
    }  # fmt: skip
    number = ledger.open("a.stl", worker.name)  # of nobody, it would be cleared away at any moment
    all_changes: SubmissionChanges = {**held_one, **changes}
    return put_in_state(ledger, ledger.get(number), **all_changes)


def test_a_held_twin_of_which_a_send_begins_just_now_is_not_sent_a_second_time(
    open_shop: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A printer is free for it at the very moment at which its file is dragged to another folder."""
    context = open_shop()
    ledger, content = context.service.ledger, box(24)
    twin = held_for_a_printer(ledger, content, due_at=now() + timedelta(minutes=20))
    monkeypatch.setattr(
        "workflow.pipeline.duplicates._remove_orphaned_notes", lambda *_: ledger.sends.begin(twin, 1, 60)
    )
    context.drop("other/a.stl", content)
    second = context.wait("other/a.stl", is_at_rest)
    assert second.state is SubmissionState.CANCELED, "it would be sent as well"
    assert f"as submission {twin.id} (a.stl)" in str(second.reason)
    assert ledger.get(twin.id).state is SubmissionState.HELD


def test_a_held_twin_that_is_looked_after_just_now_can_send_nothing_any_more(open_shop: Open) -> None:
    context = open_shop()
    ledger, content = context.service.ledger, box(25)
    twin = held_for_a_printer(ledger, content, due_at=None)
    context.drop("other/a.stl", content)
    assert context.sent(context.wait("other/a.stl", dispatched)) == 1
    assert ledger.get(twin.id).state is SubmissionState.CANCELED
    with pytest.raises(Superseded):
        ledger.sends.begin(twin, 1, 60)
