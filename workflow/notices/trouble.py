"""When people hear of trouble: after it lasted, once; once more when it is over; at most hourly per kind."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from workflow.model import NoticeEvent, TroubleState

CLOUD, SHARE, RULES, HANGING, ARRIVAL = "cloud", "share", "rules", "hanging", "arrival"
_LASTING: Mapping[str, timedelta] = {SHARE: timedelta(minutes=5), HANGING: timedelta(0)}
_LASTING_OTHERWISE = timedelta(minutes=2)
HOURLY = timedelta(hours=1)


def advance_trouble(
    state: TroubleState, problem: str | None, now: datetime
) -> tuple[TroubleState, NoticeEvent | None]:
    """Return the state after a check that found a problem or none, and what people are told, if anything.

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
