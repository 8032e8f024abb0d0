"""Each copy at most once: what a send returns, to each destination, with each kind of lost reply."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs

import pytest

from tests.pipeline.sending import (
    ANVIL,
    BOLT,
    CALLS,
    Desk,
    begin,
    send,
    send_by_hand,
    send_first_copy,
)
from workflow.model import Destination, EventKind, HoldReason, SubmissionState
from workflow.pipeline.context import now
from workflow.pipeline.reconcile import PAGE_SIZE, AmbiguousTraces, find_earlier_send, traces

SENT, HELD, ROUTED = SubmissionState.DISPATCHED, SubmissionState.HELD, SubmissionState.ROUTED
QUEUE, REQUEST, PRINT = Destination.DEVICE_QUEUE, Destination.JOB_REQUEST, Destination.PRINT_NOW


@pytest.mark.parametrize("destination", list(Destination))
def test_a_send_is_done_at_once(desk: Desk, destination: Destination) -> None:
    done = send(desk, desk.routed(destination))
    assert (done.state, desk.sent(done), desk.reconciled(done)) == (SENT, 1, [False])
    place = destination.replace("_", " ")
    where = place + (f" of {ANVIL}" if done.device else "")
    assert desk.details(done, EventKind.DISPATCHED) == [f"{where}: print job {done.receipt_id}, sent"]
    assert desk.details(done, EventKind.SENDING) == [f"{place}, attempt 1"]
    assert send(desk, done).state is SENT
    assert desk.sent(done) == 1, "what has its receipt is not sent again"


@pytest.mark.parametrize("destination", list(Destination))
def test_a_lost_reply_to_a_send_that_worked_is_found(desk: Desk, destination: Destination) -> None:
    desk.cloud.fault(CALLS[destination], "cut_after")
    waiting = send(desk, desk.routed(destination))
    assert (waiting.state, waiting.tries, desk.sent(waiting)) == (ROUTED, 1, 1)
    assert (waiting.reason or "").endswith("The cloud is asked in 0 s whether it was done.")
    done = send(desk, waiting)
    assert (done.state, desk.sent(done), desk.reconciled(done)) == (SENT, 1, [True])
    (detail,) = desk.details(done, EventKind.DISPATCHED)
    assert detail.endswith(f"print job {done.receipt_id}, found in the cloud")


@pytest.mark.parametrize("destination", list(Destination))
@pytest.mark.parametrize("fault", ["cut_before", "status"])
def test_a_send_that_did_not_work_is_repeated_unless_a_machine_may_start(
    desk: Desk, destination: Destination, fault: str
) -> None:
    desk.cloud.fault(CALLS[destination], fault, **({"status": 503} if fault == "status" else {}))
    waiting = send(desk, desk.routed(destination))
    assert (waiting.state, desk.sent(waiting)) == (ROUTED, 0)
    after = send(desk, waiting)
    if destination is PRINT:
        assert (after.state, after.hold, desk.sent(after)) == (HELD, HoldReason.SEND, 0)
        unseen = "the reply was lost and print now does not show the build."
        assert (after.reason or "").startswith(f"Outcome unknown after 1 attempt(s): {unseen}")
        return
    assert (after.state, desk.sent(after)) == (SENT, 1)
    assert [each[-9:] for each in desk.details(after, EventKind.SENDING)] == ["attempt 1", "attempt 2"]


@pytest.mark.parametrize("copies", [1, 2])
def test_a_send_takes_three_transactions(durable_writes: list[bool], desk: Desk, copies: int) -> None:
    """The intent may be lost with the power; its announcement and its outcome are on the disk."""
    submission = desk.routed(copies=copies)
    durable_writes.clear()
    send(desk, submission)
    assert durable_writes == copies * [False, True, True]


@pytest.mark.parametrize("place", ["done/a.stl", None])
def test_where_the_file_goes_is_planned_before_and_written_with_the_end(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, place: str | None
) -> None:
    def plan(*_: object) -> str:
        if place is None:
            raise OSError("the share is gone")
        return place

    monkeypatch.setattr("workflow.pipeline.dispatch.plan_place", plan)
    done = send(desk, desk.routed(left_in_place=False))
    assert (done.state, done.placed_as, desk.sent(done)) == (SENT, place, 1)


def test_a_send_that_another_has_begun_is_waited_for(desk: Desk) -> None:
    submission = desk.routed()
    begin(desk, submission, lease_seconds=40.0)
    waiting = send(desk, submission)
    assert (waiting.reason, desk.sent(waiting)) == ("A send was cut off: waiting before looking.", 0)
    assert waiting.due_at is not None
    assert timedelta(0) < waiting.due_at - now() <= timedelta(seconds=40)


def test_no_more_of_eigers_prints_is_read_than_is_needed(desk: Desk) -> None:
    submission = desk.routed(QUEUE)
    waiting = desk.client.append_to_device_queue(str(submission.device_id), str(submission.build_id)).id
    requested = [send_by_hand(desk, submission) for _ in range(4)][::-1]

    def asked() -> list[int]:
        listed = (each for each in desk.cloud.journal() if each["operation"] == "listPrintJobs")
        return [int(parse_qs(entry["query"])["page[size]"][0]) for entry in listed]

    assert find_earlier_send(desk.client, submission) == waiting
    assert asked() == [], "the printer itself shows it"
    found = [trace.id for trace in traces(desk.client, submission)]
    assert (found, asked()) == ([waiting, *requested], [PAGE_SIZE])
    gone = replace(submission, device_id=desk.device_id(BOLT))
    assert find_earlier_send(desk.client, gone) == requested[0], "it may have ended"
    elsewhere = replace(submission, destination=REQUEST)
    assert find_earlier_send(desk.client, elsewhere) == requested[0]
    assert find_earlier_send(desk.client, elsewhere, [requested[1]]) == AmbiguousTraces(
        "1 copies were sent for certain, and Eiger shows 3"
    )
    assert asked() == [PAGE_SIZE, 1, 1, 3]


def test_a_person_who_was_quicker_is_found_and_nothing_is_sent(desk: Desk) -> None:
    submission = desk.routed()
    receipt = send_by_hand(desk, submission)
    done = send(desk, submission)
    assert (done.receipt_id, desk.sent(done)) == (receipt, 1)


# -- copies -------------------------------------------------------------------------------------------


def test_each_copy_has_its_send_and_its_receipt(desk: Desk) -> None:
    done = send(desk, desk.routed(copies=2))
    receipts = desk.ledger.sends.list_receipts(done.id)
    assert (desk.sent(done), len(set(receipts)), receipts[0]) == (2, 2, done.receipt_id)
    assert desk.details(done, EventKind.SENDING) == [
        f"job request, copy {copy} of 2, attempt 1" for copy in (1, 2)
    ]


def test_copies_go_to_the_printers_that_were_chosen_for_them(desk: Desk) -> None:
    places = (desk.device_id(ANVIL), desk.device_id(BOLT))
    done = send(desk, desk.routed(QUEUE, copies=2, spread_ids=places))
    waiting = [desk.client.list_device_queue(place).queue[-1].id for place in places]
    assert list(desk.ledger.sends.list_receipts(done.id)) == waiting


@pytest.mark.parametrize("fault", ["cut_before", "cut_after"])
def test_a_lost_reply_to_a_second_copy_is_told_from_the_first_one(desk: Desk, fault: str) -> None:
    submission = desk.routed(copies=2)
    first = send_first_copy(desk, submission)
    desk.cloud.fault(CALLS[REQUEST], fault)
    done = send(desk, send(desk, submission))
    assert (done.state, done.receipt_id, desk.sent(done)) == (SENT, first, 2)
    assert desk.reconciled(done) == [False, fault == "cut_after"]


def test_copies_that_are_more_than_ours_are_for_a_person(desk: Desk) -> None:
    submission = desk.routed(copies=2)
    send_first_copy(desk, submission)
    for _ in range(3):
        send_by_hand(desk, submission)
    begin(desk, submission, 2, lease_seconds=0.0)
    waiting = send(desk, submission)
    assert (waiting.state, waiting.hold, desk.sent(waiting)) == (HELD, HoldReason.SEND, 4)
    assert "and 1 copies were sent for certain, and Eiger shows 3." in (waiting.reason or "")
    assert begin(desk, waiting, 2).times == 2, "nothing is under way while a person looks"


# -- parts on one bed, builds used again --------------------------------------------------------------


def test_a_part_waits_for_another_on_its_bed_and_goes_with_it(desk: Desk) -> None:
    first = desk.routed()
    intent = begin(desk, first)
    waiting = send(desk, desk.routed(build_id=first.build_id))
    assert waiting.reason == f"Submission {first.id}, on the same bed, is being sent."
    receipt = send_by_hand(desk, first)
    desk.ledger.sends.complete(first, 1, intent, receipt)
    done = send(desk, waiting)
    assert (done.state, done.receipt_id, desk.sent(done)) == (SENT, receipt, 1)
    sent_with = f"print job {receipt}, sent with submission {first.id} on the same bed"
    assert desk.details(done, EventKind.DISPATCHED) == [f"job request: {sent_with}"]


def test_a_bed_that_was_sent_elsewhere_is_not_looked_for_at_the_printer(desk: Desk) -> None:
    """Neither does it matter how long ago: the build was made for both parts."""
    first = send(desk, desk.routed())
    done = send(desk, desk.routed(PRINT, build_id=first.build_id))
    assert (done.state, done.receipt_id, desk.sent(done)) == (SENT, first.receipt_id, 1)


@pytest.mark.parametrize("fault", [None, "cut_before", "cut_after"])
def test_a_build_that_is_used_again_is_sent_again(desk: Desk, fault: str | None) -> None:
    first = send(desk, desk.routed())
    again = desk.routed(build_id=first.build_id, reused=first.id)
    if fault is not None:
        desk.cloud.fault(CALLS[REQUEST], fault)
        again = send(desk, again)
    done = send(desk, again)
    assert (done.state, desk.sent(done)) == (SENT, 2)
    assert done.receipt_id != first.receipt_id
