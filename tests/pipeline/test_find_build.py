"""From part version to build: whose it is, several at once, and waiting until there is one."""

from io import BytesIO
from pathlib import Path
from uuid import UUID

import pytest
import requests

from tests.cloud import Cloud, simulated
from tests.pipeline.conftest import dispatched, held, opened
from tests.stl import box
from workflow.eiger import BuildDetail, make_client
from workflow.ledger import Ledger
from workflow.model import EventKind, HoldReason, Submission, SubmissionState
from workflow.pipeline.cloud_cache import CloudCache
from workflow.pipeline.find_build import AmbiguousBuilds, choose_build, search_builds
from workflow.settings import Settings, load_settings


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


def keys(cloud: Cloud) -> Settings:
    return load_settings(eiger_url=cloud.url, access_key="demo", secret_key="demo")


def submitted(ledger: Ledger, part_version_id: str) -> Submission:
    number = ledger.open("a.stl")
    ledger.claimed(number, f"processing/{number}~a.stl")
    return ledger.update_submission(ledger.get(number), part_version_id=part_version_id)


@pytest.mark.parametrize("title", [None, "named by a person"])
def test_only_a_build_that_is_sliced_and_holds_the_part_is_found(ledger: Ledger, title: str | None) -> None:
    """Newer ones are not: one of the part that is not sliced, and a sliced one of another part."""
    with simulated(slice_seconds=0, builds="manual") as cloud, make_client(keys(cloud)) as client:
        onyx = next(preset.id for preset in client.get_org_settings_presets() if preset.title == "Onyx")
        theirs, ours = (
            client.upload_stl(BytesIO(box(side)), f"{side}.stl", settings_preset_id=onyx).part_version_id
            for side in (65, 66)
        )
        made = {"part_version_id": ours, "title": title}
        build = requests.post(f"{cloud.control}/builds", json=made, timeout=60).json()["id"]
        submission = submitted(ledger, ours)
        cloud.make_build(theirs)
        unsliced = {**made, "sliced": False}
        assert requests.post(f"{cloud.control}/builds", json=unsliced, timeout=60).json()["sliced"] is False
        found = search_builds(client, CloudCache(client), submission)
        assert isinstance(found, BuildDetail)
        assert found.id == build


@pytest.mark.parametrize(
    ("part_counts", "chosen"),
    [([1], 0), ([3], 0), ([1, 3], 0), ([3, 1], 1), ([1, 1], None), ([2, 3], None), ([1, 3, 1], None)],
)
def test_the_only_build_is_preferred_then_the_only_one_with_a_single_part(
    part_counts: list[int], chosen: int | None
) -> None:
    hits = [
        BuildDetail(id=str(UUID(int=at)), title="a", sliced=True, part_count=count, part_versions=())
        for at, count in enumerate(part_counts)
    ]
    every = tuple(build.id for build in hits)
    assert choose_build(hits) == (AmbiguousBuilds(every) if chosen is None else hits[chosen])
