"""Waiting for conditions instead of sleeping."""

from collections.abc import Callable
from threading import Event
from time import monotonic

_TICK = Event()
FIRST_TICK_SECONDS, LONGEST_TICK_SECONDS = 0.01, 0.25
SHARE_OF_THE_WAIT = 0.1
"""A check costs processor time that others need: what has taken long is checked less often."""


def until(reached: Callable[[], object], limit_seconds: float = 60.0) -> bool:
    """Wait for a condition; tells whether it came within the limit."""
    began = monotonic()
    while not reached():
        waited = monotonic() - began
        if waited > limit_seconds:
            return False
        _TICK.wait(min(max(FIRST_TICK_SECONDS, SHARE_OF_THE_WAIT * waited), LONGEST_TICK_SECONDS))
    return True
