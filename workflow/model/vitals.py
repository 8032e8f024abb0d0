"""What each worker says of itself with its heartbeats: its last scan, and how the cloud answers it."""

from workflow.frozen import frozen


@frozen
class CloudVitals:
    """Calls of one process to the cloud since it started. Times are seconds since 1970; None for never."""

    calls: int = 0
    failures: int = 0
    """Calls without a reply, or with one that says that the cloud is in trouble or refuses the keys."""
    seconds: float = 0.0
    """All questions together, from sending to the last byte of the reply."""
    questions: int = 0
    """The calls that `seconds` counts: uploads take as long as they take."""
    last_seconds: float | None = None
    answered_at: float | None = None
    failed_at: float | None = None
    last_failure: str = ""

    @property
    def is_failing(self) -> bool:
        """True if the last call failed."""
        return self.failed_at is not None and self.failed_at > (self.answered_at or 0.0)

    @property
    def mean_seconds(self) -> float | None:
        """Return the mean time of a question; None before the first."""
        return self.seconds / self.questions if self.questions else None


@frozen
class WorkerVitals:
    """What one worker says with a heartbeat. `scanned_at` is its last good scan of the inbox.

    `hanging` are sentences about its calls that hang; "" if none does.
    """

    cloud: CloudVitals
    scanned_at: float | None = None
    hanging: str = ""


NO_VITALS = WorkerVitals(CloudVitals())
"""Of a worker that has sent no heartbeat yet, or is of an older release."""
