"""What Eiger took a part for is read before it is sent, on every way to a printer."""

from pathlib import Path

import pytest
import requests

from tests.cloud import Cloud, simulated
from tests.pipeline.conftest import Open, Shop, dispatched, held, opened, written
from tests.stl import box
from workflow.cli.watching import at_rest
from workflow.eiger import make_client
from workflow.errors import SettingsError
from workflow.model import Hold, State, Step, Submission
from workflow.pipeline.clock import now
from workflow.pipeline.orders import attach, cancel, release, retry


def assert_held(shop: Shop, submission: Submission) -> None:
    assert (submission.hold, shop.sent(submission)) == (Hold.UNITS, 0), submission.reason


def sent_by_a_shop_that_means_inches(folder: Path, cloud: Cloud) -> Submission:
    with opened(folder, cloud, reuse_builds=True, accepted_units="in") as shop:
        shop.drop("a.stl", box())
        return shop.wait("a.stl", dispatched)


def test_a_part_taken_for_inches_is_held_with_both_sizes(open_shop: Open) -> None:
    with simulated(units="in") as cloud:
        shop = open_shop(cloud)
        shop.drop("a.stl", box(20, 10, 5))
        submission = shop.wait("a.stl", held)
        assert_held(shop, submission)
        assert submission.reason == (
            "Eiger took this part for in: 508.0 × 254.0 × 127.0 mm. "
            "In mm at scale 1, the file is 20.0 × 10.0 × 5.0 mm. "
            "In Eiger, set Preferred units to mm (My Profile of the part's owner) and the part's scale to 1. "
            "Then retry: the part is uploaded again. "
            'If all such parts are meant so: accepted_units = "mm, in".'
        )
        note = shop.note("held/a.stl")
        assert "Taken as  in, by Eiger" in note
        assert f"If that size is meant: `stlflow release {submission.id}`." in note


@pytest.mark.parametrize(
    ("units", "scale", "words"),
    [("mm", 25.4, "mm at scale 25.4: 508.0"), ("Furlongs", 1.0, "furlongs: a size")],
)
def test_scales_and_unknown_units_are_held(open_shop: Open, units: str, scale: float, words: str) -> None:
    with simulated(units=units, scale=scale) as cloud:
        shop = open_shop(cloud)
        shop.drop("a.stl", box())
        submission = shop.wait("a.stl", held)
        assert_held(shop, submission)
        assert words in (submission.reason or "")


@pytest.mark.parametrize(
    ("units", "words"), [("Millimeters", "Taken as  mm, by Eiger"), ("mm", "Taken as  mm")]
)
def test_mm_goes_on_and_the_note_says_so(open_shop: Open, units: str, words: str) -> None:
    with simulated(units=units) as cloud:
        shop = open_shop(cloud)
        shop.drop("a.stl", box())
        shop.wait("a.stl", dispatched)
        assert words in shop.note("done/a.stl")


def test_a_unit_that_is_not_told_is_not_wrong_and_not_spoken_of(open_shop: Open) -> None:
    with simulated(units="in", quirks=frozenset({"no-units"})) as cloud:
        shop = open_shop(cloud)
        shop.drop("a.stl", box())
        assert shop.wait("a.stl", dispatched).taken_as == ""
        assert "Taken as" not in shop.note("done/a.stl")


def test_a_shop_that_means_inches_says_so(open_shop: Open) -> None:
    with simulated(units="in") as cloud:
        shop = open_shop(cloud, accepted_units="mm, inch")
        shop.drop("a.stl", box())
        shop.wait("a.stl", dispatched)
        assert "Taken as  in, by Eiger" in shop.note("done/a.stl")


def test_a_setting_without_sense_stops_the_start(open_shop: Open) -> None:
    with pytest.raises(SettingsError, match="accepted_units: 'inhc' is no unit: did you mean inch"):
        open_shop(accepted_units="inhc")


