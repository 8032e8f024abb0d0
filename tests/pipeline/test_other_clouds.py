"""Journeys that need a cloud or a service of their own."""

from pathlib import Path

import pytest
import requests

from tests.cloud import simulated
from tests.pipeline.conftest import Open, dispatched, held, opened
from tests.stl import box
from workflow.errors import WrongSubmissionState
from workflow.model import HoldReason, SubmissionState
from workflow.operations import check_build_holds_part
from workflow.pipeline.commands import attach_build, cancel_submission


def test_a_canceled_submission_is_never_sent(open_shop: Open) -> None:
    with simulated(slice_seconds=3600) as cloud:
        context = open_shop(cloud)
        context.drop("part.stl", box())
        slicing = context.wait("part.stl", lambda seen: seen.state is SubmissionState.SLICING)
        cancel_submission(context.service.ledger, slicing.id)
        assert context.wait("part.stl").state is SubmissionState.CANCELED
        assert context.places("part.stl") == {"rejected/part.stl"}
        assert cloud.dispatches() == {}


def test_a_missing_build_is_held_and_found_once_a_person_makes_it(open_shop: Open) -> None:
    with simulated(builds="manual") as cloud:
        context = open_shop(cloud)
        context.drop("part.stl", box())
        waiting = context.wait("part.stl", held)
        assert waiting.hold is HoldReason.BUILD
        assert f"stlflow attach {waiting.id} BUILD" in context.note("held/part.stl")
        build = cloud.make_build(str(waiting.part_version_id))
        done = context.wait("part.stl", dispatched)
        assert done.build_id == build
        assert context.sent(done) == 1
        assert context.places("part.stl") == {"done/part.stl"}


def test_a_build_of_another_version_of_the_part_is_named_in_the_hold(open_shop: Open) -> None:
    with simulated(builds="manual", quirks=frozenset({"one-part"})) as cloud:
        context = open_shop(cloud, build_wait_seconds=0.0)
        context.drop("part.stl", box())
        first = context.wait("part.stl", held)
        build = cloud.make_build(str(first.part_version_id))
        context.wait("part.stl", dispatched)
        context.drop("second.stl", box(21))
        waiting = context.wait("second.stl", held)
        title = next(each["title"] for each in cloud.world()["builds"] if each["id"] == build)
        seen = f"Build {title} ({build}) holds version 1 of the part; this file is version 2."
        assert seen in (waiting.reason or "")
        assert seen in context.note("held/second.stl")


def test_a_build_can_be_named_by_hand(open_shop: Open) -> None:
    with simulated(builds="manual") as cloud:
        context = open_shop(cloud, build_wait_seconds=0.0)
        context.drop("part.stl", box())
        waiting = context.wait("part.stl", held)
        listed = requests.get(f"{cloud.url}/builds", auth=("demo", "demo"), timeout=60).json()
        other = listed["items"][0]["id"]
        attach_build(context.service.ledger, waiting.id, other)
        assert context.wait("part.stl", dispatched).build_id == other


def test_a_slice_job_that_never_ends_is_held(open_shop: Open) -> None:
    with simulated(slice_seconds=3600) as cloud:
        context = open_shop(cloud, slice_limit_seconds=0.5)
        context.drop("part.stl", box())
        waiting = context.wait("part.stl", held)
        assert waiting.hold is HoldReason.SLICE
        assert waiting.reason is not None
        assert waiting.reason.startswith("Eiger did not slice the part (")


def test_what_a_former_run_left_goes_on(tmp_path: Path) -> None:
    with simulated(slice_seconds=1) as cloud:
        with opened(tmp_path, cloud) as context:
            context.drop("part.stl", box())
            context.wait("part.stl", lambda seen: seen.state is SubmissionState.SLICING)
        with opened(tmp_path, cloud) as context:
            assert context.sent(context.wait("part.stl", dispatched)) == 1
            assert context.places("part.stl") == {"done/part.stl"}


def test_a_build_of_another_part_is_not_attached_unless_a_person_insists(open_shop: Open) -> None:
    with simulated(builds="manual") as cloud:
        context = open_shop(cloud, build_wait_seconds=0.1)
        context.drop("mine.stl", box(61))
        context.drop("other/part.stl", box(62))
        mine, other = (context.wait(path, held) for path in ("mine.stl", "other/part.stl"))
        strange = cloud.make_build(str(other.part_version_id))
        with pytest.raises(
            WrongSubmissionState, match=rf"^Build {strange} \('.+'\) does not hold the part of submission"
        ):
            check_build_holds_part(context.settings, mine.id, strange)
        nowhere = "2f1c9d0e-1a2b-4c3d-8e4f-0123456789ab"
        with pytest.raises(
            WrongSubmissionState, match=rf"^Eiger has no build {nowhere}: nothing is attached\.$"
        ):
            check_build_holds_part(context.settings, mine.id, nowhere)
        check_build_holds_part(context.settings, mine.id, cloud.make_build(str(mine.part_version_id)))
