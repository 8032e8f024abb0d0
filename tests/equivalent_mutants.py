"""Mutants that mean the same as the code, as `file: before -> after`, each with its reason beside it."""

EQUIVALENT = frozenset(
    {
        # Where the one call is missing or refuses its flag, the reservation does the same.
        "intake/fs.py: sys.platform == 'darwin' -> sys.platform != 'darwin'",
        # A row that waits for a build has its time: the upload or the order to attach wrote it.
        "pipeline/find_build.py: submission.waiting_since or now() -> submission.waiting_since",
        # At the very microsecond of the limit.
        "pipeline/reconcile.py: age > context.retry_schedule.print_now_seconds"
        " -> age >= context.retry_schedule.print_now_seconds",
        # The queue wakes a tick (0.2 s) later, looks at the clock, and goes on.
        "pipeline/local_queue.py: until - self._clock() -> until + self._clock()",
    }
)
