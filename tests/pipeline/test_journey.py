"""Whole journeys over the real parts: share, ledger, engine and a simulated cloud over HTTP."""

from pathlib import Path

import pytest
import requests

from tests.cloud import simulated
from tests.pipeline.conftest import Open, Shop
from tests.stl import box, open_box
from workflow.cli.watching import at_rest
from workflow.model import Destination, Hold, State, Submission
from workflow.pipeline.orders import attach, cancel, release, retry

INCHES = box(1.0, 0.5, 0.5)
TALL = box(50, 50, 154)


def events(shop: Shop, path: str) -> list[str]:
    return [event.event for event in shop.history(path)]


def sent_once(shop: Shop, submission: Submission) -> None:
    assert shop.cloud.dispatches() == {submission.build_id: 1}


def test_a_good_part_is_sent_once_and_its_file_is_done(open_shop: Open) -> None:
    shop = open_shop()
    shop.drop("lab/bracket.stl", box())
    done = shop.wait("lab/bracket.stl")
    assert (done.state, done.preset, done.destination) == (State.DISPATCHED, "Onyx", Destination.JOB_REQUEST)
    assert (done.intake_rule, done.routing_rule) == ("everything else", "everything else")
    sent_once(shop, done)
    assert shop.stls() == {"done/lab/bracket.stl"}
    assert events(shop, "lab/bracket.stl") == [
        "claimed", "taken", "inspected", "decided", "uploading", "uploaded", "sliced", "build found",
        "routed", "sending", "dispatched",
    ]  # fmt: skip
    note = shop.note("done/lab/bracket.stl")
    assert "submission 1" in note
    assert done.receipt_id is not None
    assert all(entry["authorized"] for entry in shop.cloud.journal())


def test_what_was_checked_is_what_was_sent(open_shop: Open) -> None:
    shop = open_shop()
    shop.drop("bracket.stl", box())
    done = shop.wait("bracket.stl")
    (version,) = shop.cloud.world()["part_versions"]
    assert version["sha256"] == done.sha256


def test_a_long_print_waits_in_the_backlog_with_a_due_date(open_shop: Open) -> None:
    shop = open_shop()
    shop.drop("tall.stl", TALL)
    done = shop.wait("tall.stl")
    assert (done.destination, done.routing_rule) == (Destination.BACKLOG, "long prints")
    assert done.due_date is not None


def test_a_rushed_part_goes_to_a_printer(open_shop: Open) -> None:
    shop = open_shop()
    shop.drop("rush/clip.stl", box())
    done = shop.wait("rush/clip.stl")
    assert done.destination is Destination.DEVICE_QUEUE
    assert done.device is not None
    sent_once(shop, done)


def test_a_bad_mesh_is_rejected_with_a_note_and_never_uploaded(open_shop: Open) -> None:
    shop = open_shop()
    shop.drop("open.stl", open_box())
    rejected = shop.wait("open.stl")
    assert rejected.state is State.REJECTED
    assert rejected.reason is not None
    assert rejected.reason.startswith("3 open edges")
    assert rejected.reason in shop.note("rejected/open.stl")
    assert shop.stls() == {"rejected/open.stl"}
    assert shop.cloud.world()["part_versions"] == []


def test_a_rejected_file_that_was_mended_goes_on_by_retry(open_shop: Open) -> None:
    shop = open_shop()
    shop.drop("part.stl", open_box())
    rejected = shop.wait("part.stl")
    (shop.share / "rejected" / "part.stl").write_bytes(box())
    retry(shop.service.ledger, rejected.id)
    done = shop.wait("part.stl", lambda seen: seen.state is State.DISPATCHED and seen.step is None)
    sent_once(shop, done)
    assert shop.stls() == {"done/part.stl"}
    assert not (shop.share / "rejected" / "part.stl.txt").exists()


def test_a_held_file_goes_on_when_a_person_releases_it(open_shop: Open) -> None:
    shop = open_shop()
    shop.drop("small.stl", INCHES)
    held = shop.wait("small.stl")
    assert (held.state, held.hold, held.intake_rule) == (State.HELD, Hold.RULE, "looks like inches")
    assert shop.stls() == {"held/small.stl"}
    release(shop.service.ledger, held.id)
    done = shop.wait("small.stl", lambda seen: seen.state is State.DISPATCHED and seen.step is None)
    sent_once(shop, done)
    assert shop.stls() == {"done/small.stl"}


def test_a_held_file_that_is_dragged_back_goes_on_as_a_new_submission(open_shop: Open) -> None:
    shop = open_shop()
    shop.drop("small.stl", INCHES)
    held = shop.wait("small.stl")
    (shop.share / "held" / "small.stl").rename(shop.share / "inbox" / "again.stl")
    again = shop.wait("again.stl")
    assert again.state is State.HELD
    first = shop.service.ledger.get(held.id)
    assert first.state is State.CANCELED
    assert first.reason == f"dragged back to the inbox: goes on as submission {again.id}"


def test_a_canceled_submission_is_never_sent(open_shop: Open, tmp_path: Path) -> None:
    with simulated(slice_seconds=3600) as cloud:
        shop = open_shop(cloud)
        shop.drop("part.stl", box())
        slicing = shop.wait("part.stl", lambda seen: seen.state is State.SLICING)
        cancel(shop.service.ledger, slicing.id)
        canceled = shop.wait("part.stl")
        assert canceled.state is State.CANCELED
        assert shop.stls() == {"rejected/part.stl"}
        assert cloud.dispatches() == {}


