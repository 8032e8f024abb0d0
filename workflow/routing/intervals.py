"""Intervals of numbers, and reading them as rules write them."""

import math
import re
from dataclasses import dataclass

NUMBER = r"[+-]?\d+(?:\.\d+)?"
COMPARISON = re.compile(rf"(>=|<=|==|>|<)\s*({NUMBER})")
_RANGE = re.compile(rf"({NUMBER})\s*\.\.\s*({NUMBER})")
_PLAIN = re.compile(NUMBER)


@dataclass(frozen=True, slots=True)
class Interval:
    """Numbers from `low` to `high`; the ends belong to it unless they are open."""

    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False

    def __str__(self) -> str:
        """Give the interval as rules write it."""
        if self.low == self.high:
            return f"{self.low:g}"
        if math.isinf(self.high):
            return f"{'>' if self.low_open else '>='} {self.low:g}"
        if math.isinf(self.low):
            return f"{'<' if self.high_open else '<='} {self.high:g}"
        return f"{self.low:g}..{self.high:g}"

    @property
    def is_empty(self) -> bool:
        """Tell whether no number lies in the interval."""
        open_end = self.low_open or self.high_open
        return self.low > self.high or (self.low == self.high and open_end)

    def takes(self, number: float) -> bool:
        """Tell whether the number lies in the interval."""
        above = number > self.low or (number == self.low and not self.low_open)
        return above and (number < self.high or (number == self.high and not self.high_open))

    def covers(self, other: "Interval") -> bool:
        """Tell whether every number of the other lies in this one."""
        return self.overlap(other) == other

    def overlap(self, other: "Interval") -> "Interval":
        """Give the numbers that lie in both."""
        low, high = max(self.low, other.low), min(self.high, other.high)
        low_open = any(each.low == low and each.low_open for each in (self, other))
        high_open = any(each.high == high and each.high_open for each in (self, other))
        return Interval(low, high, low_open, high_open)


NOT_NEGATIVE = Interval(low=0)


def read_interval(text: str) -> Interval:
    """Read `> 5`, `<= 5`, `== 5`, `5..10` (both ends belong to it) or `5`. Raises ValueError."""
    if found := _RANGE.fullmatch(text):
        return Interval(float(found[1]), float(found[2]))
    if _PLAIN.fullmatch(text):
        return Interval(float(text), float(text))
    if found := COMPARISON.fullmatch(text):
        return _compared(found[1], float(found[2]))
    raise ValueError(f"`{text}` is none")


def read_number(text: str) -> float | None:
    """Read a plain number; None when it is none."""
    return float(text) if _PLAIN.fullmatch(text.strip()) else None


def _compared(sign: str, number: float) -> Interval:
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
