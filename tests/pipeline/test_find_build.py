"""From part version to build: whose it is, several at once, and waiting until there is one."""

from pathlib import Path

from tests.cloud import simulated
from tests.pipeline.conftest import dispatched, held, opened
from tests.stl import box
from workflow.model import EventKind, HoldReason, SubmissionState


def test_a_build_of_another_part_is_never_taken(tmp_path: Path) -> None:
    """It is sliced, and was made in the same minute: only what is in it decides."""
    with simulated(builds="manual") as cloud, opened(tmp_path, cloud, build_wait_seconds=0.3) as shop:
        shop.drop("a.stl", box(61))
        shop.drop("b.stl", box(62))
        first, second = shop.wait("a.stl", held), shop.wait("b.stl", held)
        theirs = cloud.make_build(str(second.part_version_id))
        assert shop.wait("b.stl", dispatched).build_id == theirs
        assert shop.wait("a.stl").build_id is None
        ours = cloud.make_build(str(first.part_version_id))
        assert shop.wait("a.stl", dispatched).build_id == ours
        assert cloud.dispatches() == {ours: 1, theirs: 1}


def test_of_several_builds_of_one_part_a_person_chooses(tmp_path: Path) -> None:
    with simulated(builds="manual") as cloud:
        with opened(tmp_path, cloud, build_wait_seconds=0.1) as shop:
            shop.drop("a.stl", box(63))
            part_version_id = str(shop.wait("a.stl", held).part_version_id)
        both = [cloud.make_build(part_version_id) for _ in range(2)]
        with opened(tmp_path, cloud, build_wait_seconds=0.1) as shop:
            shop.service.ledger.update_submission(
                shop.service.ledger.get(1), state=SubmissionState.SLICED, hold=None
            )
            waiting = shop.wait("a.stl", lambda seen: "2 builds in Eiger" in (seen.reason or ""))
            assert waiting.hold is HoldReason.BUILD
            assert all(build in (waiting.reason or "") for build in both)
            assert shop.cloud.dispatches() == {}


def test_a_build_that_comes_late_is_waited_for_and_said_once(tmp_path: Path) -> None:
    with simulated(builds="manual") as cloud, opened(tmp_path, cloud, build_wait_seconds=60) as shop:
        shop.drop("a.stl", box(64))
        waiting = shop.wait("a.stl", lambda seen: seen.state is SubmissionState.SLICED and seen.tries > 1)
        build = cloud.make_build(str(waiting.part_version_id))
        done = shop.wait("a.stl", dispatched)
        assert (done.build_id, done.tries) == (build, 0)
        events = [event.event for event in shop.history("a.stl")]
        assert events.count(EventKind.LOOKING_FOR_BUILD) == 1
