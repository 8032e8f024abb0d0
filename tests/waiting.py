"""Waiting for conditions instead of sleeping."""

from collections.abc import Callable
from threading import Event
from time import monotonic

_TICK = Event()


def until(reached: Callable[[], object], limit_seconds: float = 60.0, tick_seconds: float = 0.02) -> bool:
    """Wait for a condition; tells whether it came within the limit."""
    give_up_at = monotonic() + limit_seconds
    while not reached():
        if monotonic() > give_up_at:
            return False
        _TICK.wait(tick_seconds)
    return True
