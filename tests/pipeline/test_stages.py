"""Whole journeys over the real parts: share, ledger, engine and a simulated cloud over HTTP."""

import pytest

from tests.pipeline.conftest import Shop, dispatched, held
from tests.stl import binary, box, box_facets, open_box
from workflow.model import Destination, HoldReason, SubmissionState
from workflow.pipeline.commands import cancel_submission, release_submission, retry_submission

TALL = box(50, 50, 154)


def inches(x: float) -> bytes:
    return box(x, 0.5, 0.5)


def test_a_good_part_is_sent_once_and_its_file_is_done(context: Shop) -> None:
    context.drop("lab/bracket.stl", box())
    done = context.wait("lab/bracket.stl")
    assert (done.state, done.preset, done.destination) == (
        SubmissionState.DISPATCHED,
        "Onyx",
        Destination.JOB_REQUEST,
    )
    assert (done.intake_rule, done.routing_rule) == ("everything else", "everything else")
    assert context.sent(done) == 1
    assert context.places("bracket.stl") == {"done/lab/bracket.stl"}
    assert [event.event for event in context.history("lab/bracket.stl")] == [
        "claimed", "taken", "inspected", "decided", "uploading", "uploaded", "sliced", "build found",
        "routed", "sending", "dispatched",
    ]  # fmt: skip
    assert f"submission {done.id}" in context.note("done/lab/bracket.stl")
    assert all(entry["authorized"] for entry in context.cloud.journal())


def test_what_was_checked_is_what_was_sent(context: Shop) -> None:
    context.drop("checked.stl", box(21))
    done = context.wait("checked.stl")
    sent = {version["id"]: version["sha256"] for version in context.cloud.world()["part_versions"]}
    assert sent[done.part_version_id] == done.sha256


def test_a_spool_that_was_tidied_away_is_no_fault_of_the_file(context: Shop) -> None:
    (context.settings.state / "spool").rmdir()
    context.drop("tidied.stl", box(29))
    assert context.sent(context.wait("tidied.stl", dispatched)) == 1


def test_a_long_print_waits_in_the_backlog_with_a_due_date(context: Shop) -> None:
    context.drop("tall.stl", TALL)
    done = context.wait("tall.stl")
    assert (done.destination, done.routing_rule) == (Destination.BACKLOG, "long prints")
    assert done.due_date is not None


def test_a_rushed_part_goes_to_a_printer(context: Shop) -> None:
    context.drop("rush/clip.stl", box(22))
    done = context.wait("rush/clip.stl")
    assert done.destination is Destination.DEVICE_QUEUE
    assert done.device is not None
    assert context.sent(done) == 1


def test_an_open_mesh_is_held_with_a_note_and_never_uploaded(context: Shop) -> None:
    context.drop("open.stl", open_box())
    submission = context.wait("open.stl")
    assert (submission.state, submission.hold) == (SubmissionState.HELD, HoldReason.MESH)
    assert submission.reason is not None
    assert submission.reason in context.note("held/open.stl")
    assert f"To print it as it is: `stlflow release {submission.id}`." in context.note("held/open.stl")
    assert context.places("open.stl") == {"held/open.stl"}
    assert submission.part_version_id is None


def test_a_released_mesh_goes_on_and_its_rule_is_asked(context: Shop) -> None:
    """Releasing the rule's hold does not bring the hold of the mesh back."""
    context.drop("tiny and open.stl", binary(box_facets(1, 1, 1)[:-1]))
    ledger = context.service.ledger
    first = context.wait("tiny and open.stl")
    assert first.hold is HoldReason.MESH
    release_submission(ledger, first.id)
    ruled = context.wait("tiny and open.stl", lambda one: held(one) and one.hold is HoldReason.RULE)
    release_submission(ledger, first.id)
    context.wait("tiny and open.stl", lambda one: one.part_version_id is not None)
    assert ruled.mesh is not None
    assert ruled.mesh.verdict == "hold"


def test_a_retry_inspects_a_held_mesh_again(context: Shop) -> None:
    context.drop("open twice.stl", open_box(25))
    first = context.wait("open twice.stl")
    retry_submission(context.service.ledger, first.id)
    again = context.wait("open twice.stl", lambda one: held(one) and one.turn > first.turn)
    assert again.hold is HoldReason.MESH


def test_a_rejected_file_that_was_mended_goes_on_by_retry(context: Shop) -> None:
    context.drop("mended.stl", box()[:-20])
    rejected = context.wait("mended.stl")
    (context.share / "rejected" / "mended.stl").write_bytes(box(23))
    retry_submission(context.service.ledger, rejected.id)
    assert context.sent(context.wait("mended.stl", dispatched)) == 1
    assert context.places("mended.stl") == {"done/mended.stl"}
    assert not (context.share / "rejected" / "mended.stl.txt").exists()


def test_a_held_file_goes_on_when_a_person_releases_it(context: Shop) -> None:
    context.drop("small.stl", inches(1.0))
    waiting = context.wait("small.stl", held)
    assert (waiting.hold, waiting.intake_rule) == (HoldReason.RULE, "unit in doubt")
    assert context.places("small.stl") == {"held/small.stl"}
    release_submission(context.service.ledger, waiting.id)
    assert context.sent(context.wait("small.stl", dispatched)) == 1
    assert context.places("small.stl") == {"done/small.stl"}


