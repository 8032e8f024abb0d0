"""Sends that a printer has to show, and approvals before a send: what each try returns."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from tests.pipeline.sending import ANVIL, CALLS, Desk, begin, send
from workflow.errors import BadRequest, Conflict
from workflow.model import Destination, EventKind, HoldReason, Step, SubmissionState
from workflow.pipeline.context import now
from workflow.pipeline.dispatch import NOT_IN_USE, approve_build
from workflow.pipeline.reconcile import confirm_print_started
from workflow.pipeline.retry import RetrySchedule

SENT, HELD, ROUTED = SubmissionState.DISPATCHED, SubmissionState.HELD, SubmissionState.ROUTED
QUEUE, PRINT = Destination.DEVICE_QUEUE, Destination.PRINT_NOW


@pytest.mark.parametrize("since", [None, now() - timedelta(hours=3)])
def test_a_printer_that_refuses_is_left_and_another_one_chosen(desk: Desk, since: datetime | None) -> None:
    desk.cloud.fault(CALLS[PRINT], "status", status=409)
    before = now()
    waiting = send(desk, desk.routed(PRINT, waiting_since=since))
    assert (waiting.state, waiting.hold, waiting.device_id) == (HELD, HoldReason.DEVICE, None)
    assert (waiting.reason or "").startswith(f"{ANVIL} takes no print now (409")
    assert waiting.waiting_since is not None
    assert waiting.waiting_since == since if since else waiting.waiting_since >= before


def test_a_queue_that_refuses_is_for_the_stage_to_judge(desk: Desk) -> None:
    desk.cloud.fault(CALLS[QUEUE], "status", status=409)
    with pytest.raises(Conflict):
        send(desk, desk.routed(QUEUE))


def test_a_print_has_its_receipt_before_the_printer_is_asked(desk: Desk) -> None:
    submission = desk.routed(PRINT)
    desk.cloud.fault("readDevice", "status", status=400)
    with pytest.raises(BadRequest):
        send(desk, submission)
    assert len(desk.ledger.sends.list_receipts(submission.id)) == 1
    done = send(desk, submission)
    assert (done.state, desk.sent(done)) == (SENT, 1)


@pytest.mark.parametrize(
    ("state", "limit_seconds", "after"),
    [
        ("Printing", 3600.0, None),
        ("Printing", -1.0, "Outcome unknown: Mark Two - Anvil was told to print it 0 s ago"),
        ("Failed", 3600.0, "Mark Two - Anvil was told to print it, and the print has failed (print job "),
        ("Canceled", 3600.0, "Mark Two - Anvil was told to print it, and the print has canceled (print job "),
    ],
)
def test_a_print_that_the_printer_does_not_show_is_waited_for_or_held(
    desk: Desk, state: str, limit_seconds: float, after: str | None
) -> None:
    submission = desk.routed(PRINT)
    intent = begin(desk, submission)
    receipt = desk.client.print_to_printer(str(submission.device_id), str(submission.build_id)).id
    desk.ledger.sends.complete(submission, 1, intent, receipt)
    desk.cloud.act("prints", print_job_id=receipt, state=state)
    desk.retry_schedule = RetrySchedule(print_now_seconds=limit_seconds)
    waiting = send(desk, submission)
    assert (waiting.state, desk.sent(waiting)) == (ROUTED if after is None else HELD, 1)
    assert (waiting.reason or "").startswith(after or "")
    assert waiting.hold is (None if after is None else HoldReason.SEND)
    assert desk.details(waiting, EventKind.PRINTER_TOLD) == [f"{ANVIL}: print job {receipt}"]
    if after is None:
        assert waiting.step is Step.DELIVER
        assert waiting.due_at is not None
        assert waiting.due_at > now()
        again = send(desk, waiting)
        assert len(desk.details(again, EventKind.PRINTER_TOLD)) == 1, (
            "the time is counted from the first look"
        )


def test_a_print_of_the_build_under_another_number_is_ours(desk: Desk) -> None:
    submission = desk.routed(PRINT)
    desk.client.print_to_printer(str(submission.device_id), str(submission.build_id))
    assert confirm_print_started(desk.context, submission, str(uuid4())) is None


def test_a_print_that_has_ended_meanwhile_was_sent(desk: Desk) -> None:
    submission = desk.routed(PRINT)
    receipt = desk.client.print_to_printer(str(submission.device_id), str(submission.build_id)).id
    desk.cloud.advance(1e6)
    assert desk.client.read_device(str(submission.device_id)).active_job is None
    assert confirm_print_started(desk.context, submission, receipt) is None


# -- approval -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", [True, False])
def test_what_is_sent_or_needs_no_approval_is_not_approved(desk: Desk, *, wanted: bool) -> None:
    submission = desk.routed(approve_first=wanted, receipt_id="r" if wanted else None)
    assert approve_build(desk.context, submission) == submission
    assert not any("pproved" in entry["operation"] for entry in desk.cloud.journal())


def test_an_approval_is_added_once_and_said(desk: Desk) -> None:
    desk.cloud.approve(desk.cloud.world_builds()[0])
    submission = desk.routed(approve_first=True)
    approved = approve_build(desk.context, submission)
    assert (approved.state, approved.approve_first) == (ROUTED, False)
    assert submission.build_id in desk.cloud.approved()
    detail = f"build {submission.build_id}, one of 2 that are"
    assert desk.details(submission, EventKind.APPROVED) == [detail]


@pytest.mark.parametrize("in_use", [True, False])
def test_an_approval_that_eiger_refuses_or_does_not_use_is_for_a_person(desk: Desk, *, in_use: bool) -> None:
    if in_use:
        desk.cloud.approve(desk.cloud.world_builds()[0])
        desk.cloud.fault("approveBuilds", "status", status=409)
    held = approve_build(desk.context, desk.routed(approve_first=True))
    assert (held.state, held.hold) == (HELD, HoldReason.ROUTE)
    assert held.reason is not None
    assert held.reason.startswith("409: ") if in_use else held.reason == NOT_IN_USE
