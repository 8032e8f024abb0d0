"""What Eiger took a part for is read before it is sent, on every way to a printer."""

from pathlib import Path

import pytest
import requests

from tests.cloud import Cloud, simulated
from tests.pipeline.conftest import Open, Shop, dispatched, held, opened, written
from tests.stl import box
from workflow.cli.watch import is_at_rest
from workflow.eiger import make_client
from workflow.errors import SettingsError
from workflow.model import HoldReason, Step, Submission, SubmissionState
from workflow.pipeline.commands import attach_build, cancel_submission, release_submission, retry_submission
from workflow.pipeline.context import now


def assert_held(context: Shop, submission: Submission) -> None:
    assert (submission.hold, context.sent(submission)) == (HoldReason.UNITS, 0), submission.reason


def sent_by_a_shop_that_means_inches(folder: Path, cloud: Cloud) -> Submission:
    with opened(folder, cloud, reuse_builds=True, accepted_units="in") as context:
        context.drop("a.stl", box())
        return context.wait("a.stl", dispatched)


def test_a_part_taken_for_inches_is_held_with_both_sizes(open_shop: Open) -> None:
    with simulated(units="in") as cloud:
        context = open_shop(cloud)
        context.drop("a.stl", box(20, 10, 5))
        submission = context.wait("a.stl", held)
        assert_held(context, submission)
        assert submission.reason == (
            "Eiger took this part for in: 508.0 × 254.0 × 127.0 mm. "
            "In mm at scale 1, the file is 20.0 × 10.0 × 5.0 mm. "
            "In Eiger, set Preferred units to mm (My Profile of the part's owner) and the part's scale to 1. "
            "Then retry: the part is uploaded again. "
            'If all such parts are meant so: accepted_units = "mm, in".'
        )
        note = context.note("held/a.stl")
        assert "Taken as  in, by Eiger" in note
        assert f"If that size is meant: `stlflow release {submission.id}`." in note


@pytest.mark.parametrize(
    ("units", "scale", "words"),
    [("mm", 25.4, "mm at scale 25.4: 508.0"), ("Furlongs", 1.0, "furlongs: a size")],
)
def test_scales_and_unknown_units_are_held(open_shop: Open, units: str, scale: float, words: str) -> None:
    with simulated(units=units, scale=scale) as cloud:
        context = open_shop(cloud)
        context.drop("a.stl", box())
        submission = context.wait("a.stl", held)
        assert_held(context, submission)
        assert words in (submission.reason or "")


@pytest.mark.parametrize(
    ("units", "words"), [("Millimeters", "Taken as  mm, by Eiger"), ("mm", "Taken as  mm")]
)
def test_mm_goes_on_and_the_note_says_so(open_shop: Open, units: str, words: str) -> None:
    with simulated(units=units) as cloud:
        context = open_shop(cloud)
        context.drop("a.stl", box())
        context.wait("a.stl", dispatched)
        assert words in context.note("done/a.stl")


def test_a_unit_that_is_not_told_is_not_wrong_and_not_spoken_of(open_shop: Open) -> None:
    with simulated(units="in", quirks=frozenset({"no-units"})) as cloud:
        context = open_shop(cloud)
        context.drop("a.stl", box())
        assert context.wait("a.stl", dispatched).taken_as == ""
        assert "Taken as" not in context.note("done/a.stl")


def test_a_shop_that_means_inches_says_so(open_shop: Open) -> None:
    with simulated(units="in") as cloud:
        context = open_shop(cloud, accepted_units="mm, inch")
        context.drop("a.stl", box())
        context.wait("a.stl", dispatched)
        assert "Taken as  in, by Eiger" in context.note("done/a.stl")


def test_a_setting_without_sense_stops_the_start(open_shop: Open) -> None:
    with pytest.raises(SettingsError, match="accepted_units: 'inhc' is no unit: did you mean inch"):
        open_shop(accepted_units="inhc")