def test_a_release_lasts_when_the_file_is_copied_again(context: Shop) -> None:
    """Another machine that takes over has no private copy: what was decided about these bytes stays."""
    context.drop("copied again.stl", inches(1.2))
    waiting = context.wait("copied again.stl", held)
    context.cloud.fault("uploadStl", "cut_before")
    release_submission(context.service.ledger, waiting.id)
    lost = context.wait("copied again.stl", lambda one: one.due_at is not None and one.tries > 0)
    assert lost.intake_rule == "everything else"
    (context.settings.state / "spool" / f"{lost.id}.stl").unlink()
    ended = context.wait("copied again.stl", lambda one: held(one) or dispatched(one))
    assert (ended.state, ended.reason) == (SubmissionState.DISPATCHED, None)
    assert [event.event for event in context.history("copied again.stl")].count("taken") == 3


def test_a_held_file_that_is_dragged_back_goes_on_as_a_new_submission(context: Shop) -> None:
    context.drop("tiny.stl", inches(1.1))
    first = context.wait("tiny.stl", held)
    (context.share / "held" / "tiny.stl").rename(context.share / "inbox" / "again.stl")
    again = context.wait("again.stl", held)
    first = context.service.ledger.get(first.id)
    assert first.state is SubmissionState.CANCELED
    assert first.reason == f"dragged back to the inbox: goes on as submission {again.id}"


def test_two_files_of_one_name_are_two_submissions_and_nothing_is_overwritten(context: Shop) -> None:
    context.drop("same.stl", box(10))
    first = context.wait("same.stl", dispatched)
    context.drop("same.stl", box(11))
    second = context.wait("same.stl", lambda seen: seen.id != first.id and dispatched(seen))
    assert (context.sent(first), context.sent(second)) == (1, 1)
    places = {place: (context.share / place).read_bytes() for place in ("done/same.stl", "done/same (2).stl")}
    assert places == {"done/same.stl": box(10), "done/same (2).stl": box(11)}


@pytest.mark.parametrize("kind", ["cut_before", "cut_after"])
def test_a_lost_reply_never_sends_twice_and_never_loses(context: Shop, kind: str) -> None:
    context.cloud.fault("sendBuildToJobRequestQueue", kind)
    context.drop(f"{kind}.stl", box(24))
    done = context.wait(f"{kind}.stl", dispatched)
    assert context.sent(done) == 1
    found = "found in the cloud" in context.history(f"{kind}.stl")[-1].detail
    assert found == (kind == "cut_after")


def test_a_reply_that_times_out_without_a_trace_is_for_a_person(context: Shop) -> None:
    context.cloud.fault("sendBuildToJobRequestQueue", "delay", delay_seconds=10)
    context.drop("slow.stl", box(25))
    waiting = context.wait("slow.stl", held)
    assert waiting.hold is HoldReason.SEND
    assert waiting.reason is not None
    assert waiting.reason.startswith("Outcome unknown after 1 attempt(s): the reply was lost")
    assert context.sent(waiting) == 0
    retry_submission(context.service.ledger, waiting.id)
    assert context.sent(context.wait("slow.stl", dispatched)) == 1


def test_what_is_held_for_an_unknown_outcome_can_be_canceled_at_once(context: Shop) -> None:
    context.cloud.fault("sendBuildToJobRequestQueue", "delay", delay_seconds=10)
    context.drop("left.stl", box(31))
    waiting = context.wait("left.stl", held)
    cancel_submission(context.service.ledger, waiting.id)
    ended = context.wait(
        "left.stl", lambda seen: seen.state is SubmissionState.CANCELED and seen.step is None
    )
    assert ended.reason == "Canceled by a person. Whether it was sent before is not known: look in Eiger."


@pytest.mark.parametrize(
    "operation", ["uploadStl", "getSliceStatus", "listBuilds", "sendBuildToJobRequestQueue"]
)
def test_a_cloud_that_fails_for_a_while_is_waited_out(context: Shop, operation: str) -> None:
    context.cloud.fault(operation, "status", times=1, status=503)
    context.drop(f"{operation}.stl", box(26))
    assert context.sent(context.wait(f"{operation}.stl", dispatched)) == 1


def test_looks_that_fail_are_no_attempts_to_send(context: Shop) -> None:
    context.cloud.fault("listPrintJobs", "status", times=2, status=400)
    context.drop("unseen.stl", box(27))
    for _ in range(2):
        retry_submission(context.service.ledger, context.wait("unseen.stl", held).id)
    done = context.wait("unseen.stl", dispatched)
    assert context.sent(done) == 1
    assert "attempt 1" in next(
        event.detail for event in context.history("unseen.stl") if event.event == "sending"
    )


def test_a_refused_upload_is_held_with_the_clouds_words(context: Shop) -> None:
    context.cloud.fault("uploadStl", "status", status=400)
    context.drop("refused.stl", box(28))
    waiting = context.wait("refused.stl", held)
    assert waiting.hold is HoldReason.UPLOAD
    assert waiting.reason is not None
    assert waiting.reason.startswith("400: ")