def test_a_missing_build_is_held_and_found_by_itself_once_somebody_makes_it(open_shop: Open) -> None:
    with simulated(builds="manual") as cloud:
        shop = open_shop(cloud)
        shop.drop("part.stl", box())
        held = shop.wait("part.stl", lambda seen: seen.state is State.HELD and at_rest(seen))
        assert held.hold is Hold.BUILD
        assert f"stlflow attach {held.id} BUILD" in shop.note("held/part.stl")
        assert held.part_version_id is not None
        build = cloud.make_build(held.part_version_id)
        done = shop.wait("part.stl", lambda seen: seen.state is State.DISPATCHED and seen.step is None)
        assert done.build_id == build
        sent_once(shop, done)
        assert shop.stls() == {"done/part.stl"}


def test_a_build_can_be_named_by_hand(open_shop: Open) -> None:
    with simulated(builds="manual") as cloud:
        shop = open_shop(cloud, build_wait_seconds=0.0, slice_first_poll_seconds=0.05)
        shop.drop("part.stl", box())
        held = shop.wait("part.stl", lambda seen: seen.state is State.HELD and at_rest(seen))
        listed = requests.get(f"{cloud.url}/builds", auth=("demo", "demo"), timeout=10).json()
        other = listed["items"][0]["id"]
        attach(shop.service.ledger, held.id, other)
        done = shop.wait("part.stl", lambda seen: seen.state is State.DISPATCHED and seen.step is None)
        assert done.build_id == other


def test_two_files_of_one_name_are_two_submissions_and_nothing_is_overwritten(open_shop: Open) -> None:
    shop = open_shop()
    shop.drop("a.stl", box(10))
    shop.wait("a.stl")
    shop.drop("a.stl", box(11))
    shop.wait("a.stl", lambda seen: seen.id == 2 and seen.state is State.DISPATCHED and seen.step is None)
    assert shop.stls() == {"done/a.stl", "done/a (2).stl"}


@pytest.mark.parametrize("kind", ["cut_before", "cut_after"])
def test_a_lost_reply_never_sends_twice_and_never_loses(open_shop: Open, kind: str) -> None:
    shop = open_shop(request_timeout_seconds=0.5)
    shop.cloud.fault("sendBuildToJobRequestQueue", kind)
    shop.drop("part.stl", box())
    done = shop.wait("part.stl", lambda seen: seen.state is State.DISPATCHED and seen.step is None)
    sent_once(shop, done)
    found = "found in the cloud" in shop.history("part.stl")[-1].detail
    assert found == (kind == "cut_after")


def test_a_reply_that_times_out_without_a_trace_is_for_a_person(open_shop: Open) -> None:
    shop = open_shop(request_timeout_seconds=0.5)
    shop.cloud.fault("sendBuildToJobRequestQueue", "delay", delay_seconds=60)
    shop.drop("part.stl", box())
    held = shop.wait("part.stl")
    assert (held.state, held.hold) == (State.HELD, Hold.SEND)
    assert held.reason is not None
    assert held.reason.startswith("Outcome unknown after 1 attempt(s): the reply was lost")
    assert shop.cloud.dispatches() == {}
    retry(shop.service.ledger, held.id)
    done = shop.wait("part.stl", lambda seen: seen.state is State.DISPATCHED and seen.step is None)
    sent_once(shop, done)


@pytest.mark.parametrize(
    "operation", ["uploadStl", "getSliceStatus", "listBuilds", "sendBuildToJobRequestQueue"]
)
def test_a_cloud_that_fails_for_a_while_is_waited_out(open_shop: Open, operation: str) -> None:
    shop = open_shop(request_timeout_seconds=0.5)
    shop.cloud.fault(operation, "status", times=2, status=503)
    shop.drop("part.stl", box())
    done = shop.wait("part.stl", lambda seen: seen.state is State.DISPATCHED and seen.step is None, limit=40)
    sent_once(shop, done)


def test_a_refused_upload_is_held_with_the_clouds_words(open_shop: Open) -> None:
    shop = open_shop()
    shop.cloud.fault("uploadStl", "status", status=400)
    shop.drop("part.stl", box())
    held = shop.wait("part.stl")
    assert (held.state, held.hold) == (State.HELD, Hold.UPLOAD)
    assert held.reason is not None
    assert held.reason.startswith("400: ")


def test_a_slice_job_that_ends_badly_is_held(open_shop: Open) -> None:
    with simulated(slice_seconds=3600) as cloud:
        shop = open_shop(cloud, slice_limit_seconds=0.5)
        shop.drop("part.stl", box())
        held = shop.wait("part.stl")
        assert (held.state, held.hold) == (State.HELD, Hold.SLICE)
        assert held.reason is not None
        assert held.reason.startswith("Eiger did not slice the part (")


def test_what_a_former_run_left_goes_on(tmp_path: Path) -> None:
    from tests.pipeline.conftest import opened

    with simulated(slice_seconds=1) as cloud:
        with opened(tmp_path, cloud) as shop:
            shop.drop("part.stl", box())
            shop.wait("part.stl", lambda seen: seen.state is State.SLICING)
        with opened(tmp_path, cloud) as shop:
            done = shop.wait("part.stl", lambda seen: seen.state is State.DISPATCHED and seen.step is None)
            sent_once(shop, done)
            assert shop.stls() == {"done/part.stl"}
