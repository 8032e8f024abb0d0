"""Points in time as people type them: a date, a date and time, `today`, or how long ago."""

import re
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any

import click

_AGO = re.compile(r"(\d{1,6}) ?(min|h|d|w)")
_SECONDS = {"min": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DAYS_BACK = {"today": 0, "yesterday": 1}
FORMS = "2026-11-28, 2026-11-28T14:30, today, yesterday, 90min, 12h, 3d or 2w"


def parse_moment(text: str, now: datetime, zone: tzinfo | None) -> datetime:
    """Return the moment that a text means, aware; a day is its beginning in the shop. Raises ValueError."""
    word = text.strip().lower()
    if (ago := _AGO.fullmatch(word)) is not None:
        return now - timedelta(seconds=int(ago[1]) * _SECONDS[ago[2]])
    if word in _DAYS_BACK:
        day = now.astimezone(zone).date() - timedelta(days=_DAYS_BACK[word])
        return _in_zone(datetime.combine(day, time.min), zone)
    moment = datetime.fromisoformat(text.strip())
    return moment if moment.tzinfo is not None else _in_zone(moment, zone)


def _in_zone(moment: datetime, zone: tzinfo | None) -> datetime:
    return moment.replace(tzinfo=zone) if zone is not None else moment.astimezone()


class MomentText(click.ParamType[str]):
    """A point in time; a wrong one is refused with the forms that there are."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text as it was given, once it is known to be a time. Raises BadParameter."""
        try:
            parse_moment(str(value), datetime.now(UTC), UTC)
        except (ValueError, OverflowError):
            self.fail(f"'{value}' is no time. Write {FORMS}.", param, ctx)
        return str(value)
