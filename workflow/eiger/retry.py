"""The retry policy of the client: whether and when a failed GET is sent again, as a pure decision."""

from workflow.errors import CloudError, ContractBroken
from workflow.frozen import frozen

MAX_CONTRACT_BROKEN_ATTEMPTS = 2
"""A response that breaks the contract may have been cut short once; twice it is meant so."""


@frozen
class RetryLater:
    """Send again after these seconds."""

    seconds: float
    reason: str


@frozen
class GiveUp:
    """A retry would not help, or would take too long."""

    reason: str


@frozen
class RetryPolicy:
    """How often and with which waits a failed GET is sent again; never for effects.

    `total_seconds` is the limit for all attempts and waits of one call together.
    """

    attempts: int = 4
    first_wait_seconds: float = 0.5
    longest_wait_seconds: float = 8.0
    total_seconds: float = 60.0

    def after(
        self, error: CloudError, attempt: int, elapsed_seconds: float, chance: float
    ) -> RetryLater | GiveUp:
        """Decide after attempt number `attempt` (1, 2, …) failed; `chance` is a random number in 0..1.

        The waits double; chance takes up to half of each away, so that clients that failed together
        do not come back together. What the service asks for by Retry-After is never cut short.
        """
        if not error.can_retry:
            return GiveUp("the answer would be the same")
        if attempt >= self._max_attempts(error):
            return GiveUp(f"{attempt} attempts failed")
        asked_for = error.retry_after_seconds or 0.0
        wait = max(self._backoff_seconds(attempt) * (1.0 - chance / 2), asked_for * (1.0 + chance / 10))
        if elapsed_seconds + wait > self.total_seconds:
            return GiveUp(f"{elapsed_seconds + wait:.0f} s would be more than {self.total_seconds:.0f} s")
        return RetryLater(wait, "as the service asks" if asked_for else f"attempt {attempt} failed")

    def _max_attempts(self, error: CloudError) -> int:
        return (
            min(self.attempts, MAX_CONTRACT_BROKEN_ATTEMPTS)
            if isinstance(error, ContractBroken)
            else self.attempts
        )

    def _backoff_seconds(self, attempt: int) -> float:
        return float(min(self.first_wait_seconds * 2.0 ** min(attempt - 1, 32), self.longest_wait_seconds))
