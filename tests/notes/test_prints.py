"""How far a print is, in words and as a document."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from workflow.model import Destination, FollowedPrint, PrintPhase, RunningPrint, SubmissionState
from workflow.notes import (
    Answer,
    PrintStatus,
    answer_line,
    answer_once_printing,
    print_status_document,
    print_status_text,
)
from workflow.notes.prints import print_outcome_text

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
QUEUED = FollowedPrint(7, 1, "b", "r", Destination.DEVICE_QUEUE, NOON, NOON, device_id="d", device="Anvil")
PRINTING = replace(QUEUED, phase=PrintPhase.PRINTING, job_id="j-1")
PRINTED = replace(QUEUED, phase=PrintPhase.PRINTED, job_id="j-1")
RUNNING = {"j-1": RunningPrint("j-1", "bracket", "b", 55.0, 2835.0)}


@pytest.mark.parametrize(
    ("copies", "text"),
    [
        ([QUEUED], "queued at Anvil"),
        ([replace(QUEUED, device=None)], "queued"),
        ([PRINTING], "printing 55 % on Anvil, 47 min left"),
        ([replace(PRINTING, job_id="j-2")], "printing on Anvil"),
        ([PRINTED], "printed on Anvil"),
        ([replace(PRINTED, phase=PrintPhase.CANCELED)], "canceled at Anvil"),
        ([replace(PRINTED, phase=PrintPhase.LOST)], "lost track, last at Anvil"),
        ([PRINTED, PRINTING, QUEUED], "1 queued, 1 printing 55 %, 1 printed"),
        ([QUEUED, QUEUED], "queued at Anvil"),
    ],
)
def test_in_words(copies: list[FollowedPrint], text: str) -> None:
    assert print_status_text(PrintStatus(copies, RUNNING)) == text


def test_for_scripts() -> None:
    document = print_status_document(PrintStatus([PRINTING], RUNNING))
    assert (document["percent"], document["seconds_left"]) == (55.0, 2835.0)
    assert document["copies"] == [
        {
            "copy": 1, "state": "printing", "since": NOON.isoformat(), "printer": "Anvil",
            "print_job_id": "j-1", "reason": None,
        }
    ]  # fmt: skip


def test_a_note_says_how_it_ended() -> None:
    assert print_outcome_text(SubmissionState.DISPATCHED, [QUEUED]) is None
    assert print_outcome_text(SubmissionState.PRINTED, [PRINTED]) == "was PRINTED on Anvil."
    assert print_outcome_text(SubmissionState.PRINTING, [PRINTED, PRINTING]) == (
        "is being printed: 1 printing, 1 printed."
    )
    failed = replace(PRINTED, phase=PrintPhase.FAILED)
    assert print_outcome_text(SubmissionState.FAILED, [PRINTED, failed]) == (
        "was sent, and was NOT PRINTED: 1 printed, 1 failed."
    )


def test_once_it_prints_nothing_is_ahead_and_it_is_ready_by_its_print_time() -> None:
    answer = Answer(
        NOON - timedelta(days=3), 3600.0, (), destination=Destination.DEVICE_QUEUE, printer="Anvil",
        jobs_ahead=4, ready_from=NOON + timedelta(days=2), ready_to=NOON + timedelta(days=2),
    )  # fmt: skip
    assert answer_once_printing(answer, [QUEUED]) == answer
    line = answer_line(answer_once_printing(answer, [PRINTING]), UTC)
    assert line == "1 h · material unknown · ready about Fri 27 Nov 13:00 UTC"
    assert answer_line(answer_once_printing(answer, [PRINTED]), UTC) == "1 h · material unknown"