def test_release_sends_this_one_and_no_other(open_shop: Open) -> None:
    with simulated(units="in") as cloud:
        context = open_shop(cloud)
        context.drop("a.stl", box(21))
        context.drop("b.stl", box(22))
        released, other = context.wait("a.stl", held), context.wait("b.stl", held)
        release_submission(context.service.ledger, released.id)
        sent = context.wait("a.stl", dispatched)
        assert (context.sent(sent), sent.part_version_id) == (1, released.part_version_id)
        assert "Taken as  in, by Eiger" in context.note("done/a.stl")
        assert_held(context, context.wait("b.stl", held))
        assert context.submission("b.stl") == other


def test_a_release_outlasts_a_rule_that_holds(open_shop: Open, tmp_path: Path) -> None:
    look = written(
        tmp_path,
        "version: 1\nintake: [{name: all, preset: Onyx}]\n"
        "routing: [{name: look, when: {path: a.stl}, hold: Look.}, {name: all, send_to: backlog}]\n",
    )
    with simulated(units="in") as cloud:
        context = open_shop(cloud, rules=look)
        context.drop("a.stl", box())
        number = context.wait("a.stl", held).id
        release_submission(context.service.ledger, number)
        context.wait("a.stl", lambda each: held(each) and each.hold is HoldReason.ROUTE)
        retry_submission(context.service.ledger, number)
        context.wait("a.stl", lambda each: held(each) and each.hold is HoldReason.ROUTE)
        release_submission(context.service.ledger, number)
        context.wait("a.stl", dispatched)


def test_retry_uploads_again_once_the_unit_is_put_right(open_shop: Open) -> None:
    with simulated(units="in") as cloud:
        context = open_shop(cloud, reuse_builds=True)
        context.drop("a.stl", box())
        wrong = context.wait("a.stl", held)
        cloud.take_parts_for("mm")
        retry_submission(context.service.ledger, wrong.id)
        right = context.wait("a.stl", dispatched)
        assert right.part_version_id != wrong.part_version_id
        assert context.sent(wrong) == 0
        assert "Taken as  mm, by Eiger" in context.note("done/a.stl")


def test_canceled_and_taken_up_again_it_is_held_again(open_shop: Open) -> None:
    with simulated(units="in") as cloud:
        context = open_shop(cloud)
        context.drop("a.stl", box())
        number = context.wait("a.stl", held).id
        cancel_submission(context.service.ledger, number)
        context.wait("a.stl", lambda each: each.state is SubmissionState.CANCELED and is_at_rest(each))
        retry_submission(context.service.ledger, number)
        assert_held(context, context.wait("a.stl", held))


def test_a_step_that_is_done_again_after_a_crash_sends_nothing(open_shop: Open) -> None:
    with simulated(units="in") as cloud:
        context = open_shop(cloud)
        context.drop("a.stl", box())
        submission = context.wait("a.stl", held)
        begun = context.service.ledger.schedule_next_step(submission, Step.DELIVER, now())
        again = context.wait("a.stl", lambda each: each.turn > begun.turn and held(each))
        assert_held(context, again)


@pytest.mark.parametrize("quirk", ["other-titles", "one-part"])
def test_builds_of_other_titles_and_parts_with_several_versions(open_shop: Open, quirk: str) -> None:
    with simulated(quirks=frozenset({quirk})) as cloud:
        context = open_shop(cloud)
        context.drop("a.stl", box(21))
        first = context.wait("a.stl", dispatched)
        cloud.take_parts_for("in")
        context.drop("b.stl", box(22))
        second = context.wait("b.stl", held)
        assert_held(context, second)
        assert first.build_id != second.build_id
        with make_client(context.settings) as client:
            versions = [client.read_part_version(each.part_version_id or "") for each in (first, second)]
        assert (versions[0].part_id == versions[1].part_id) == (quirk == "one-part")


