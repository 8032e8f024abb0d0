"""Due dates: a date, a number of days from the day of the decision, or a date in the file's name."""

import re
from collections.abc import Sequence
from datetime import date, timedelta

from workflow.frozen import frozen
from workflow.model import Facts
from workflow.routing.facts import TAG_PREFIX

DUE_FORMS = "`2026-12-24`, `+3 days`, `+3 working days` or `tag.due`"
HOLIDAY_FORMS = "write 12-25 for every year, 2026-12-24, or 2026-12-24..2027-01-01"
MAX_DAYS_AHEAD = 3650
_SATURDAY = 5
_LEAP_YEAR = 2028
_RELATIVE = re.compile(r"\+\s*(\d{1,6})\s+(working\s+)?days?")
_EVERY_YEAR = re.compile(r"(\d{2})-(\d{2})")
_YEAR_FIRST = re.compile(r"(\d{4})([-._]?)(\d{2})\2(\d{2})")
_DAY_FIRST = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")


@frozen
class Holiday:
    """Days on which nobody works: from `first` to `last`; `yearly` for any year, by month and day alone."""

    first: date
    last: date
    yearly: bool = False

    def contains(self, day: date) -> bool:
        """True if the day is a holiday."""
        if self.yearly:
            return (day.month, day.day) == (self.first.month, self.first.day)
        return self.first <= day <= self.last


Holidays = tuple[Holiday, ...]


@frozen
class DueDate:
    """When a build is due: a fixed date, `days` from the day of the decision, or the date of a `tag`.

    Working days are Monday to Friday without the holidays of the rules file.
    """

    on: date | None = None
    days: int = 0
    working: bool = False
    tag: str | None = None

    def day(self, today: date, facts: Facts, holidays: Holidays) -> date | None:
        """Return the date, counted from today; None when the file's name has no such tag."""
        if self.tag is not None:
            return parse_name_date(str(facts.get(self.tag, "")))
        if self.on is not None:
            return self.on
        return _add_working_days(today, self.days, holidays) if self.working else today + timedelta(self.days)


def parse_due(text: str) -> DueDate:
    """Return the due date that a rule asks for. Raises ValueError with a sentence for people."""
    if text.startswith(TAG_PREFIX):
        return DueDate(tag=text)
    relative = _RELATIVE.fullmatch(text.strip())
    if relative is None:
        return DueDate(on=_parse_date(text.strip(), f"is no due date: write {DUE_FORMS}"))
    days = int(relative[1])
    if days > MAX_DAYS_AHEAD:
        raise ValueError(f"{days} days are more than ten years: shorten it")
    return DueDate(days=days, working=relative[2] is not None)


def parse_holiday(text: str) -> Holiday:
    """Return the holiday that a list entry names. Raises ValueError with a sentence for people."""
    if yearly := _EVERY_YEAR.fullmatch(text.strip()):
        day = _parse_date(f"{_LEAP_YEAR}-{yearly[0]}", "is no holiday")
        return Holiday(day, day, yearly=True)
    first, dots, last = text.partition("..")
    begin = _parse_date(first.strip(), f"is no holiday: {HOLIDAY_FORMS}")
    end = _parse_date(last.strip(), f"is no holiday: {HOLIDAY_FORMS}") if dots else begin
    if end < begin:
        raise ValueError(f"`{text}` has no days: write the earlier one first")
    if (end - begin).days > MAX_DAYS_AHEAD:
        raise ValueError(f"`{text}` is more than ten years: shorten it")
    return Holiday(begin, end)


def parse_name_date(text: str) -> date | None:
    """Return the date of `2026-12-24`, `20261224` or `24.12.2026`; None for any other text.

    A month before a day, or a year of two digits, can be read two ways and is not taken.
    """
    if found := _YEAR_FIRST.fullmatch(text):
        year, month, day = found[1], found[3], found[4]
    elif found := _DAY_FIRST.fullmatch(text):
        day, month, year = found[1], found[2], found[3]
    else:
        return None
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _parse_date(text: str, fault: str) -> date:
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) is None:
        raise ValueError(f"`{text}` {fault}")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"there is no day {text} in the calendar") from None


def _add_working_days(start: date, days: int, holidays: Sequence[Holiday]) -> date:
    """Return the working day that is `days` after the start; the first one from the start on for 0."""
    day = start
    for _ in range(2 * MAX_DAYS_AHEAD):
        if days <= 0 and _is_working_day(day, holidays):
            break
        day += timedelta(1)
        days -= _is_working_day(day, holidays)
    return day


def _is_working_day(day: date, holidays: Sequence[Holiday]) -> bool:
    return day.weekday() < _SATURDAY and not any(each.contains(day) for each in holidays)
