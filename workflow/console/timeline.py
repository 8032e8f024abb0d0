"""A timeline as numbers for an SVG: rows of bars over the next hours, in percent of the width."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta, tzinfo

from workflow.frozen import frozen

DAY_HOURS, WEEK_HOURS = 24, 168
ROW_HEIGHT, TOP, BAR_HEIGHT, BAR_DOWN = 46, 26, 16, 22
TICKS = {DAY_HOURS: 3, WEEK_HOURS: 24}
"""Hours between two lines."""
NARROWEST = 0.4
"""Percent: a shorter bar can't be seen."""


@frozen
class Bar:
    """One bar; `kind` is its CSS class. `x` and `width` are percent, `y` pixels."""

    x: float
    width: float
    y: int
    kind: str
    text: str


@frozen
class Tick:
    """A vertical line at a full hour or day."""

    x: float
    text: str


@frozen
class RowName:
    """The name above a row's bars; `y` is the base line of its text."""

    name: str
    y: int


@frozen
class Timeline:
    """Everything that the SVG draws; `height` in pixels, the width is the page's."""

    height: int
    bar_height: int
    rows: tuple[RowName, ...]
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]


def draw_timeline(
    names: Sequence[str],
    bars: Iterable[tuple[int, datetime, datetime, str, str]],
    begin: datetime,
    hours: int,
    zone: tzinfo | None,
) -> Timeline:
    """Return the timeline of named rows; each bar is its row, begin, end, kind and text."""
    length = timedelta(hours=hours)

    def share(moment: datetime) -> float:
        return round(100 * min(max((moment - begin) / length, 0.0), 1.0), 2)

    drawn = [
        Bar(
            share(start),
            max(round(share(end) - share(start), 2), NARROWEST),
            TOP + row * ROW_HEIGHT + BAR_DOWN,
            kind,
            text,
        )
        for row, start, end, kind, text in bars
        if end > begin and start < begin + length
    ]
    rows = tuple(RowName(name, TOP + row * ROW_HEIGHT + 16) for row, name in enumerate(names))
    height = TOP + len(rows) * ROW_HEIGHT + 4
    return Timeline(height, BAR_HEIGHT, rows, tuple(drawn), tuple(_ticks(begin, hours, zone)))


def _ticks(begin: datetime, hours: int, zone: tzinfo | None) -> Iterator[Tick]:
    """Yield lines at full hours of the shop, or at midnights."""
    step = TICKS[hours]
    local = begin.astimezone(zone).replace(minute=0, second=0, microsecond=0)
    at = local.replace(hour=local.hour - local.hour % step if step < DAY_HOURS else 0)
    end = begin + timedelta(hours=hours)
    while at < end:
        at += timedelta(hours=step)
        if begin < at < end:
            x = round(100 * ((at - begin) / timedelta(hours=hours)), 2)
            yield Tick(
                x, f"{at.astimezone(zone):%a %d}" if step == DAY_HOURS else f"{at.astimezone(zone):%H:%M}"
            )
