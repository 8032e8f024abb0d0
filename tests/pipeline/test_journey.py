"""Whole journeys over the real parts: share, ledger, engine and a simulated cloud over HTTP."""

import pytest

from tests.pipeline.conftest import Shop, dispatched, held
from tests.stl import box, open_box
from workflow.model import Destination, Hold, State
from workflow.pipeline.orders import cancel, release, retry

TALL = box(50, 50, 154)


def inches(x: float) -> bytes:
    return box(x, 0.5, 0.5)


def test_a_good_part_is_sent_once_and_its_file_is_done(shop: Shop) -> None:
    shop.drop("lab/bracket.stl", box())
    done = shop.wait("lab/bracket.stl")
    assert (done.state, done.preset, done.destination) == (State.DISPATCHED, "Onyx", Destination.JOB_REQUEST)
    assert (done.intake_rule, done.routing_rule) == ("everything else", "everything else")
    assert shop.sent(done) == 1
    assert shop.places("bracket.stl") == {"done/lab/bracket.stl"}
    assert [event.event for event in shop.history("lab/bracket.stl")] == [
        "claimed", "taken", "inspected", "decided", "uploading", "uploaded", "sliced", "build found",
        "routed", "sending", "dispatched",
    ]  # fmt: skip
    assert f"submission {done.id}" in shop.note("done/lab/bracket.stl")
    assert all(entry["authorized"] for entry in shop.cloud.journal())


def test_what_was_checked_is_what_was_sent(shop: Shop) -> None:
    shop.drop("checked.stl", box(21))
    done = shop.wait("checked.stl")
    sent = {version["id"]: version["sha256"] for version in shop.cloud.world()["part_versions"]}
    assert sent[done.part_version_id] == done.sha256


def test_a_spool_that_was_tidied_away_is_no_fault_of_the_file(shop: Shop) -> None:
    (shop.settings.state / "spool").rmdir()
    shop.drop("tidied.stl", box(29))
    assert shop.sent(shop.wait("tidied.stl", dispatched)) == 1


def test_a_long_print_waits_in_the_backlog_with_a_due_date(shop: Shop) -> None:
    shop.drop("tall.stl", TALL)
    done = shop.wait("tall.stl")
    assert (done.destination, done.routing_rule) == (Destination.BACKLOG, "long prints")
    assert done.due_date is not None


def test_a_rushed_part_goes_to_a_printer(shop: Shop) -> None:
    shop.drop("rush/clip.stl", box(22))
    done = shop.wait("rush/clip.stl")
    assert done.destination is Destination.DEVICE_QUEUE
    assert done.device is not None
    assert shop.sent(done) == 1


def test_a_bad_mesh_is_rejected_with_a_note_and_never_uploaded(shop: Shop) -> None:
    shop.drop("open.stl", open_box())
    rejected = shop.wait("open.stl")
    assert rejected.state is State.REJECTED
    assert rejected.reason is not None
    assert rejected.reason.startswith("3 open edges")
    assert "3 open edges" in shop.note("rejected/open.stl")
    assert shop.places("open.stl") == {"rejected/open.stl"}
    assert rejected.part_version_id is None


def test_a_rejected_file_that_was_mended_goes_on_by_retry(shop: Shop) -> None:
    shop.drop("mended.stl", open_box())
    rejected = shop.wait("mended.stl")
    (shop.share / "rejected" / "mended.stl").write_bytes(box(23))
    retry(shop.service.ledger, rejected.id)
    assert shop.sent(shop.wait("mended.stl", dispatched)) == 1
    assert shop.places("mended.stl") == {"done/mended.stl"}
    assert not (shop.share / "rejected" / "mended.stl.txt").exists()


def test_a_held_file_goes_on_when_a_person_releases_it(shop: Shop) -> None:
    shop.drop("small.stl", inches(1.0))
    waiting = shop.wait("small.stl", held)
    assert (waiting.hold, waiting.intake_rule) == (Hold.RULE, "looks like inches")
    assert shop.places("small.stl") == {"held/small.stl"}
    release(shop.service.ledger, waiting.id)
    assert shop.sent(shop.wait("small.stl", dispatched)) == 1
    assert shop.places("small.stl") == {"done/small.stl"}


