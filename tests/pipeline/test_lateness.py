"""When a part is ready by queue and estimate, and when that is worth a word."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from workflow.eiger import Device
from workflow.model import Destination, FollowedPrint, PrintPhase
from workflow.pipeline.lateness import PrintTimes, late_day, ready_at

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
QUEUED = FollowedPrint(
    7, 1, "b", "r", Destination.DEVICE_QUEUE, NOON, NOON, device_id="d", ahead_jobs=2, ahead_seconds=7200
)
TIMES = PrintTimes(3600.0, 600.0)


def printer(left: float | None = None, job: str = "j") -> dict[str, Device]:
    active = {"id": job, "state": "Printing", "estimated_seconds_remaining": left}
    words = {"id": "d", "name": "Anvil", "device_type": "Mark Two", "device_series": "Desktop Series"}
    running = {} if left is None else {"active_job": active}
    return {"d": Device.model_validate({**words, **running})}


@pytest.mark.parametrize(
    ("copy", "devices", "ready"),
    [
        (QUEUED, printer(), NOON + 3.5 * HOUR),
        (QUEUED, printer(1800), NOON + 4 * HOUR),
        (QUEUED, {}, NOON + 3.5 * HOUR),
        (
            replace(QUEUED, ahead_jobs=None, ahead_seconds=None),
            printer(),
            NOON + HOUR + timedelta(minutes=10),
        ),
        (replace(QUEUED, destination=Destination.JOB_REQUEST, device_id=None), printer(), NOON + HOUR),
        (replace(QUEUED, phase=PrintPhase.PRINTING, job_id="j"), printer(1800), NOON + HOUR / 2),
        (replace(QUEUED, phase=PrintPhase.PRINTING, job_id="k"), printer(1800), NOON + HOUR),
        (replace(QUEUED, phase=PrintPhase.PRINTING, since=NOON - 9 * HOUR), {}, NOON),
        (replace(QUEUED, phase=PrintPhase.PRINTED), printer(), None),
    ],
)
def test_ready_by_queue_and_estimate(
    copy: FollowedPrint, devices: dict[str, Device], ready: datetime | None
) -> None:
    assert ready_at([copy], devices, TIMES, NOON) == ready


def test_without_a_print_time_nothing_is_known() -> None:
    assert ready_at([QUEUED], printer(), replace(TIMES, print_seconds=None), NOON) is None


def test_the_last_copy_counts() -> None:
    printed = replace(QUEUED, phase=PrintPhase.PRINTED)
    assert ready_at([printed, QUEUED], printer(), TIMES, NOON) == NOON + 3.5 * HOUR


DUE = date(2026, 11, 27)


@pytest.mark.parametrize(
    ("ready", "said", "late"),
    [
        (NOON, None, None),
        (NOON + 12 * HOUR, None, date(2026, 11, 28)),
        (NOON + 11 * HOUR, date(2026, 11, 28), date(2026, 11, 28)),
        (NOON + 8 * HOUR, date(2026, 11, 28), None),
        (NOON + 37 * HOUR, date(2026, 11, 28), date(2026, 11, 28)),
        (NOON + 40 * HOUR, date(2026, 11, 28), date(2026, 11, 29)),
        (None, date(2026, 11, 28), None),
    ],
)
def test_a_day_is_said_once_and_not_again_for_an_hour_over_midnight(
    ready: datetime | None, said: date | None, late: date | None
) -> None:
    assert late_day(DUE, ready, said, UTC) == late


def test_without_a_due_date_nothing_is_late() -> None:
    assert late_day(None, NOON, None, UTC) is None
