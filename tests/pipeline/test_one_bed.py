"""A person lays several parts on one bed: the build of all is sent once, by whichever of them is first."""

from pathlib import Path

import pytest
import requests

from tests.cloud import simulated
from tests.pipeline.conftest import Open, dispatched, written
from tests.stl import box
from workflow.model import SubmissionState
from workflow.pipeline import slice_listing

RULES = """\
version: 1
intake:
  - {name: all, preset: Onyx}
routing:
  - {name: rush, when: {path: "rush/**"}, send_to: device_queue, device: {choose: soonest}}
  - {name: now, when: {path: "now/**"}, send_to: print_now, device: {name: Mark Two - Anvil}}
  - {name: all, send_to: job_request}
"""


@pytest.mark.parametrize("few_parked", [0, 20])
@pytest.mark.parametrize("other", ["", "rush/", "now/"])
def test_it_is_sent_once(
    open_shop: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, few_parked: int, other: str
) -> None:
    monkeypatch.setattr(slice_listing, "MAX_SINGLE_POLLS", few_parked)
    with simulated(builds="manual") as cloud:
        rules = written(tmp_path, RULES)
        context = open_shop(cloud, rules=rules, print_now_armed=True, build_wait_seconds=60)
        names = [f"{other if number == 1 else ''}part {number}.stl" for number in range(8)]
        for number, name in enumerate(names):
            context.drop(name, box(10 + number))
        parts = [context.wait(name, lambda each: each.state is SubmissionState.SLICED) for name in names]
        bed = {"part_version_ids": [part.part_version_id for part in parts], "title": "one bed"}
        build = requests.post(f"{cloud.control}/builds", json=bed, timeout=60).json()["id"]
        ended = [context.wait(name, dispatched) for name in names]
        assert cloud.dispatches() == {build: 1}
        assert len({each.receipt_id for each in ended}) == 1
