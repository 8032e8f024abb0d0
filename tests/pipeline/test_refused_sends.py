"""Refusals of a send: nothing was done, so nothing is in doubt and nothing is sent twice."""

from pathlib import Path

import pytest

from tests.pipeline.conftest import Open, Shop, dispatched, held, written
from tests.stl import box
from workflow.model import Destination, HoldReason
from workflow.pipeline.commands import retry_submission

RULES = """
version: 1
intake: [{name: all, preset: Onyx}]
routing:
  - {name: queue, when: {path: "queue/**"}, send_to: device_queue, device: {name: Mark Two - Anvil}}
  - {name: backlog, when: {path: "backlog/**"}, send_to: backlog}
  - {name: rest, send_to: job_request}
"""


@pytest.fixture
def shop(open_shop: Open, tmp_path: Path) -> Shop:
    return open_shop(rules=written(tmp_path, RULES))


def test_409_of_a_queue_is_shown_to_a_person_and_sent_once_on_retry(shop: Shop) -> None:
    shop.cloud.fault("appendToDeviceQueue", "status", status=409)
    shop.drop("queue/a.stl", box(70))
    refused = shop.wait("queue/a.stl", held)
    assert refused.hold is HoldReason.ROUTE
    assert (refused.reason or "").startswith("409: The printer is not ready.")
    assert shop.sent(refused) == 0
    retry_submission(shop.service.ledger, refused.id)
    done = shop.wait("queue/a.stl", dispatched)
    assert (done.destination, shop.sent(done)) == (Destination.DEVICE_QUEUE, 1)


@pytest.mark.parametrize(
    ("path", "operation"),
    [
        ("queue/b.stl", "appendToDeviceQueue"),
        ("backlog/b.stl", "sendBuildToBacklog"),
        ("b.stl", "sendBuildToJobRequestQueue"),
    ],
)
def test_429_of_a_send_is_waited_out_and_never_in_doubt(shop: Shop, path: str, operation: str) -> None:
    shop.cloud.fault(operation, "status", status=429)
    shop.drop(path, box(71))
    done = shop.wait(path, dispatched)
    assert shop.sent(done) == 1
    told = [(event.event, event.detail) for event in shop.history(path)]
    assert not any("nknown" in detail or "asked in" in detail for _, detail in told), told
    answers = [entry["status"] for entry in shop.cloud.journal() if entry["operation"] == operation]
    assert answers == [429, 201]
