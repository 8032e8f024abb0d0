"""When to try again, and when to stop and call a person: pure decisions with a reason."""

from dataclasses import dataclass

from workflow.errors import BadRequest, CloudError, Conflict, NotFound

FIRST_BACKOFF_SECONDS = 2.0
MAX_BACKOFF_SECONDS = 300.0
MAX_REQUESTED_WAIT_SECONDS = 900.0
"""The longest wait of one step. A longer one is kept by the rate limiter: the step asks it, not the cloud."""


LONGEST_POLL_SECONDS = 1_500.0
"""However many wait: below the longest wait that the ledger takes for meant."""
MAX_SINGLE_POLLS = 20
"""So many are asked for one by one; a listing would tell little more than they cost."""
LISTING_SECONDS = 5.0
LISTING_SHARE = 0.2
"""Of the requests for those that wait, so many at most are pages of listings."""


@dataclass(frozen=True, slots=True)
class RetrySchedule:
    """How long to wait for slicing and for builds, in seconds."""

    first_poll_seconds: float = 2.0
    longest_poll_seconds: float = 60.0
    slice_limit_seconds: float = 7200.0
    build_wait_seconds: float = 300.0
    longest_build_look_seconds: float = 600.0
    longest_device_look_seconds: float = 60.0
    print_now_seconds: float = 120.0
    """How long a printer may take until it shows a print that it was told to start."""
    polls_per_second: float = float("inf")
    """How many requests those that wait for slicing may cost, all together: others need some, too."""

    def poll_delay(self, age_seconds: float, parked: int = 0) -> float:
        """Give the wait before asking for a slice job of this age again: stretching, and capped.

        Where many are parked, their questions are spread evenly over the requests that they may cost; but
        none is put off beyond the limit.
        """
        alone = _grow_with_age(age_seconds, self.first_poll_seconds, self.longest_poll_seconds)
        if parked <= MAX_SINGLE_POLLS:
            return alone
        spread = min(parked / self.polls_per_second, LONGEST_POLL_SECONDS)
        return max(alone, min(spread, self.slice_limit_seconds - age_seconds))

    def listing_delay(self, pages: int, among: int) -> float:
        """Give the wait before listing new builds again, after so many pages, by one of so many workers."""
        return max(LISTING_SECONDS, pages / (self.polls_per_second * LISTING_SHARE)) * among

    def next_look(self, age_seconds: float) -> float:
        """Give the wait before looking for a missing build again."""
        return _grow_with_age(age_seconds, self.first_poll_seconds, self.longest_build_look_seconds)

    def device_search_delay(self, age_seconds: float) -> float:
        """Give the wait before looking again whether a device qualifies."""
        return _grow_with_age(age_seconds, self.first_poll_seconds, self.longest_device_look_seconds)


@dataclass(frozen=True, slots=True)
class RetryAfter:
    """A bad process, not a bad file: the same step again later."""

    seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class NeedsOperator:
    """Trying again would not help."""

    reason: str


def classify_cloud_error(error: CloudError, tries: int) -> RetryAfter | NeedsOperator:
    """Decide what a failed call means for one submission; `tries` are the failures before this one.

    The keys, the network, the load and the faults of the cloud are no fault of a file: wait, for ever
    if need be, ever more seldom. A refusal of what was sent is for a person.
    """
    if isinstance(error, BadRequest | NotFound | Conflict):
        return NeedsOperator(str(error))
    asked_for = min(error.retry_after_seconds or 0.0, MAX_REQUESTED_WAIT_SECONDS)
    return RetryAfter(asked_for or backoff_seconds(tries), str(error))


def backoff_seconds(tries: int) -> float:
    """Give the wait in seconds after so many failures in a row."""
    return float(min(FIRST_BACKOFF_SECONDS * 2.0 ** min(tries, 16), MAX_BACKOFF_SECONDS))


def _grow_with_age(age_seconds: float, first: float, longest: float) -> float:
    return max(first, min(age_seconds * 0.25, longest))
