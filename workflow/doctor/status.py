"""The service's condition on one screen: is it alive, what does it reach, what waits for a person.

Faster than the whole checkup, and with exit codes as monitors expect them: 1 a warning, 2 critical, 3 the
cloud.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from workflow.doctor.cloud import cloud_checks
from workflow.doctor.finding import Check, Finding, Grade, fail, ok, run_check, run_checks
from workflow.doctor.ledger import NO_WORKER, START_WORKER, LedgerAccess, is_worker_alive, ledger_checks
from workflow.doctor.share import check_share_present
from workflow.doctor.submissions import waiting_checks
from workflow.errors import EXIT_CLOUD, EXIT_OK, EXIT_SOME_FAILED, EXIT_USAGE
from workflow.ledger import CLOCK, list_workers
from workflow.model import SubmissionState
from workflow.settings import Settings

CLOUD_CHECKS_FOR_STATUS = ("cloud.keys", "cloud.reach", "cloud.access")


@dataclass(frozen=True)
class ServiceStatus:
    """What one look found: a finding each for service, database, cloud and share, then the work."""

    service: Finding
    database: Finding
    cloud: Finding
    share: Finding
    counts: Mapping[SubmissionState, int]
    waiting: tuple[Finding, ...]
    """What waits for a person, or for too long; empty when nothing does."""

    @property
    def exit_code(self) -> int:
        """Return 2 when nothing can go on, 3 when only Eiger is missing, 1 when something waits, else 0."""
        if any(each.grade is not Grade.OK for each in (self.service, self.database, self.share)):
            return EXIT_USAGE
        if self.cloud.grade is not Grade.OK:
            return EXIT_CLOUD
        return EXIT_SOME_FAILED if self.waiting else EXIT_OK


def read_status(settings: Settings) -> ServiceStatus:
    """Return the service's condition; each question has a time limit, and nothing is changed."""
    access = LedgerAccess(settings, page_by_page=False)
    database = _worst(run_check(ledger_checks(access)[0]))
    wanted = [check for check in cloud_checks(settings) if check.name in CLOUD_CHECKS_FOR_STATUS]
    readable = database.grade in {Grade.OK, Grade.WARN}
    waiting = run_checks(waiting_checks(access)) if readable else ()
    return ServiceStatus(
        service=_worst(run_check(Check("service", "", lambda: check_service(access)))),
        database=database,
        cloud=_worst(tuple(run_checks(wanted))),
        share=_worst(run_check(Check("share", "", lambda: check_share_present(access)))),
        counts=_count_by_state(access) if readable else {},
        waiting=tuple(each for each in waiting if each.grade in {Grade.WARN, Grade.FAIL}),
    )


def check_service(access: LedgerAccess) -> Iterator[Finding]:
    """Find out whether a worker is alive; a row that a killed one left behind is none."""
    now = CLOCK.seconds()
    with access.opened() as ledger:
        workers = list_workers(ledger) if ledger is not None else ()
    alive = [each for each in workers if is_worker_alive(each, access.settings, now)]
    if not alive:
        yield fail(NO_WORKER, START_WORKER)
        return
    told = ", ".join(
        f"{each.name} (process {each.pid}, heartbeat {max(now - each.seen_at.timestamp(), 0):.0f} s ago)"
        for each in alive
    )
    yield ok(f"{len(alive)} worker{'s' if len(alive) > 1 else ''} running: {told}.")


def _count_by_state(access: LedgerAccess) -> Mapping[SubmissionState, int]:
    with access.opened() as ledger:
        return ledger.count_by_state() if ledger is not None else {}


def _worst(findings: tuple[Finding, ...]) -> Finding:
    """Return the finding that matters most: a failure, a warning, else the last one that says all is well."""
    for grade in (Grade.FAIL, Grade.WARN, Grade.OK):
        if found := [each for each in findings if each.grade is grade]:
            return found[0] if grade is not Grade.OK else found[-1]
    return findings[-1]
