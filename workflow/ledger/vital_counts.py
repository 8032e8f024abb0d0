"""What is counted for monitors: submissions, steps, holds, and how long the last steps took."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from sqlalchemy import Column, ColumnElement, Connection, Select, func, select

from workflow.frozen import frozen
from workflow.ledger.changes import seconds_now
from workflow.ledger.store import Store
from workflow.ledger.tables import events, submissions
from workflow.model import EventKind, SubmissionState

EVENTS_READ = 5000
"""The durations are those of the newest events: a scan of all would grow with the history."""
DURATIONS_SECONDS = 24 * 3600.0
_ENDED_STEPS: Mapping[str, str] = {
    EventKind.INSPECTED: "inspect",
    EventKind.UPLOADED: "upload",
    EventKind.SLICED: "slice",
    EventKind.ROUTED: "route",
    EventKind.DISPATCHED: "send",
}
"""What has just ended with each of these events."""
_RESTARTS = {EventKind.CLAIMED, EventKind.RELEASED, EventKind.RETRIED, EventKind.BUILD_ATTACHED}


@frozen
class VitalCounts:
    """How much there is of everything. Ages and durations are seconds; None where there is nothing."""

    by_state: Mapping[str, int]
    by_hold: Mapping[str, int]
    steps_due: Mapping[str, int]
    steps_running: Mapping[str, int]
    oldest_held_seconds: float | None
    oldest_due_seconds: float | None
    durations: Mapping[str, tuple[float, ...]]
    """Of each step, how long it took for the newest parts, the shortest first."""


class VitalCountStore(Store):
    """Counts over the indexes of submissions."""

    def read(self) -> VitalCounts:
        """Return what there is now."""
        now, c = seconds_now(), submissions.c
        held, has_step = c.state == SubmissionState.HELD.value, c.step.is_not(None)
        is_due = has_step & (c.due_at <= now)
        with self.read_connection() as connection:
            return VitalCounts(
                by_state=_count(connection, c.state),
                by_hold=_count(connection, c.hold, held),
                steps_due=_count(connection, c.step, is_due),
                steps_running=_count(connection, c.step, has_step & c.due_at.is_(None)),
                oldest_held_seconds=_age(connection, _held_since(held), now),
                oldest_due_seconds=_age(connection, select(c.due_at).where(is_due), now),
                durations=_durations(connection, now - DURATIONS_SECONDS),
            )


def _count(
    connection: Connection, column: Column[str], condition: ColumnElement[bool] | None = None
) -> dict[str, int]:
    query = select(column, func.count()).group_by(column)
    query = query if condition is None else query.where(condition)
    return {str(word or ""): int(number) for word, number in connection.execute(query)}


def _held_since(held: ColumnElement[bool]) -> Select[tuple[float]]:
    """Return the query for when each held submission was held last; a join could read all events."""
    of_holds = (events.c.submission == submissions.c.id) & (events.c.event == EventKind.HELD.value)
    last = select(func.max(events.c.at)).where(of_holds).correlate(submissions).scalar_subquery()
    return select(last).where(held)


def _age(connection: Connection, times: Select[tuple[float]], now: float) -> float | None:
    (moment,) = times.subquery().c
    oldest = connection.execute(select(func.min(moment))).scalar_one_or_none()
    return None if oldest is None else max(now - float(oldest), 0.0)


def _durations(connection: Connection, since: float) -> dict[str, tuple[float, ...]]:
    newest = select(events.c.submission, events.c.at, events.c.event).order_by(events.c.id.desc())
    rows = connection.execute(newest.limit(EVENTS_READ)).all()
    return step_durations((row.submission, row.at, row.event) for row in reversed(rows) if row.at >= since)


def step_durations(seen: Iterable[tuple[int, float, str]]) -> dict[str, tuple[float, ...]]:
    """Return how long each step took, given number, time and kind of events in their order.

    A step that waited for a person is not counted: it began again with the person's decision.
    """
    began: dict[int, float] = {}
    found: dict[str, list[float]] = defaultdict(list)
    for number, at, event in seen:
        step = _ENDED_STEPS.get(event)
        if step is not None and number in began:
            found[step].append(max(at - began[number], 0.0))
        if step is not None or event in _RESTARTS:
            began[number] = at
        elif event == EventKind.HELD:
            began.pop(number, None)
    return {step: tuple(sorted(times)) for step, times in found.items()}
