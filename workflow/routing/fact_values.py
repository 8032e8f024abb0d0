"""Values of facts: how people write them, how messages show them, and their defaults in rule tests."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from workflow.model import DeviceFacts, Facts, FactValue
from workflow.routing.build_volumes import BuildVolume, fit_facts
from workflow.routing.facts import BUILD_PREFIX, FACT_TABLE, NUMERIC, TEXTUAL, FactKind
from workflow.routing.matchers import WEEKDAYS, parse_minute, parse_number, parse_weekday


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


_SIZES = ("x_mm", "y_mm", "z_mm")
_UNKNOWN_SERIES = "Unknown"


def add_default_facts(
    given: Facts, *, sliced: bool, today: date, volumes: Sequence[BuildVolume] = ()
) -> Facts:
    """Return the facts of a test with defaults for those it does not give; of a build if it is `sliced`.

    What is given decides what follows from it: the sizes, the printers that such a part fits, the volume of
    an open mesh, the day of the week.
    """
    derived = _derive_facts(given, sliced=sliced, today=today)
    x, y, z = (float({**derived, **given}[name]) for name in _SIZES)
    fits = fit_facts((x, y, z), volumes)
    return {**_table_defaults(sliced), **derived, **fits, **given}


def add_default_series(devices: tuple[DeviceFacts, ...], facts: Facts) -> tuple[DeviceFacts, ...]:
    """Return the devices of a test; those without a series are of the build's."""
    series = str(facts.get(f"{BUILD_PREFIX}series", _UNKNOWN_SERIES))
    return tuple(replace(each, series=series) if each.series == _UNKNOWN_SERIES else each for each in devices)


def _table_defaults(sliced: bool) -> dict[str, FactValue]:
    values = {
        fact.name: parse_fact_value(fact.default, fact.kind)
        for fact in FACT_TABLE
        if fact.default is not None and (sliced or not fact.name.startswith(BUILD_PREFIX))
    }
    return {name: value for name, value in values.items() if value is not None}


def _derive_facts(given: Facts, *, sliced: bool, today: date) -> dict[str, FactValue]:
    folder, _, name = str(given.get("path", "")).rpartition("/")
    day = WEEKDAYS[today.weekday()]
    derived: dict[str, FactValue] = {"folder": folder, "name": name, "weekday": day, "dropped_weekday": day}
    derived |= _derive_sizes(given)
    if given.get("watertight") is False:
        derived["open_edges"] = 1
    elif given.get("open_edges", 0) != 0:
        derived["watertight"] = False
    if sliced:
        derived[f"{BUILD_PREFIX}title"] = name[: -len(".stl")] if name.lower().endswith(".stl") else name
    return derived


def _derive_sizes(given: Facts) -> dict[str, FactValue]:
    """Return the sizes that follow from those given: none is longer than the longest."""
    defaults = _table_defaults(sliced=False)
    longest = given.get("longest_mm")
    sizes = {name: given.get(name, defaults[name]) for name in _SIZES}
    if isinstance(longest, int | float):
        first = next((name for name in _SIZES if name not in given), None)
        clipped = {name: min(float(value), float(longest)) for name, value in sizes.items()}
        return {**clipped, **({} if first is None else {first: float(longest)})}
    return {**sizes, "longest_mm": max(float(value) for value in sizes.values())}
