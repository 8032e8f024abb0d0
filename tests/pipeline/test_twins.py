"""The same content, and the same name: duplicates are set aside, revisions are said."""

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cloud import simulated
from tests.pipeline.conftest import Open, dispatched, held
from tests.stl import box
from workflow.cli.watching import at_rest
from workflow.ledger import Ledger, Superseded, begin_send, crew, record_content
from workflow.model import Hold, State, Step, Submission
from workflow.pipeline.clock import now
from workflow.pipeline.orders import cancel, retry, settle


def set_aside(submission: Submission) -> bool:
    return submission.state is State.CANCELED and submission.step is None


def slicing(submission: Submission) -> bool:
    return submission.state in {State.SLICING, State.SLICED}


def test_the_same_content_under_way_in_the_same_folder_is_set_aside(open_shop: Open) -> None:
    with simulated(builds="manual") as cloud:
        shop = open_shop(cloud, build_wait_seconds=60)
        shop.drop("clips/a.stl", box(11))
        first = shop.wait("clips/a.stl", slicing)
        shop.drop("Clips/a again.stl", box(11))
        second = shop.wait("Clips/a again.stl", set_aside)
        assert second.reason == (
            f"The same file is under way as submission {first.id} (clips/a.stl): "
            "it is not sent twice at once."
        )
        assert shop.places("a again.stl") == {"rejected/Clips/a again.stl"}
        assert second.reason in shop.note("rejected/Clips/a again.stl")
        assert [event.event for event in shop.history("Clips/a again.stl")][-1] == "duplicate"
        assert second.part_version_id is None


def test_in_another_folder_the_same_content_is_another_wish(open_shop: Open) -> None:
    shop = open_shop()
    shop.drop("a.stl", box(12))
    shop.drop("metal/a.stl", box(12))
    both = [shop.wait(path, dispatched) for path in ("a.stl", "metal/a.stl")]
    assert {each.preset for each in both} == {"Onyx", "17-4 PH"}
    assert [shop.sent(each) for each in both] == [1, 1]


def test_the_same_content_later_is_sent_once_more(open_shop: Open) -> None:
    shop = open_shop()
    for path in ("a.stl", "b.stl"):
        shop.drop(path, box(13))
        assert shop.sent(shop.wait(path, dispatched)) == 1


def test_a_held_twin_is_pointed_to_with_its_reason(open_shop: Open) -> None:
    shop = open_shop()
    shop.drop("tiny.stl", box(1, 1, 1))
    first = shop.wait("tiny.stl", held)
    shop.drop("tiny copy.stl", box(1, 1, 1))
    second = shop.wait("tiny copy.stl", set_aside)
    assert second.reason == (
        f"The same file is held as submission {first.id} (tiny.stl): {first.reason} "
        f"`stlflow retry {first.id}` takes that one up, or drag its file back into the inbox."
    )
    cancel(shop.service.ledger, first.id)
    retry(shop.service.ledger, second.id)
    assert shop.wait("tiny copy.stl", held).hold is Hold.RULE


def test_two_that_come_together_are_one_and_a_duplicate(open_shop: Open) -> None:
    with simulated(builds="manual") as cloud:
        shop = open_shop(cloud, build_wait_seconds=60)
        paths = [f"twin {number}.stl" for number in range(6)]
        for path in paths:
            shop.drop(path, box(14))
        ended = [
            shop.wait(path, lambda submission: slicing(submission) or set_aside(submission)) for path in paths
        ]
        assert sorted(set_aside(each) for each in ended) == [False] + [True] * 5


def test_new_content_under_an_old_name_is_a_revision(open_shop: Open) -> None:
    shop = open_shop()
    shop.drop("part.stl", box(15))
    first = shop.wait("part.stl", dispatched)
    shop.drop("part.stl", box(16))

    def newer(submission: Submission) -> bool:
        return submission.id != first.id and dispatched(submission)

    second = shop.wait("part.stl", newer)
    said = f"revision 2 of part.stl: submission {first.id} had other content and is dispatched to job_request"
    assert said in [event.detail for event in shop.service.ledger.events(second.id)]
    assert shop.places("part*.stl") == {"done/part.stl", "done/part (2).stl"}
    assert f"Look out\n  This is {said}." in shop.note("done/part (2).stl")


def test_a_file_dragged_back_is_no_revision_and_no_duplicate(open_shop: Open) -> None:
    shop = open_shop()
    shop.drop("tiny.stl", box(1, 1, 1))
    first = shop.wait("tiny.stl", held)
    (shop.share / "held" / "tiny.stl").rename(shop.share / "inbox" / "tiny.stl")
    second = shop.wait("tiny.stl", lambda submission: submission.id != first.id and held(submission))
    events = [event.event for event in shop.service.ledger.events(second.id)]
    assert "revision" not in events
    assert "duplicate" not in events
    assert shop.service.ledger.get(first.id).state is State.CANCELED


