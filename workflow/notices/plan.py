"""When a notice is sent, with which others, and when a trouble becomes one: pure decisions."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta, tzinfo

from workflow.frozen import frozen
from workflow.model import Notice, NoticeEvent, TroubleState

MAX_GATHER = timedelta(minutes=5)
"""However many come one after the other, the first is told by then."""
MAX_SINGLE = 3
"""More than these, gathered for one target, become one digest."""
GIVE_UP_AFTER = timedelta(hours=24)
_BACKOFF_SECONDS = (10, 30, 60, 120, 300, 600, 1800, 3600)
_LONGEST_BACKOFF = timedelta(seconds=max(_BACKOFF_SECONDS))
"""What is dated later was written while the clock was wrong, and is due."""
TROUBLES = frozenset({NoticeEvent.TROUBLE, NoticeEvent.TROUBLE_OVER})


@frozen
class NoticePolicy:
    """When notices may be sent: `quiet` are hours of the shop's time in which only `urgent` ones are."""

    gather: timedelta = timedelta(seconds=30)
    quiet: tuple[time, time] | None = None
    urgent: frozenset[NoticeEvent] = frozenset()
    zone: tzinfo | None = None


@frozen
class Plan:
    """What to do now: each batch is one message. `expired` were tried for a day.

    `superseded` say of a file what a later notice says again, with the news of that time.
    """

    batches: tuple[tuple[Notice, ...], ...] = ()
    expired: tuple[Notice, ...] = ()
    superseded: tuple[Notice, ...] = ()


def retry_seconds(tries: int) -> float:
    """Return how long to wait after a number of tries that failed."""
    return float(_BACKOFF_SECONDS[min(max(tries, 1), len(_BACKOFF_SECONDS)) - 1])


def is_quiet(now: datetime, policy: NoticePolicy) -> bool:
    """True in the quiet hours; they may go past midnight."""
    if policy.quiet is None:
        return False
    begin, end = policy.quiet
    present = now.astimezone(policy.zone).time().replace(tzinfo=None)
    return begin <= present < end if begin < end else present >= begin or present < end


def plan_messages(waiting: Sequence[Notice], now: datetime, policy: NoticePolicy) -> Plan:
    """Return what to send now of the notices that wait, and which of them to give up."""
    expired = tuple(each for each in waiting if each.tries and now - each.at >= GIVE_UP_AFTER)
    superseded = tuple(_superseded(waiting))
    by_target: dict[str, list[Notice]] = defaultdict(list)
    for each in waiting:
        if each not in expired and each not in superseded:
            by_target[each.target].append(each)
    batches = tuple(batch for rows in by_target.values() for batch in _batches(rows, now, policy))
    return Plan(batches, expired, superseded)


def _superseded(waiting: Sequence[Notice]) -> Iterator[Notice]:
    """Yield the notices that are not sent yet and have a later one of the same event of the same file."""
    latest = {(each.target, each.event, each.submission): each.id for each in waiting}
    for each in waiting:
        is_last = latest[each.target, each.event, each.submission] == each.id
        if each.submission is not None and each.message is None and not is_last:
            yield each


def _batches(rows: Sequence[Notice], now: datetime, policy: NoticePolicy) -> Iterator[tuple[Notice, ...]]:
    """Yield the messages of one target that are due; one that may have arrived is repeated as it was."""
    latest = now + _LONGEST_BACKOFF
    if any(each.tries and each.due_at is not None and now < each.due_at <= latest for each in rows):
        return  # the target did not answer: everything for it waits for the next try
    repeated: dict[str, list[Notice]] = defaultdict(list)
    for each in rows:
        if each.message is not None:
            repeated[each.message].append(each)
    yield from map(tuple, repeated.values())
    quiet = is_quiet(now, policy)
    fresh = [each for each in rows if each.message is None and (not quiet or _is_urgent(each, policy))]
    yield from ((each,) for each in fresh if each.event in TROUBLES)
    files = [each for each in fresh if each.event not in TROUBLES]
    if files and now >= _gathered_at(files, now, policy):
        yield from ((each,) for each in files) if len(files) <= MAX_SINGLE else (tuple(files),)


def _gathered_at(files: Sequence[Notice], now: datetime, policy: NoticePolicy) -> datetime:
    """Return when no more is waited for: some time after the last one, or at the latest after the first."""
    dated = [each.at if each.at <= now + _LONGEST_BACKOFF else now - MAX_GATHER for each in files]
    untried = [at for at, each in zip(dated, files, strict=True) if not each.tries] or dated[:1]
    return min(max(untried) + policy.gather, min(untried) + MAX_GATHER)


def _is_urgent(notice: Notice, policy: NoticePolicy) -> bool:
    event = NoticeEvent.TROUBLE if notice.event is NoticeEvent.TROUBLE_OVER else notice.event
    return event in policy.urgent


CLOUD, SHARE, RULES, HANGING, ARRIVAL = "cloud", "share", "rules", "hanging", "arrival"
_LASTING: Mapping[str, timedelta] = {SHARE: timedelta(minutes=5), HANGING: timedelta(0)}
_LASTING_OTHERWISE = timedelta(minutes=2)
HOURLY = timedelta(hours=1)


def advance_trouble(
    state: TroubleState, problem: str | None, now: datetime
) -> tuple[TroubleState, NoticeEvent | None]:
    """Return the state after a check that found a problem or none, and what people are told, if anything.

    They hear of a trouble after it lasted, once; once more when it is over; at most hourly per kind.
    A trouble is over once it was away for as long as it has to last: one that comes and goes is one trouble.
    """
    lasting = _LASTING.get(state.kind.partition(" ")[0], _LASTING_OTHERWISE)
    if problem is not None:
        since = min(state.since or now, now)  # the clock may have been wrong, and was put back
        going_on = replace(state, since=since, fine_since=None, words=problem)
        is_due = state.told_at is None or not timedelta(0) <= now - state.told_at < HOURLY
        if state.is_told or not is_due or now - since < lasting:
            return going_on, None
        return replace(going_on, is_told=True, told_at=now), NoticeEvent.TROUBLE
    if state.since is None:
        return state, None
    fine_since = min(state.fine_since or now, now)
    seems_over = replace(state, fine_since=fine_since)
    if now - fine_since < lasting:
        return seems_over, None
    told = NoticeEvent.TROUBLE_OVER if state.is_told else None
    return replace(state, since=None, fine_since=None, is_told=False), told