def test_release_sends_this_one_and_no_other(open_shop: Open) -> None:
    with simulated(units="in") as cloud:
        shop = open_shop(cloud)
        shop.drop("a.stl", box(21))
        shop.drop("b.stl", box(22))
        released, other = shop.wait("a.stl", held), shop.wait("b.stl", held)
        release(shop.service.ledger, released.id)
        sent = shop.wait("a.stl", dispatched)
        assert (shop.sent(sent), sent.part_version_id) == (1, released.part_version_id)
        assert "Taken as  in, by Eiger" in shop.note("done/a.stl")
        assert_held(shop, shop.wait("b.stl", held))
        assert shop.submission("b.stl") == other


def test_a_release_outlasts_a_rule_that_holds(open_shop: Open, tmp_path: Path) -> None:
    look = written(
        tmp_path,
        "version: 1\nintake: [{name: all, preset: Onyx}]\n"
        "routing: [{name: look, when: {path: a.stl}, hold: Look.}, {name: all, send_to: backlog}]\n",
    )
    with simulated(units="in") as cloud:
        shop = open_shop(cloud, rules=look)
        shop.drop("a.stl", box())
        number = shop.wait("a.stl", held).id
        release(shop.service.ledger, number)
        shop.wait("a.stl", lambda each: held(each) and each.hold is Hold.ROUTE)
        retry(shop.service.ledger, number)
        shop.wait("a.stl", lambda each: held(each) and each.hold is Hold.ROUTE)
        release(shop.service.ledger, number)
        shop.wait("a.stl", dispatched)


def test_retry_uploads_again_once_the_unit_is_put_right(open_shop: Open) -> None:
    with simulated(units="in") as cloud:
        shop = open_shop(cloud, reuse_builds=True)
        shop.drop("a.stl", box())
        wrong = shop.wait("a.stl", held)
        cloud.take_parts_for("mm")
        retry(shop.service.ledger, wrong.id)
        right = shop.wait("a.stl", dispatched)
        assert right.part_version_id != wrong.part_version_id
        assert shop.sent(wrong) == 0
        assert "Taken as  mm, by Eiger" in shop.note("done/a.stl")


def test_canceled_and_taken_up_again_it_is_held_again(open_shop: Open) -> None:
    with simulated(units="in") as cloud:
        shop = open_shop(cloud)
        shop.drop("a.stl", box())
        number = shop.wait("a.stl", held).id
        cancel(shop.service.ledger, number)
        shop.wait("a.stl", lambda each: each.state is State.CANCELED and at_rest(each))
        retry(shop.service.ledger, number)
        assert_held(shop, shop.wait("a.stl", held))


def test_a_step_that_is_done_again_after_a_crash_sends_nothing(open_shop: Open) -> None:
    with simulated(units="in") as cloud:
        shop = open_shop(cloud)
        shop.drop("a.stl", box())
        submission = shop.wait("a.stl", held)
        begun = shop.service.ledger.next_turn(submission, Step.DELIVER, now())
        again = shop.wait("a.stl", lambda each: each.turn > begun.turn and held(each))
        assert_held(shop, again)


@pytest.mark.parametrize("quirk", ["other-titles", "one-part"])
def test_builds_of_other_titles_and_parts_with_several_versions(open_shop: Open, quirk: str) -> None:
    with simulated(quirks=frozenset({quirk})) as cloud:
        shop = open_shop(cloud)
        shop.drop("a.stl", box(21))
        first = shop.wait("a.stl", dispatched)
        cloud.take_parts_for("in")
        shop.drop("b.stl", box(22))
        second = shop.wait("b.stl", held)
        assert_held(shop, second)
        assert first.build_id != second.build_id
        with make_client(shop.settings) as client:
            versions = [client.read_part_version(each.part_version_id or "") for each in (first, second)]
        assert (versions[0].part_id == versions[1].part_id) == (quirk == "one-part")


