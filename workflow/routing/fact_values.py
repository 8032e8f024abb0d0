"""Values of facts: which kind they are, how people write them, and how messages show them."""

import math

from workflow.model import FactValue
from workflow.routing.facts import NUMERIC, TEXTUAL, FactKind
from workflow.routing.matchers import parse_minute, parse_number, parse_weekday


def is_of_kind(value: FactValue, kind: FactKind) -> bool:
    """True if a value is of the kind that the table of facts says."""
    if kind in TEXTUAL:
        return isinstance(value, str)
    if kind in {FactKind.TIME, FactKind.WEEKDAY}:
        read = parse_minute if kind is FactKind.TIME else parse_weekday
        return isinstance(value, str) and read(value) is not None
    if kind in NUMERIC:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return isinstance(value, bool)


def parse_flag(text: str) -> bool | None:
    """Return what `true` or `false` says, in any case; None for any other text."""
    return {"true": True, "false": False}.get(text.strip().casefold())


def parse_fact_value(text: str, kind: FactKind) -> FactValue | None:
    """Return the value that a text says for a fact of this kind; None when it says none."""
    if kind is FactKind.FLAG:
        return parse_flag(text)
    if kind not in NUMERIC:
        return text if is_of_kind(text, kind) else None
    number = parse_number(text)
    if number is None or number < 0 or (kind is FactKind.COUNT and not number.is_integer()):
        return None
    return int(number) if kind is FactKind.COUNT else number


def format_value(value: FactValue) -> str:
    """Return a value as people read it: `true`, `48,210`, `6.5`, `'rush/x.stl'`."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f"'{value}'"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.3f}".rstrip("0").rstrip(".")
