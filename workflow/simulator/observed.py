"""The options of a simulator that behaves like an account that `stlflow first-contact` looked at."""

import json
from collections.abc import Mapping
from pathlib import Path

NUMBERS = {"slice_seconds", "build_delay_seconds", "scale", "date_ahead_seconds"}
WORDS = {"builds", "units"}


def options_like(file: Path) -> dict[str, object]:
    """Return the options that an observed.json gives, without what it does not know. Raises ValueError."""
    try:
        observed = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{file} can't be read as JSON: {error}") from None
    if not isinstance(observed, dict) or "observed_at" not in observed:
        raise ValueError(f"{file} was not written by `stlflow first-contact`.")
    known = {name: observed[name] for name in (*NUMBERS, *WORDS) if observed.get(name) is not None}
    wrong = [
        name for name, value in known.items() if not isinstance(value, str if name in WORDS else int | float)
    ]
    if wrong:
        raise ValueError(f"{file}: {wrong[0]} is {known[wrong[0]]!r}.")
    return {**known, "quirks": frozenset(_quirks(observed))}


def _quirks(observed: Mapping[str, object]) -> set[str]:
    jobs = observed.get("print_jobs")
    counts = jobs if isinstance(jobs, dict) else {}
    seen = {
        "other-titles": observed.get("build_title") == "other",
        "no-units": observed.get("uploaded") is not None and observed.get("units") is None,
        "stale-printing": bool(counts.get("stale")),
        "null-device": bool(counts.get("without_device")),
        "open-enums": bool(observed.get("unlisted_types")),
    }
    return {name for name, there in seen.items() if there}
