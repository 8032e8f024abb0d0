"""Weekdays and times of day, and reading them as rules write them."""

import re
from dataclasses import dataclass

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
TIME = r"([01]?\d|2[0-3]):([0-5]\d)"
TIME_FORMS = 'write 08:00..16:30, 22:00..06:00 or ">= 17:00"'
DAY_FORMS = "write mon, mon..fri or a list of days"
_TIME = re.compile(TIME)
_WINDOW = re.compile(rf"{TIME}\s*\.\.\s*{TIME}")
_COMPARED = re.compile(rf"(>=|<=|>|<)\s*{TIME}")
_DAYS = re.compile(r"([a-z]+)\s*(?:\.\.\s*([a-z]+))?", re.IGNORECASE)
_SHORT = 3
_LAST_MINUTE = 24 * 60 - 1


@dataclass(frozen=True, slots=True)
class Window:
    """Minutes of the day from `start` to `end`, both belong to it; over midnight where `end` is earlier."""

    start: int
    end: int

    def takes(self, minute: int) -> bool:
        """Tell whether the minute lies in the window."""
        if self.start <= self.end:
            return self.start <= minute <= self.end
        return minute >= self.start or minute <= self.end

    def spans(self) -> tuple[tuple[int, int], ...]:
        """Give the window as one span of minutes, or as two where it goes over midnight."""
        if self.start <= self.end:
            return ((self.start, self.end),)
        return ((0, self.end), (self.start, _LAST_MINUTE))


@dataclass(frozen=True, slots=True)
class Days:
    """Some days of the week; Monday is 0."""

    days: frozenset[int]

    def takes(self, day: int) -> bool:
        """Tell whether the day is one of them."""
        return day in self.days


def minute_of(text: str) -> int | None:
    """Read `17:05` as minutes since midnight; None when it is no time."""
    found = _TIME.fullmatch(text.strip())
    return None if found is None else 60 * int(found[1]) + int(found[2])


def day_of(text: str) -> int | None:
    """Read `fri` or `Friday` as the number of a day; None when it is none."""
    word = text.strip().lower()
    days = (at for at, day in enumerate(WEEKDAYS) if word in {day, day[:_SHORT]})
    return next(days, None)


def read_window(text: str) -> Window:
    """Read `08:00..16:30`, `22:00..06:00` or `>= 17:00`. Raises ValueError with a sentence for people."""
    if found := _WINDOW.fullmatch(text.strip()):
        return Window(60 * int(found[1]) + int(found[2]), 60 * int(found[3]) + int(found[4]))
    if found := _COMPARED.fullmatch(text.strip()):
        return _compared(found[1], 60 * int(found[2]) + int(found[3]))
    if minute_of(text) is not None:
        raise ValueError(f"`{text}` is only one minute long")
    raise ValueError(f"`{text}` is no time of day")


def read_days(text: str) -> Days:
    """Read `mon`, `monday` or `fri..mon`. Raises ValueError with a sentence for people."""
    found = _DAYS.fullmatch(text.strip())
    first = None if found is None else day_of(found[1])
    last = first if found is None or found[2] is None else day_of(found[2])
    if first is None or last is None:
        raise ValueError(f"`{text}` is no weekday")
    return Days(frozenset((first + step) % 7 for step in range((last - first) % 7 + 1)))


def _compared(sign: str, minute: int) -> Window:
    match sign:
        case ">=":
            window = minute, _LAST_MINUTE
        case ">":
            window = minute + 1, _LAST_MINUTE
        case "<=":
            window = 0, minute
        case _:
            window = 0, minute - 1
    if window[0] > window[1]:
        raise ValueError(f"no time of day is `{sign} {minute // 60:02}:{minute % 60:02}`")
    return Window(*window)
