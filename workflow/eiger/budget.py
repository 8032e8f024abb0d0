"""How fast the whole process may ask: one token bucket for all threads.

The rate is halved when the cloud says that it is too much, and comes back slowly by itself.
"""

import threading
import time
from collections.abc import Callable

SMALLEST_SHARE = 0.02
"""Of the full rate: however often the cloud complains, some questions still go out."""
RECOVERY_SECONDS = 120.0
"""From nothing back to the full rate."""
ONE_COMPLAINT_SECONDS = 1.0
"""Complaints this close to each other come from requests that were under way together."""
SHORTEST_WAIT_SECONDS = 0.001
"""A clock may not be able to tell shorter ones apart from none."""
LONGEST_PAUSE_SECONDS = 900.0
"""A service that asks for more is asked again after this."""


class RequestBudget:
    """A rate in requests per second that all threads share, with a burst of one second's worth."""

    def __init__(
        self,
        per_second: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if not per_second > 0:
            raise ValueError("A request budget is more than 0 per second.")
        self._full_rate = per_second
        self._burst = max(1.0, per_second)
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._turnstile = threading.Lock()
        now = clock()
        self._rate, self._tokens, self._counted_at = per_second, self._burst, now
        self._paused_until = self._slowed_at = float("-inf")

    @property
    def rate(self) -> float:
        """Give the present rate in requests per second."""
        with self._lock:
            self._count_up()
            return self._rate

    def acquire(self, patience_seconds: float = float("inf")) -> float:
        """Wait for a turn; gives 0.0, or the pause still to come when that is longer than the patience.

        Threads are served in the order they came, so that a pause is not followed by a stampede.
        """
        with self._turnstile:
            while (wait := self._take()) > 0:
                pause = self._pause_left()
                if pause > patience_seconds:
                    return pause
                self._sleep(wait)
        return 0.0

    def slow_down(self) -> None:
        """Halve the rate: the cloud complained."""
        with self._lock:
            now = self._count_up()
            if now - self._slowed_at >= ONE_COMPLAINT_SECONDS:
                self._rate = max(self._rate / 2, self._full_rate * SMALLEST_SHARE)
                self._tokens = min(self._tokens, 1.0)
                self._slowed_at = now

    def pause(self, seconds: float) -> None:
        """Let nobody ask for so many seconds; a longer pause that was asked for before stands."""
        with self._lock:
            until = self._clock() + min(seconds, LONGEST_PAUSE_SECONDS)
            self._paused_until = max(self._paused_until, until)

    def _take(self) -> float:
        """Take a token, or give how many seconds until there may be one."""
        with self._lock:
            now = self._count_up()
            if now < self._paused_until:
                return max(self._paused_until - now, SHORTEST_WAIT_SECONDS)
            if self._tokens < 1.0:
                return max((1.0 - self._tokens) / self._rate, SHORTEST_WAIT_SECONDS)
            self._tokens -= 1.0
            return 0.0

    def _pause_left(self) -> float:
        with self._lock:
            return self._paused_until - self._clock()

    def _count_up(self) -> float:
        now = self._clock()
        passed = max(0.0, now - self._counted_at)
        self._tokens = min(self._burst, self._tokens + passed * self._rate)
        self._rate = min(self._full_rate, self._rate + self._full_rate * passed / RECOVERY_SECONDS)
        self._counted_at = now
        return now
