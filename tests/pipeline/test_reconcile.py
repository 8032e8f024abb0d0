"""Lost replies of each kind of send, cut before and after the effect; other builds at the same printer."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from tests.cloud import simulated
from tests.pipeline.conftest import Shop, dispatched, held, opened, written
from tests.stl import box
from workflow.model import Destination, EventKind, HoldReason, Submission
from workflow.pipeline.reconcile import find_earlier_send, traces

RULES = """\
version: 1
intake: [{name: rest, preset: Onyx}]
routing:
  - {name: now, when: {path: "now/**"}, send_to: print_now, device: {name: Mark Two - Anvil}}
  - {name: queue, when: {path: "queue/**"}, send_to: device_queue, device: {name: Mark Two - Anvil}}
  - {name: log, when: {path: "log/**"}, send_to: backlog}
  - {name: rest, send_to: job_request}
"""
OPERATIONS = {
    "log": "sendBuildToBacklog",
    "job": "sendBuildToJobRequestQueue",
    "queue": "appendToDeviceQueue",
    "now": "printToPrinter",
}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop whose printers are idle at the beginning of each test."""
    with (
        simulated() as cloud,
        opened(tmp_path, cloud, rules=written(tmp_path, RULES), print_now_armed=True) as context,
    ):
        yield context


@pytest.mark.parametrize("folder", OPERATIONS)
def test_a_send_that_worked_is_found_by_its_trace(shop: Shop, folder: str) -> None:
    """The reply is lost after the effect: only the trace in Eiger says that it was sent."""
    shop.cloud.fault(OPERATIONS[folder], "cut_after")
    shop.drop(f"{folder}/a.stl", box(51))
    done = shop.wait(f"{folder}/a.stl", dispatched)
    assert shop.sent(done) == 1
    (sent,) = (event for event in shop.history(f"{folder}/a.stl") if event.event == EventKind.DISPATCHED)
    assert sent.detail.endswith(f"print job {done.receipt_id}, found in the cloud")


@pytest.mark.parametrize("folder", [folder for folder in OPERATIONS if folder != "now"])
def test_a_send_that_did_not_work_is_repeated_once(shop: Shop, folder: str) -> None:
    shop.cloud.fault(OPERATIONS[folder], "cut_before")
    shop.drop(f"{folder}/a.stl", box(52))
    done = shop.wait(f"{folder}/a.stl", dispatched)
    assert shop.sent(done) == 1
    attempts = [event for event in shop.history(f"{folder}/a.stl") if event.event == EventKind.SENDING]
    assert [attempt.detail[-9:] for attempt in attempts] == ["attempt 1", "attempt 2"]


def test_a_machine_is_not_told_again_to_start(shop: Shop) -> None:
    """The printer shows nothing, and may start any moment: a person looks."""
    shop.cloud.fault(OPERATIONS["now"], "cut_before")
    shop.drop("now/a.stl", box(53))
    waiting = shop.wait("now/a.stl", held)
    assert (waiting.hold, shop.sent(waiting)) == (HoldReason.SEND, 0)
    assert "Outcome unknown after 1 attempt(s)" in (waiting.reason or "")


def print_jobs_asked_for(shop: Shop, submission: Submission) -> int:
    """Count how often the print jobs of a build were listed."""
    listed = (entry for entry in shop.cloud.journal() if entry["operation"] == "listPrintJobs")
    return sum(str(submission.build_id) in entry["query"] for entry in listed)


def test_what_other_builds_do_at_the_printer_is_no_trace_of_ours(shop: Shop) -> None:
    shop.drop("now/running.stl", box(54))
    running = shop.wait("now/running.stl", dispatched)
    shop.drop("queue/next.stl", box(55))
    queued = shop.wait("queue/next.stl", dispatched)
    ours = replace(queued, build_id=str(uuid4()), receipt_id=None)
    with shop.client() as client:
        assert find_earlier_send(client, ours) is None
        assert find_earlier_send(client, replace(ours, destination=Destination.PRINT_NOW)) is None
        assert [trace.id for trace in traces(client, queued, 1)] == [queued.receipt_id]
        asked = print_jobs_asked_for(shop, running)
        assert [trace.id for trace in traces(client, running, 1)] == [running.receipt_id]
        assert print_jobs_asked_for(shop, running) == asked, "the printer itself shows it"


def test_a_queued_build_is_found_even_if_eiger_lists_no_print_job_of_it(shop: Shop) -> None:
    """The printer's queue alone shows it: without asking there, it would be sent twice."""
    shop.drop("queue/a.stl", box(56))
    queued = shop.wait("queue/a.stl", dispatched)
    with shop.client() as client:
        assert find_earlier_send(client, queued) == queued.receipt_id
        elsewhere = replace(queued, device_id=str(shop.cloud.device("Mark Two - Bolt")["id"]))
        at_other_device = {trace.id for trace in traces(client, elsewhere, 1)}
        assert queued.receipt_id not in at_other_device


def test_a_print_that_the_printer_shows_no_more_is_found_among_the_print_jobs(shop: Shop) -> None:
    shop.drop("job/a.stl", box(57))
    sent = shop.wait("job/a.stl", dispatched)
    bolt = str(shop.cloud.device("Mark Two - Bolt")["id"])
    gone = replace(sent, destination=Destination.DEVICE_QUEUE, device_id=bolt)
    with shop.client() as client:
        assert find_earlier_send(client, gone) == sent.receipt_id
