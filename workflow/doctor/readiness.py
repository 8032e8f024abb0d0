"""True answers for monitors, without touching the share or the cloud: all of it stands in the database.

Each worker says with its heartbeats when it last scanned the inbox and how the cloud answers, so a question
costs one read, and nothing hangs with a share that hangs.
"""

import shutil
from collections.abc import Iterator

from workflow.assembly import is_worker_alive
from workflow.doctor.ledger import NO_WORKER
from workflow.doctor.machine import MIN_FREE_BYTES, format_bytes
from workflow.errors import StateFolderError, error_reason
from workflow.frozen import frozen
from workflow.ledger import CLOCK, CanaryFlight, Ledger, list_workers
from workflow.model import Worker
from workflow.settings import Settings

SCAN_LIMIT_SECONDS = 120.0
"""A scan of a large network share takes its time, and heartbeats come every ten seconds."""
LOOP_LIMIT_SECONDS = 60.0
CANARY_LIMIT_SECONDS = 300.0


@frozen
class ReadinessCheck:
    """One thing that the path of a file needs; `says` is why it is not ready, or that it is."""

    name: str
    ready: bool
    says: str


@frozen
class Readiness:
    """All of them. Ready if each is."""

    ready: bool
    checks: tuple[ReadinessCheck, ...]


def read_readiness(ledger: Ledger, settings: Settings) -> Readiness:
    """Return whether files that are dropped now go their way, and why not. Raises nothing."""
    checks = [_check_disk(settings)]
    try:
        now = CLOCK.seconds()
        workers = [each for each in list_workers(ledger) if is_worker_alive(each, settings, now)]
        checks += [ReadinessCheck("database", True, "The database answers."), *_check_workers(workers, now)]
        if has_canary(settings):
            checks.append(check_canary_flight(ledger.canary.read(), now))
    except StateFolderError as error:
        checks.append(ReadinessCheck("database", False, str(error)))
    return Readiness(all(check.ready for check in checks), tuple(checks))


def _check_workers(workers: list[Worker], now: float) -> Iterator[ReadinessCheck]:
    if not workers:
        yield ReadinessCheck("worker", False, NO_WORKER)
        return
    yield ReadinessCheck("worker", True, f"{len(workers)} running.")
    yield _check_folder(workers, now)
    yield _check_cloud(workers, now)


def _check_folder(workers: list[Worker], now: float) -> ReadinessCheck:
    """Check whether any worker has scanned the inbox lately: a lost share is not scanned."""
    last = max((each.vitals.scanned_at or 0.0 for each in workers), default=0.0)
    if not last:
        return ReadinessCheck(
            "folder", False, "The inbox was not scanned yet. Check that the share is there."
        )
    says = f"The inbox was scanned {max(now - last, 0):.0f} s ago."
    if now - last > SCAN_LIMIT_SECONDS:
        return ReadinessCheck("folder", False, f"{says} Check that the share is there and answers.")
    return ReadinessCheck("folder", True, says)


def _check_cloud(workers: list[Worker], now: float) -> ReadinessCheck:
    """Check the last call that any worker made: Eiger is not asked for this."""
    failing = [each.vitals.cloud for each in workers if each.vitals.cloud.is_failing]
    answered = max((each.vitals.cloud.answered_at or 0.0 for each in workers), default=0.0)
    if failing and len(failing) == len(workers):
        return ReadinessCheck("cloud", False, failing[0].last_failure)
    if not answered:
        return ReadinessCheck("cloud", True, "Eiger was not asked yet.")
    return ReadinessCheck("cloud", True, f"Eiger answered {max(now - answered, 0):.0f} s ago.")


def has_canary(settings: Settings) -> bool:
    """True if canaries are dropped: nothing is put into a read-only inbox."""
    return bool(settings.canary_minutes) and settings.read_only_inbox is None


def check_canary_flight(flight: CanaryFlight, now: float) -> ReadinessCheck:
    """Check whether the last canary came through: the process may live while the path is broken."""
    if not flight.dropped_at:
        return ReadinessCheck("canary", True, "No canary was dropped yet.")
    if not flight.is_under_way:
        says = (
            f"The last canary passed {max(now - flight.passed_at, 0):.0f} s ago, in {flight.seconds:.0f} s."
        )
        return ReadinessCheck("canary", True, says)
    waits = max(now - flight.dropped_at, 0)
    says = f"The canary that was dropped {waits:.0f} s ago has not passed."
    if waits > CANARY_LIMIT_SECONDS:
        fix = "Dropped files may wait, too. See the inbox, then the log; restart stlflow if they say nothing."
        return ReadinessCheck("canary", False, f"{says} {fix}")
    return ReadinessCheck("canary", True, says)


def _check_disk(settings: Settings) -> ReadinessCheck:
    try:
        free = shutil.disk_usage(settings.state).free
    except OSError as error:
        return ReadinessCheck("disk", False, f"The state folder can't be read: {error_reason(error)}.")
    says = f"{format_bytes(free)} free for the state folder."
    if free < MIN_FREE_BYTES:
        return ReadinessCheck("disk", False, f"{says} Make room on that disk.")
    return ReadinessCheck("disk", True, says)
