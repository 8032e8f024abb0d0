"""The simulator's clock: a dial that a test can turn."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class Clock:
    """Tells a time that runs `rate` times as fast as the real one, and can be put forward, never back."""

    def __init__(
        self,
        start: datetime | None = None,
        ticks: Callable[[], float] = time.monotonic,
        *,
        date_ahead_seconds: float = 0.0,
    ) -> None:
        self._ticks = ticks
        self._anchor = start or datetime.now(UTC)
        self._anchored_at = ticks()
        self.rate = 1.0
        self.date_ahead_seconds = date_ahead_seconds

    def now(self) -> datetime:
        """Give the time in UTC, in whole milliseconds: what the API shows is what it compares."""
        run = (self._ticks() - self._anchored_at) * self.rate
        moment = self._anchor + timedelta(seconds=run)
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    def date(self) -> datetime:
        """Return the time that the front end believes it is: what the `Date` of a reply tells."""
        return self.now() + timedelta(seconds=self.date_ahead_seconds)

    def advance(self, seconds: float) -> None:
        """Put the clock forward. Raises ValueError on negative seconds."""
        if seconds < 0:
            raise ValueError("The clock only goes forward: advance_seconds is 0 or more.")
        self._anchor += timedelta(seconds=seconds)

    def set_rate(self, rate: float) -> None:
        """Let the clock run `rate` times as fast from now on; 0 stops it. Raises ValueError if negative."""
        if rate < 0:
            raise ValueError("The clock only goes forward: rate is 0 or more.")
        self._anchor, self._anchored_at = self.now(), self._ticks()
        self.rate = rate
