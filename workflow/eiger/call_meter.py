"""Counts the calls to the cloud: how many, how long, and why the last one failed."""

import time
from collections.abc import Callable
from dataclasses import replace
from threading import Lock

from workflow.model import CloudVitals

MAX_FAILURE_LENGTH = 300


class CallMeter:
    """One per client, used by all threads."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = Lock()
        self._vitals = CloudVitals()

    def vitals(self) -> CloudVitals:
        """Return the counts so far."""
        return self._vitals

    def count_answer(self, seconds: float, *, is_question: bool) -> None:
        """Count a call that was answered."""
        with self._lock:
            seen = self._vitals
            self._vitals = replace(
                seen,
                calls=seen.calls + 1,
                seconds=seen.seconds + (seconds if is_question else 0.0),
                questions=seen.questions + is_question,
                last_seconds=seconds if is_question else seen.last_seconds,
                answered_at=self._clock(),
            )

    def count_failure(self, why: str) -> None:
        """Count a call that failed because of the cloud, the way to it, or the keys."""
        with self._lock:
            seen = self._vitals
            self._vitals = replace(
                seen,
                calls=seen.calls + 1,
                failures=seen.failures + 1,
                failed_at=self._clock(),
                last_failure=why[:MAX_FAILURE_LENGTH],
            )
