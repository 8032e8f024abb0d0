"""When a step is retried, and when an operator is needed: pure decisions with a reason."""

from workflow.errors import BadRequest, CloudError, Conflict, NotFound
from workflow.frozen import frozen

FIRST_BACKOFF_SECONDS = 2.0
MAX_BACKOFF_SECONDS = 300.0
MAX_REQUESTED_WAIT_SECONDS = 900.0
"""The longest wait of one step. A longer one is kept by the rate limiter: the step asks it, not the cloud."""


LONGEST_POLL_SECONDS = 1_500.0
"""The longest wait of a poll; a later due time would look like a wrong clock to the ledger."""
POLL_SHARE = 1 / 3
"""The share of the request rate that polls for slicing may use: uploads and sends have the rest."""
MAX_SINGLE_POLLS = 20
"""Up to this many slice jobs are polled one by one; more are found by listing builds."""
POLL_ROUND_SECONDS = 3.0
"""Polls of many are begun together, so that their answers are written together."""
LISTING_SECONDS = 5.0
LISTING_SHARE = 0.2
"""The largest share of poll requests that listings may use."""


@frozen
class RetrySchedule:
    """The waits for slicing and for builds, in seconds."""

    first_poll_seconds: float = 2.0
    longest_poll_seconds: float = 60.0
    slice_limit_seconds: float = 7200.0
    build_wait_seconds: float = 300.0
    longest_build_search_seconds: float = 600.0
    longest_device_search_seconds: float = 60.0
    print_now_seconds: float = 120.0
    """The time in which a printer must show a print that it was told to start."""
    polls_per_second: float = float("inf")
    """The share of the request rate that all polls for slicing may use together."""

    def poll_delay(self, age_seconds: float, parked: int = 0) -> float:
        """Return the wait before the next poll of a slice job of this age: it grows, up to a limit.

        Where many are parked, their questions are spread evenly over the requests that they may cost; but
        none is put off beyond the limit.
        """
        alone = _grow_with_age(age_seconds, self.first_poll_seconds, self.longest_poll_seconds)
        if parked <= MAX_SINGLE_POLLS:
            return alone
        spread = min(parked / self.polls_per_second, LONGEST_POLL_SECONDS)
        return max(alone, min(spread, self.slice_limit_seconds - age_seconds))

    def poll_round(self, most: int, among: int) -> tuple[int, float]:
        """Return how many polls one of `among` workers begins at once, where many are parked; and every how
        many seconds.
        """
        rate = self.polls_per_second / among
        if rate * POLL_ROUND_SECONDS >= most:
            return most, most / rate
        count = max(1, int(rate * POLL_ROUND_SECONDS))
        return count, count / rate

    def listing_delay(self, pages: int, among: int) -> float:
        """Return the wait before the next listing of new builds, by pages of the last one and workers."""
        return max(LISTING_SECONDS, pages / (self.polls_per_second * LISTING_SHARE)) * among

    def build_search_delay(self, age_seconds: float) -> float:
        """Return the wait before the next search for a missing build."""
        return _grow_with_age(age_seconds, self.first_poll_seconds, self.longest_build_search_seconds)

    def device_search_delay(self, age_seconds: float) -> float:
        """Return the wait before the next search for a device that qualifies."""
        return _grow_with_age(age_seconds, self.first_poll_seconds, self.longest_device_search_seconds)


@frozen
class RetryAfter:
    """The fault is not the file's: run the same step again later."""

    seconds: float
    reason: str


@frozen
class NeedsOperator:
    """A retry would not help."""

    reason: str


def classify_cloud_error(error: CloudError, tries: int) -> RetryAfter | NeedsOperator:
    """Return what a failed call means for one submission; `tries` counts the failures before this one.

    Keys, network, load and faults of Eiger are not the file's fault: retry without end, with growing waits.
    A refusal of what was sent needs an operator.
    """
    if isinstance(error, BadRequest | NotFound | Conflict):
        return NeedsOperator(str(error))
    asked_for = min(error.retry_after_seconds or 0.0, MAX_REQUESTED_WAIT_SECONDS)
    return RetryAfter(asked_for or backoff_seconds(tries), str(error))


def backoff_seconds(tries: int) -> float:
    """Return the backoff in seconds after a number of failures in a row."""
    return float(min(FIRST_BACKOFF_SECONDS * 2.0 ** min(tries, 16), MAX_BACKOFF_SECONDS))


def _grow_with_age(age_seconds: float, first: float, longest: float) -> float:
    return max(first, min(age_seconds * 0.25, longest))
