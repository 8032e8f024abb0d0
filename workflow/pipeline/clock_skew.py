"""The log line that this machine's clock and Eiger's differ: once, and again when that changes.

Searches allow for more, so nothing is lost; but due dates and times of day use this machine's clock.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from loguru import logger

SAID_FROM_SECONDS = 120.0
"""`Date` tells whole seconds, and a reply may be on its way for half a minute."""
CHANGE_SECONDS = 60.0
SAY_AGAIN_SECONDS = 600.0
"""Front ends of one service may differ: no line for each of their replies."""


def is_news(said_seconds: float, ahead_seconds: float) -> bool:
    """True if a skew is large, or is over, and differs from what was logged last (0: nothing)."""
    differs = abs(ahead_seconds - said_seconds) >= CHANGE_SECONDS
    return differs and (abs(ahead_seconds) >= SAID_FROM_SECONDS or said_seconds != 0)


@dataclass
class Skew:
    """The clock skew that was logged last, and when."""

    clock: Callable[[], float] = time.monotonic
    _said_seconds: float = 0.0
    _said_at: float = float("-inf")

    def check(self, ahead_seconds: float | None) -> None:
        """Log one line if the clocks differ, or agree again, since the last line."""
        if ahead_seconds is None or not is_news(self._said_seconds, ahead_seconds):
            return
        if self.clock() - self._said_at < SAY_AGAIN_SECONDS:
            return
        self._said_at = self.clock()
        if abs(ahead_seconds) < SAID_FROM_SECONDS:
            self._said_seconds = 0.0
            logger.info("This machine's clock agrees with Eiger's again.")
            return
        self._said_seconds = ahead_seconds
        where = "behind" if ahead_seconds > 0 else "ahead of"
        logger.warning(
            "This machine's clock is {:.0f} s {} Eiger's. Let it follow a time server: due dates and times "
            "of day go by it. If it is right, Eiger's is wrong; builds are found all the same.",
            abs(ahead_seconds),
            where,
        )