def test_a_build_attached_by_hand_is_read_too(open_shop: Open) -> None:
    with simulated(units="in", builds="manual") as cloud:
        context = open_shop(cloud, build_wait_seconds=0)
        context.drop("a.stl", box())
        waits = context.wait("a.stl", held)
        assert waits.hold is HoldReason.BUILD
        build = cloud.make_build(waits.part_version_id or "")
        attach_build(context.service.ledger, waits.id, build)
        refused = context.wait("a.stl", lambda each: held(each) and each.hold is HoldReason.UNITS)
        assert_held(context, refused)
        release_submission(context.service.ledger, waits.id)
        assert context.wait("a.stl", dispatched).build_id == build


def test_a_release_does_not_count_for_the_build_that_is_attached_after_it(
    open_shop: Open, tmp_path: Path
) -> None:
    rules = written(
        tmp_path,
        "version: 1\nintake: [{name: all, preset: Onyx}]\nrouting: [{name: look, hold: Look.}]\n",
    )
    with simulated(units="in") as cloud:
        context = open_shop(cloud, rules=rules)
        context.drop("a.stl", box())
        first = context.wait("a.stl", held)
        release_submission(context.service.ledger, first.id)
        context.wait("a.stl", lambda each: held(each) and each.hold is HoldReason.ROUTE)
        attach_build(context.service.ledger, first.id, cloud.make_build(first.part_version_id or ""))
        assert_held(context, context.wait("a.stl", lambda each: held(each) and each.hold is HoldReason.UNITS))


def test_another_part_on_the_same_bed_is_read_too(open_shop: Open) -> None:
    with simulated(units="mm", builds="manual") as cloud:
        context = open_shop(cloud, build_wait_seconds=0)
        context.drop("a.stl", box(21))
        ours = context.wait("a.stl", held).part_version_id
        cloud.take_parts_for("in")
        context.drop("b.stl", box(22))
        theirs = context.wait("b.stl", held).part_version_id
        bed = {"part_version_ids": [ours, theirs]}
        requests.post(f"{cloud.control}/builds", json=bed, timeout=60).raise_for_status()
        submission = context.wait("a.stl", lambda each: held(each) and each.hold is HoldReason.UNITS)
        assert_held(context, submission)
        assert "The build holds the part 'b~" in (submission.reason or "")
        assert "which Eiger took for in" in (submission.reason or "")


def test_an_upload_whose_reply_was_lost_is_read_too(open_shop: Open) -> None:
    with simulated(units="in") as cloud:
        cloud.fault("uploadStl", "cut_after")
        context = open_shop(cloud)
        context.drop("a.stl", box())
        submission = context.wait("a.stl", held)
        assert_held(context, submission)
        assert any("found in the cloud" in event.detail for event in context.history("a.stl"))


def test_a_reused_build_is_read_too_and_a_retry_uploads(open_shop: Open, tmp_path: Path) -> None:
    with simulated(units="in") as cloud:
        first = sent_by_a_shop_that_means_inches(tmp_path, cloud)
        context = open_shop(cloud, reuse_builds=True)
        context.drop("b.stl", box())
        again = context.wait("b.stl", held)
        assert (again.hold, again.build_id, again.reused) == (HoldReason.UNITS, first.build_id, first.id)
        cloud.take_parts_for("mm")
        retry_submission(context.service.ledger, again.id)
        assert context.wait("b.stl", dispatched).build_id != first.build_id
        assert context.sent(first) == 1


def test_a_part_that_eiger_has_no_more_is_judged_by_its_build(open_shop: Open, tmp_path: Path) -> None:
    with simulated(units="in") as cloud:
        first = sent_by_a_shop_that_means_inches(tmp_path, cloud)
        context = open_shop(cloud, reuse_builds=True)
        cloud.fault("readPartVersion", "status", times=50, status=404)
        context.drop("b.stl", box())
        assert context.wait("b.stl", held).hold is HoldReason.UNITS
        assert context.sent(first) == 1
