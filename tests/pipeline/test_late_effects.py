"""A request that timed out takes effect later, when the client has left: nothing is sent twice."""

from pathlib import Path

import pytest

from tests.pipeline.conftest import Open, Shop, dispatched, held, written
from tests.stl import box
from tests.waiting import until
from workflow.model import HoldReason
from workflow.pipeline.commands import retry_submission

SEND_TO = {
    "sendBuildToBacklog": "send_to: backlog",
    "sendBuildToJobRequestQueue": "send_to: job_request",
    "appendToDeviceQueue": "send_to: device_queue, device: {name: Mark Two - Anvil}",
    "printToPrinter": "send_to: print_now, device: {name: Mark Two - Anvil}",
}
RULES = "version: 1\nintake: [{name: rest, preset: Onyx}]\nrouting: [{name: rest, %s}]\n"
LATE_SECONDS = 3_600.0


def dispatches(context: Shop) -> int:
    return sum(context.cloud.dispatches().values())


@pytest.mark.parametrize("operation", SEND_TO)
def test_a_send_takes_effect_after_it_was_held(open_shop: Open, tmp_path: Path, operation: str) -> None:
    rules = written(tmp_path, RULES % SEND_TO[operation])
    context = open_shop(rules=rules, print_now_armed=True)
    context.cloud.fault(operation, "late_effect", delay_seconds=LATE_SECONDS)
    context.drop("late.stl", box(31))
    waiting = context.wait("late.stl", held)
    assert (waiting.hold, dispatches(context)) == (HoldReason.SEND, 0)
    context.cloud.advance(LATE_SECONDS)
    assert until(lambda: dispatches(context) == 1)
    retry_submission(context.service.ledger, waiting.id)
    done = context.wait("late.stl", dispatched)
    assert dispatches(context) == 1
    told = [event.detail for event in context.history("late.stl") if event.event == "dispatched"]
    assert f"print job {done.receipt_id}, found in the cloud" in told[0]


def test_a_late_upload_makes_a_second_part_but_only_one_is_sent(open_shop: Open) -> None:
    context = open_shop(upload_timeout_seconds=1.0)
    context.cloud.fault("uploadStl", "late_effect", delay_seconds=LATE_SECONDS)
    context.drop("twice.stl", box(32))
    done = context.wait("twice.stl", dispatched)
    context.cloud.advance(LATE_SECONDS)
    assert until(lambda: len(context.cloud.world()["part_versions"]) == 2)
    assert dispatches(context) == 1
    assert context.sent(done) == 1
