"""A rate limiter: one rate of requests for all threads of a process.

Turns are given out in advance, one after the other (the generic cell rate algorithm: a token bucket
that needs no refilling), so threads are served in order and each knows how long it has to wait. The
rate is halved when the cloud says that it is too much, and comes back slowly by itself.
"""

import threading
import time
from collections.abc import Callable

from workflow.eiger.response import MAX_RETRY_AFTER_SECONDS
from workflow.model import Backpressure

MIN_RATE_FRACTION = 0.02
"""Of the full rate: however often the cloud complains, some questions still go out."""
RECOVERY_SECONDS = 120.0
"""From nothing back to the full rate."""
COMPLAINT_WINDOW_SECONDS = 1.0
"""Complaints this close to each other come from requests that were under way together."""
SHARED_COMPLAINT_WINDOW_SECONDS = 5.0
"""A complaint to another process arrives this late: our own in that time has the same cause."""
MAX_PAUSE_SECONDS = MAX_RETRY_AFTER_SECONDS
"""A pause that is asked for is kept whole, up to a day."""


class RateLimiter:
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
        self._whole_rate = self._full_rate = self._rate = per_second
        self._burst_seconds = _burst_seconds(per_second)
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._recovered_at = self._next_turn = clock()
        self._paused_until = self._told_pause_until = self._slowed_at = float("-inf")
        self._complaints = 0

    @property
    def rate(self) -> float:
        """Return the present rate in requests per second."""
        with self._lock:
            self._recover_rate()
            return self._rate

    def acquire(self, max_wait_seconds: float = float("inf")) -> float:
        """Wait for a turn and return 0.0; return the wait at once if it is longer than `max_wait_seconds`.

        Whoever slept into a pause takes a new turn behind it, so that no stampede follows a pause.
        """
        latest = self._clock() + max_wait_seconds
        while True:
            with self._lock:
                now = self._recover_rate()
                turn = max(now, self._next_turn - self._burst_seconds, self._paused_until)
                if turn > latest:
                    return turn - now
                self._next_turn = max(self._next_turn, turn) + 1.0 / self._rate
            if turn > now:
                self._sleep(turn - now)
            if self._paused_until <= turn:
                return 0.0

    def share(self, among: int) -> None:
        """Use one of `among` equal shares of the rate from now on; a slowdown stays."""
        with self._lock:
            self._recover_rate()
            part = self._whole_rate / among
            self._rate *= part / self._full_rate
            self._full_rate, self._burst_seconds = part, _burst_seconds(part)

    def slow_down(self) -> None:
        """Halve the rate and forget the burst: the cloud complained."""
        with self._lock:
            now = self._recover_rate()
            if now - self._slowed_at >= COMPLAINT_WINDOW_SECONDS:
                self._complaints += 1
                self._halve_rate(now)

    def pause(self, seconds: float) -> None:
        """Hold back all requests for these seconds; a longer pause from before is kept."""
        with self._lock:
            self._told_pause_until = max(self._told_pause_until, self._extend_pause(seconds))

    def strain(self) -> Backpressure:
        """Return the complaints and pauses that the cloud sent to this process, not to others."""
        with self._lock:
            return Backpressure(self._complaints, max(self._told_pause_until - self._clock(), 0.0))

    def apply_backpressure(self, strain: Backpressure) -> None:
        """Slow down for new complaints to other processes, and pause as long as the longest of them."""
        with self._lock:
            now = self._recover_rate()
            if strain.complaints and now - self._slowed_at >= SHARED_COMPLAINT_WINDOW_SECONDS:
                self._halve_rate(now)
            if strain.pause_seconds > 0:
                self._extend_pause(strain.pause_seconds)

    def _halve_rate(self, now: float) -> None:
        self._rate = max(self._rate / 2, self._full_rate * MIN_RATE_FRACTION)
        self._drop_burst(now)
        self._slowed_at = now

    def _extend_pause(self, seconds: float) -> float:
        until = self._clock() + min(seconds, MAX_PAUSE_SECONDS)
        self._paused_until = max(self._paused_until, until)
        self._drop_burst(self._paused_until)
        return until

    def _drop_burst(self, from_then: float) -> None:
        self._next_turn = max(self._next_turn, from_then + self._burst_seconds)

    def _recover_rate(self) -> float:
        """Raise the rate for the time that passed; return the present time."""
        now = self._clock()
        passed = max(0.0, now - self._recovered_at)
        self._rate = min(self._full_rate, self._rate + self._full_rate * passed / RECOVERY_SECONDS)
        self._recovered_at = now
        return now


def _burst_seconds(per_second: float) -> float:
    """Return how many seconds' worth of turns may be used at once: one second's, and at least one turn."""
    return (max(1.0, per_second) - 1.0) / per_second
