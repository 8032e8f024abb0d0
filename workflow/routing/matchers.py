"""Values that a rule wants of a fact: intervals of numbers, times of day, weekdays."""

import math
import re

from workflow.frozen import frozen

NUMBER_PATTERN = r"[+-]?\d+(?:\.\d+)?"
COMPARISON_REGEX = re.compile(rf"(>=|<=|==|>|<)\s*({NUMBER_PATTERN})")
_RANGE = re.compile(rf"({NUMBER_PATTERN})\s*\.\.\s*({NUMBER_PATTERN})")
_PLAIN = re.compile(NUMBER_PATTERN)


@frozen
class Interval:
    """Numbers from `low` to `high`; both included unless they are open."""

    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False

    def __str__(self) -> str:
        """Return the interval as rules write it."""
        if self.low == self.high:
            return f"{self.low:g}"
        if math.isinf(self.high):
            return f"{'>' if self.low_open else '>='} {self.low:g}"
        if math.isinf(self.low):
            return f"{'<' if self.high_open else '<='} {self.high:g}"
        return f"{self.low:g}..{self.high:g}"

    @property
    def is_empty(self) -> bool:
        """True if no number is in the interval."""
        open_end = self.low_open or self.high_open
        return self.low > self.high or (self.low == self.high and open_end)

    def matches(self, number: float) -> bool:
        """True if the number is in the interval."""
        above = number > self.low or (number == self.low and not self.low_open)
        return above and (number < self.high or (number == self.high and not self.high_open))

    def intersect(self, other: "Interval") -> "Interval":
        """Return the numbers that are in both."""
        low, high = max(self.low, other.low), min(self.high, other.high)
        low_open = any(each.low == low and each.low_open for each in (self, other))
        high_open = any(each.high == high and each.high_open for each in (self, other))
        return Interval(low, high, low_open, high_open)


NOT_NEGATIVE = Interval(low=0)


def parse_interval(text: str) -> Interval:
    """Return the interval of `> 5`, `<= 5`, `== 5`, `5..10` (with both ends) or `5`. Raises ValueError."""
    if found := _RANGE.fullmatch(text):
        return Interval(float(found[1]), float(found[2]))
    if _PLAIN.fullmatch(text):
        return Interval(float(text), float(text))
    if found := COMPARISON_REGEX.fullmatch(text):
        return _interval_from_comparison(found[1], float(found[2]))
    raise ValueError(f"`{text}` is none")


def parse_number(text: str) -> float | None:
    """Return the number that a text is; None for any other text, and for digits without end."""
    number = float(text) if _PLAIN.fullmatch(text.strip()) else math.inf
    return number if math.isfinite(number) else None


def _interval_from_comparison(sign: str, number: float) -> Interval:
    match sign:
        case ">":
            return Interval(low=number, low_open=True)
        case ">=":
            return Interval(low=number)
        case "<":
            return Interval(high=number, high_open=True)
        case "<=":
            return Interval(high=number)
    return Interval(number, number)


WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
TIME_PATTERN = r"([01]?\d|2[0-3]):([0-5]\d)"
TIME_FORMS = 'write 08:00..16:30, 22:00..06:00 or ">= 17:00"'
DAY_FORMS = "write mon, mon..fri or a list of days"
_TIME_REGEX = re.compile(TIME_PATTERN)
_WINDOW = re.compile(rf"{TIME_PATTERN}\s*\.\.\s*{TIME_PATTERN}")
_TIME_COMPARISON_REGEX = re.compile(rf"(>=|<=|>|<)\s*{TIME_PATTERN}")
_DAYS = re.compile(r"([a-z]+)\s*(?:\.\.\s*([a-z]+))?", re.IGNORECASE)
_SHORT = 3
_LAST_MINUTE = 24 * 60 - 1


@frozen
class TimeWindow:
    """Minutes of the day from `start` to `end`, both included; over midnight where `end` is earlier."""

    start: int
    end: int

    def matches(self, minute: int) -> bool:
        """True if the minute is in the window."""
        if self.start <= self.end:
            return self.start <= minute <= self.end
        return minute >= self.start or minute <= self.end

    def spans(self) -> tuple[tuple[int, int], ...]:
        """Return the window as one span of minutes, or as two where it goes over midnight."""
        if self.start <= self.end:
            return ((self.start, self.end),)
        return ((0, self.end), (self.start, _LAST_MINUTE))


@frozen
class Weekdays:
    """Some days of the week; Monday is 0."""

    days: frozenset[int]

    def matches(self, day: int) -> bool:
        """True if the day is one of them."""
        return day in self.days


def format_window(window: tuple[int, int]) -> str:
    """Return a window of minutes as people read it: `from 17:00`, or `between 22:00 and 06:00`."""
    start, end = (f"{minute // 60:02}:{minute % 60:02}" for minute in window)
    return f"from {start}" if window[1] == _LAST_MINUTE else f"between {start} and {end}"


def parse_minute(text: str) -> int | None:
    """Return `17:05` as minutes since midnight; None when the text is no time."""
    found = _TIME_REGEX.fullmatch(text.strip())
    return None if found is None else 60 * int(found[1]) + int(found[2])


def parse_weekday(text: str) -> int | None:
    """Return the number of the day for `fri` or `Friday`; None when the text is no day."""
    word = text.strip().lower()
    days = (at for at, day in enumerate(WEEKDAYS) if word in {day, day[:_SHORT]})
    return next(days, None)


def parse_time_window(text: str) -> TimeWindow:
    """Return the window of `08:00..16:30`, `22:00..06:00` or `>= 17:00`. Raises ValueError."""
    if found := _WINDOW.fullmatch(text.strip()):
        return TimeWindow(60 * int(found[1]) + int(found[2]), 60 * int(found[3]) + int(found[4]))
    if found := _TIME_COMPARISON_REGEX.fullmatch(text.strip()):
        return _window_of(found[1], 60 * int(found[2]) + int(found[3]))
    if parse_minute(text) is not None:
        raise ValueError(f"`{text}` is only one minute long")
    raise ValueError(f"`{text}` is no time of day")


def parse_opening(text: str) -> TimeWindow:
    """Return the window from a time like `17:00` to midnight. Raises ValueError with a sentence."""
    minute = parse_minute(text)
    if minute is None:
        raise ValueError(f"`{text}` is no time of day")
    return TimeWindow(minute, _LAST_MINUTE)


def parse_weekdays(text: str) -> Weekdays:
    """Return the days of `mon`, `monday` or `fri..mon`. Raises ValueError with a sentence for people."""
    found = _DAYS.fullmatch(text.strip())
    first = None if found is None else parse_weekday(found[1])
    last = first if found is None or found[2] is None else parse_weekday(found[2])
    if first is None or last is None:
        raise ValueError(f"`{text}` is no weekday")
    return Weekdays(frozenset((first + step) % 7 for step in range((last - first) % 7 + 1)))


def _window_of(sign: str, minute: int) -> TimeWindow:
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
    return TimeWindow(*window)