def test_outcomes_can_be_kept_by_the_day(open_shop: Open) -> None:
    shop = open_shop(date_folders=True)
    shop.drop("rush/a.stl", box(17))
    done = shop.wait("rush/a.stl", dispatched)
    day = done.ended_at.astimezone().date().isoformat() if done.ended_at else ""
    assert shop.places("a.stl") == {f"done/{day}/rush/a.stl"}
    assert Path(shop.share / f"done/{day}/rush/a.stl.txt").is_file()


def test_a_duplicate_that_is_cut_off_stays_one(open_shop: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    with simulated(builds="manual") as cloud:
        shop = open_shop(cloud, build_wait_seconds=60)
        shop.drop("a.stl", box(18))
        shop.wait("a.stl", slicing)
        written_down = record_content

        def cut(*what: Any, **changes: Any) -> None:
            monkeypatch.setattr("workflow.pipeline.twins.record_content", written_down)
            written_down(*what, **changes)
            raise OSError("cut off")

        monkeypatch.setattr("workflow.pipeline.twins.record_content", cut)
        shop.drop("b.stl", box(18))
        assert shop.wait("b.stl", lambda seen: slicing(seen) or set_aside(seen)).state is State.CANCELED


@pytest.mark.parametrize("path", ["a.stl", "clips/a.stl"])
def test_a_send_in_doubt_is_not_repeated_because_its_file_is_dragged_back(open_shop: Open, path: str) -> None:
    shop = open_shop()
    shop.cloud.fault("sendBuildToJobRequestQueue", "delay", delay_seconds=10)
    shop.drop(path, box(19))
    first = shop.wait(path, held)
    assert first.hold is Hold.SEND
    (shop.share / "held" / path).rename(shop.share / "inbox" / "a.stl")
    second = shop.wait("a.stl", lambda seen: seen.id != first.id and set_aside(seen))
    assert second.reason == f"The same file is held as submission {first.id} ({path}): {first.reason}"
    settle(shop.service.ledger, first.id, "job 7")

    def ended(_: Submission) -> bool:
        return dispatched(shop.service.ledger.get(first.id))

    shop.wait("a.stl", ended)
    assert shop.sent(first) == 0, "on the word of a person"


def test_the_note_of_a_file_that_was_dragged_back_does_not_stay_alone(open_shop: Open) -> None:
    shop = open_shop()
    shop.drop("rush/a.stl", box(18))
    first = shop.wait("rush/a.stl", dispatched)
    note = shop.share / "done" / "rush" / "a.stl.txt"
    assert note.exists()
    (shop.share / "done" / "rush" / "a.stl").rename(shop.share / "inbox" / "b.stl")
    assert shop.wait("b.stl", dispatched).id != first.id
    assert not note.exists()


def held_for_a_printer(ledger: Ledger, content: bytes, **changes: object) -> Submission:
    """Make a submission that waits for a device, and whose file somebody dragged away."""
    (worker,) = crew(ledger)  # what the running service has in hands is not taken over
    held_one = {
        "claimed_as": "held/a.stl", "sha256": hashlib.sha256(content).hexdigest(), "worker": worker.name,
        "state": State.HELD, "hold": Hold.DEVICE, "reason": "No printer is free.", "step": Step.DELIVER,
    }  # fmt: skip
    number = ledger.open("a.stl", worker.name)  # of nobody, it would be cleared away at any moment
    return ledger.change(ledger.get(number), **{**held_one, **changes})


def test_a_held_twin_of_which_a_send_begins_just_now_is_not_sent_a_second_time(
    open_shop: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A printer is free for it at the very moment at which its file is dragged to another folder."""
    shop = open_shop()
    ledger, content = shop.service.ledger, box(24)
    twin = held_for_a_printer(ledger, content, due_at=now() + timedelta(minutes=20))
    monkeypatch.setattr(
        "workflow.pipeline.twins._remove_notes_left_alone", lambda *_: begin_send(ledger, twin, 1, 60)
    )
    shop.drop("other/a.stl", content)
    second = shop.wait("other/a.stl", at_rest)
    assert second.state is State.CANCELED, "it would be sent as well"
    assert f"as submission {twin.id} (a.stl)" in str(second.reason)
    assert ledger.get(twin.id).state is State.HELD


def test_a_held_twin_that_is_looked_after_just_now_can_send_nothing_any_more(open_shop: Open) -> None:
    shop = open_shop()
    ledger, content = shop.service.ledger, box(25)
    twin = held_for_a_printer(ledger, content, due_at=None)
    shop.drop("other/a.stl", content)
    assert shop.sent(shop.wait("other/a.stl", dispatched)) == 1
    assert ledger.get(twin.id).state is State.CANCELED
    with pytest.raises(Superseded):
        begin_send(ledger, twin, 1, 60)
