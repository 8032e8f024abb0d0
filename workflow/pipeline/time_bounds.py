"""The time from which to search the cloud for what stlflow did: the one place where two clocks meet.

No clock is trusted. Eiger's front end (the `Date` of a reply), its database (`created_at`) and this
machine may each be wrong by minutes, a machine by days: the earliest of all that is known counts, with ample
room. Looking too far back costs a few requests; looking not far enough hides what was done.
"""

from datetime import datetime, timedelta

ROOM = timedelta(hours=1)


def not_before(*times: datetime | None) -> datetime:
    """Return a time before which nothing was made that is not older than all of these; None is unknown.

    Raises ValueError when none is known.
    """
    return min(time for time in times if time is not None) - ROOM