def test_a_held_file_that_is_dragged_back_goes_on_as_a_new_submission(shop: Shop) -> None:
    shop.drop("tiny.stl", inches(1.1))
    first = shop.wait("tiny.stl", held)
    (shop.share / "held" / "tiny.stl").rename(shop.share / "inbox" / "again.stl")
    again = shop.wait("again.stl", held)
    first = shop.service.ledger.get(first.id)
    assert first.state is State.CANCELED
    assert first.reason == f"dragged back to the inbox: goes on as submission {again.id}"


def test_two_files_of_one_name_are_two_submissions_and_nothing_is_overwritten(shop: Shop) -> None:
    shop.drop("same.stl", box(10))
    first = shop.wait("same.stl", dispatched)
    shop.drop("same.stl", box(11))
    second = shop.wait("same.stl", lambda seen: seen.id != first.id and dispatched(seen))
    assert (shop.sent(first), shop.sent(second)) == (1, 1)
    places = {place: (shop.share / place).read_bytes() for place in ("done/same.stl", "done/same (2).stl")}
    assert places == {"done/same.stl": box(10), "done/same (2).stl": box(11)}


@pytest.mark.parametrize("kind", ["cut_before", "cut_after"])
def test_a_lost_reply_never_sends_twice_and_never_loses(shop: Shop, kind: str) -> None:
    shop.cloud.fault("sendBuildToJobRequestQueue", kind)
    shop.drop(f"{kind}.stl", box(24))
    done = shop.wait(f"{kind}.stl", dispatched)
    assert shop.sent(done) == 1
    found = "found in the cloud" in shop.history(f"{kind}.stl")[-1].detail
    assert found == (kind == "cut_after")


def test_a_reply_that_times_out_without_a_trace_is_for_a_person(shop: Shop) -> None:
    shop.cloud.fault("sendBuildToJobRequestQueue", "delay", delay_seconds=10)
    shop.drop("slow.stl", box(25))
    waiting = shop.wait("slow.stl", held)
    assert waiting.hold is Hold.SEND
    assert waiting.reason is not None
    assert waiting.reason.startswith("Outcome unknown after 1 attempt(s): the reply was lost")
    assert shop.sent(waiting) == 0
    retry(shop.service.ledger, waiting.id)
    assert shop.sent(shop.wait("slow.stl", dispatched)) == 1


def test_what_is_held_for_an_unknown_outcome_can_be_canceled_at_once(shop: Shop) -> None:
    shop.cloud.fault("sendBuildToJobRequestQueue", "delay", delay_seconds=10)
    shop.drop("left.stl", box(31))
    waiting = shop.wait("left.stl", held)
    cancel(shop.service.ledger, waiting.id)
    ended = shop.wait("left.stl", lambda seen: seen.state is State.CANCELED and seen.step is None)
    assert ended.reason == "Canceled by a person. Whether it was sent before is not known: look in Eiger."


@pytest.mark.parametrize(
    "operation", ["uploadStl", "getSliceStatus", "listBuilds", "sendBuildToJobRequestQueue"]
)
def test_a_cloud_that_fails_for_a_while_is_waited_out(shop: Shop, operation: str) -> None:
    shop.cloud.fault(operation, "status", times=1, status=503)
    shop.drop(f"{operation}.stl", box(26))
    assert shop.sent(shop.wait(f"{operation}.stl", dispatched)) == 1


def test_looks_that_fail_are_no_attempts_to_send(shop: Shop) -> None:
    shop.cloud.fault("listPrintJobs", "status", times=2, status=400)
    shop.drop("unseen.stl", box(27))
    for _ in range(2):
        retry(shop.service.ledger, shop.wait("unseen.stl", held).id)
    done = shop.wait("unseen.stl", dispatched)
    assert shop.sent(done) == 1
    assert "attempt 1" in next(
        event.detail for event in shop.history("unseen.stl") if event.event == "sending"
    )


def test_a_refused_upload_is_held_with_the_clouds_words(shop: Shop) -> None:
    shop.cloud.fault("uploadStl", "status", status=400)
    shop.drop("refused.stl", box(28))
    waiting = shop.wait("refused.stl", held)
    assert waiting.hold is Hold.UPLOAD
    assert waiting.reason is not None
    assert waiting.reason.startswith("400: ")
