"""Due dates: a date, or so many days from the day of the decision."""

import re
from dataclasses import dataclass
from datetime import date, timedelta

DUE_FORMS = "`2026-12-24`, `+3 days` or `+3 working days`"
MAX_DAYS_AHEAD = 3650
_SATURDAY = 5
_RELATIVE = re.compile(r"\+\s*(\d{1,6})\s+(working\s+)?days?")


@dataclass(frozen=True, slots=True)
class DueDate:
    """When a build is due: a fixed date, or `days` from the day of the decision.

    Working days are Monday to Friday; holidays are not known.
    """

    on: date | None = None
    days: int = 0
    working: bool = False

    def day(self, today: date) -> date:
        """Give the date, counted from today."""
        if self.on is not None:
            return self.on
        return _add_working_days(today, self.days) if self.working else today + timedelta(self.days)


def parse_due(text: str) -> DueDate:
    """Read a due date as rules write it. Raises ValueError with a sentence for people."""
    relative = _RELATIVE.fullmatch(text.strip())
    if relative is None:
        return DueDate(on=_parse_date(text.strip()))
    days = int(relative[1])
    if days > MAX_DAYS_AHEAD:
        raise ValueError(f"{days} days are more than ten years: shorten it")
    return DueDate(days=days, working=relative[2] is not None)


def _parse_date(text: str) -> date:
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) is None:
        raise ValueError(f"`{text}` is no due date: write {DUE_FORMS}")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"there is no day {text} in the calendar") from None


def _add_working_days(start: date, days: int) -> date:
    day = start
    while days > 0 or day.weekday() >= _SATURDAY:
        day += timedelta(1)
        days -= day.weekday() < _SATURDAY
    return day