def test_a_build_attached_by_hand_is_read_too(open_shop: Open) -> None:
    with simulated(units="in", builds="manual") as cloud:
        shop = open_shop(cloud, build_wait_seconds=0)
        shop.drop("a.stl", box())
        waits = shop.wait("a.stl", held)
        assert waits.hold is Hold.BUILD
        build = cloud.make_build(waits.part_version_id or "")
        attach(shop.service.ledger, waits.id, build)
        refused = shop.wait("a.stl", lambda each: held(each) and each.hold is Hold.UNITS)
        assert_held(shop, refused)
        release(shop.service.ledger, waits.id)
        assert shop.wait("a.stl", dispatched).build_id == build


def test_a_release_does_not_count_for_the_build_that_is_attached_after_it(
    open_shop: Open, tmp_path: Path
) -> None:
    rules = written(
        tmp_path,
        "version: 1\nintake: [{name: all, preset: Onyx}]\nrouting: [{name: look, hold: Look.}]\n",
    )
    with simulated(units="in") as cloud:
        shop = open_shop(cloud, rules=rules)
        shop.drop("a.stl", box())
        first = shop.wait("a.stl", held)
        release(shop.service.ledger, first.id)
        shop.wait("a.stl", lambda each: held(each) and each.hold is Hold.ROUTE)
        attach(shop.service.ledger, first.id, cloud.make_build(first.part_version_id or ""))
        assert_held(shop, shop.wait("a.stl", lambda each: held(each) and each.hold is Hold.UNITS))


def test_another_part_on_the_same_bed_is_read_too(open_shop: Open) -> None:
    with simulated(units="mm", builds="manual") as cloud:
        shop = open_shop(cloud, build_wait_seconds=0)
        shop.drop("a.stl", box(21))
        ours = shop.wait("a.stl", held).part_version_id
        cloud.take_parts_for("in")
        shop.drop("b.stl", box(22))
        theirs = shop.wait("b.stl", held).part_version_id
        bed = {"part_version_ids": [ours, theirs]}
        requests.post(f"{cloud.control}/builds", json=bed, timeout=10).raise_for_status()
        submission = shop.wait("a.stl", lambda each: held(each) and each.hold is Hold.UNITS)
        assert_held(shop, submission)
        assert "The build holds the part 'b~" in (submission.reason or "")
        assert "which Eiger took for in" in (submission.reason or "")


def test_an_upload_whose_reply_was_lost_is_read_too(open_shop: Open) -> None:
    with simulated(units="in") as cloud:
        cloud.fault("uploadStl", "cut_after")
        shop = open_shop(cloud)
        shop.drop("a.stl", box())
        submission = shop.wait("a.stl", held)
        assert_held(shop, submission)
        assert any("found in the cloud" in event.detail for event in shop.history("a.stl"))


def test_a_reused_build_is_read_too_and_a_retry_uploads(open_shop: Open, tmp_path: Path) -> None:
    with simulated(units="in") as cloud:
        first = sent_by_a_shop_that_means_inches(tmp_path, cloud)
        shop = open_shop(cloud, reuse_builds=True)
        shop.drop("b.stl", box())
        again = shop.wait("b.stl", held)
        assert (again.hold, again.build_id, again.reused) == (Hold.UNITS, first.build_id, first.id)
        cloud.take_parts_for("mm")
        retry(shop.service.ledger, again.id)
        assert shop.wait("b.stl", dispatched).build_id != first.build_id
        assert shop.sent(first) == 1


def test_a_part_that_eiger_has_no_more_is_judged_by_its_build(open_shop: Open, tmp_path: Path) -> None:
    with simulated(units="in") as cloud:
        first = sent_by_a_shop_that_means_inches(tmp_path, cloud)
        shop = open_shop(cloud, reuse_builds=True)
        cloud.fault("readPartVersion", "status", times=50, status=404)
        shop.drop("b.stl", box())
        assert shop.wait("b.stl", held).hold is Hold.UNITS
        assert shop.sent(first) == 1
