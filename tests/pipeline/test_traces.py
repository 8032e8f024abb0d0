"""What Eiger shows of a build, and whose doing it is: pure decisions."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from workflow.eiger import Build, Device, DeviceQueue
from workflow.eiger.models import ActivePrintJob, QueueEntry
from workflow.model import EventKind, SubmissionEvent
from workflow.pipeline.attached_builds import compared, not_surely_older, was_attached
from workflow.pipeline.reconcile import AmbiguousTraces, Trace, judge, shows_print, traces_at_device
from workflow.pipeline.time_bounds import ROOM

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
OURS, THEIRS = (Build(id=str(UUID(int=number)), title="a", part_count=1, sliced=True) for number in (1, 2))
JOB, OTHER_JOB, FIRST, SECOND = (str(UUID(int=number)) for number in (3, 4, 5, 6))


def device(active: str | None = None, build: Build | None = None) -> Device:
    job = active and ActivePrintJob(id=active, state="Printing", build=build, created_at=NOON)
    made = {"id": str(UUID(int=9)), "name": "Anvil", "device_type": "Mark Two", "device_series": "Desktop"}
    return Device.model_validate({**made, "active_job": job})


def queued(entry: str, build: Build) -> QueueEntry:
    return QueueEntry(id=entry, state="Queued", build=build, queued_at=NOON + timedelta(hours=1))


@pytest.mark.parametrize(
    ("shown", "found"),
    [
        (device(), []),
        (device(JOB), []),
        (device(JOB, THEIRS), []),
        (device(JOB, OURS), [Trace(JOB, NOON)]),
    ],
)
def test_a_device_shows_what_waits_and_what_it_prints_of_a_build(shown: Device, found: list[Trace]) -> None:
    queue = (queued(FIRST, OURS), queued(SECOND, THEIRS))
    waiting = Trace(FIRST, NOON + timedelta(hours=1))
    assert list(traces_at_device(DeviceQueue(device=shown, queue=queue), OURS.id)) == [waiting, *found]
    assert list(traces_at_device(DeviceQueue(device=shown, queue=()), OURS.id)) == found


@pytest.mark.parametrize(
    ("shown", "prints"),
    [
        (device(), False),
        (device(JOB), True),
        (device(JOB, THEIRS), True),
        (device(OTHER_JOB), False),
        (device(OTHER_JOB, THEIRS), False),
        (device(OTHER_JOB, OURS), True),
    ],
)
def test_a_printer_shows_a_print_by_its_job_or_its_build(shown: Device, *, prints: bool) -> None:
    assert shows_print(shown, JOB, OURS.id) is prints


@pytest.mark.parametrize(
    ("seen", "earlier", "verdict"),
    [
        ("", "", None),
        ("a", "", "a"),
        ("aa", "", "a"),
        ("ab", "", "a"),
        ("", "a", None),
        ("a", "a", None),
        ("ba", "a", "b"),
        ("bba", "a", "b"),
        ("b", "a", AmbiguousTraces("1 copies were sent for certain, and Eiger shows 1")),
        ("bca", "a", AmbiguousTraces("1 copies were sent for certain, and Eiger shows 3")),
        ("bc", "a", AmbiguousTraces("1 copies were sent for certain, and Eiger shows 2")),
        ("ba", "ac", AmbiguousTraces("2 copies were sent for certain, and Eiger shows 2")),
    ],
)
def test_a_trace_is_ours_if_nothing_else_can_be(
    seen: str, earlier: str, verdict: str | AmbiguousTraces | None
) -> None:
    assert judge([Trace(each, None) for each in seen], list(earlier)) == verdict


@pytest.mark.parametrize(
    ("seen", "before", "done", "verdict"),
    [
        ("", "", "", None),
        ("a", "a", "", None),
        ("b", "", "", "b"),
        ("ba", "a", "", "b"),
        ("b", "a", "", AmbiguousTraces("of 1 earlier prints of this build Eiger shows 1 no more")),
        ("", "a", "", None),
        ("ab", "a", "b", None),
        ("abc", "a", "b", "c"),
        ("abcd", "a", "b", AmbiguousTraces("1 copies were sent for certain, and Eiger shows 3")),
        ("ac", "a", "b", AmbiguousTraces("1 copies were sent for certain, and Eiger shows 1")),
        ("cd", "a", "b", AmbiguousTraces("1 copies were sent for certain, and Eiger shows 2")),
    ],
)
def test_only_what_came_on_top_is_ours(
    seen: str, before: str, done: str, verdict: str | AmbiguousTraces | None
) -> None:
    assert compared([Trace(each, NOON) for each in seen], frozenset(before), list(done)) == verdict


@pytest.mark.parametrize(
    ("part_made_at", "traces_made_at", "kept"),
    [
        (None, [NOON, None], [NOON, None]),
        (NOON, [None, NOON, NOON - ROOM], [None, NOON, NOON - ROOM]),
        (NOON, [NOON - ROOM - timedelta(seconds=1), NOON], [NOON]),
    ],
)
def test_a_print_is_older_than_the_part_only_by_times_that_eiger_says(
    part_made_at: datetime | None, traces_made_at: list[datetime | None], kept: list[datetime | None]
) -> None:
    found = not_surely_older([Trace("a", each) for each in traces_made_at], part_made_at)
    assert [trace.made_at for trace in found] == kept


def test_a_build_is_attached_if_a_person_named_it() -> None:
    def history(event: str, detail: str) -> list[SubmissionEvent]:
        return [SubmissionEvent(NOON, EventKind.CLAIMED, ""), SubmissionEvent(NOON, event, detail)]

    assert was_attached(history(EventKind.BUILD_ATTACHED, f"{OURS.id}, by a person"), OURS.id)
    assert not was_attached(history(EventKind.BUILD_ATTACHED, f"{THEIRS.id}, by a person"), OURS.id)
    assert not was_attached(history(EventKind.BUILD_FOUND, f"{OURS.id}"), OURS.id)
