"""Checks of the work that waits for a person or waits too long, and the service's status on one screen.

The status is faster than the whole checkup. Its exit codes are those that monitors expect: 1 a warning,
2 critical, 3 the cloud.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from workflow.assembly import is_at_work, is_worker_alive
from workflow.doctor.cloud import cloud_checks
from workflow.doctor.finding import (
    Check,
    Finding,
    Grade,
    checks_of,
    fail,
    ok,
    run_check,
    run_checks,
    shortened_list,
    warn,
)  # fmt: skip
from workflow.doctor.ledger import NO_WORKER, START_WORKER, LedgerAccess, ledger_checks
from workflow.doctor.notices import outbox_checks
from workflow.doctor.readiness import check_canary_flight
from workflow.doctor.share import check_share_present
from workflow.errors import EXIT_CLOUD, EXIT_OK, EXIT_SOME_FAILED, EXIT_USAGE, format_count
from workflow.ledger import CLOCK, RULES_ERROR_KEY, CanaryFlight, list_hanging, list_workers
from workflow.model import ENDED_STATES, SELF_RESOLVING_HOLDS, HoldReason, Submission, SubmissionState
from workflow.settings import Settings

OVERDUE_SECONDS = 900.0
"""Three times the longest pause between two attempts."""


def check_held(book: LedgerAccess) -> Iterator[Finding]:
    """Count the submissions that a person has to decide, by reason."""
    submissions = _submissions_in(book, SubmissionState.HELD)
    reasons = Counter(
        str(each.hold)
        for each in submissions
        if each.hold not in {*SELF_RESOLVING_HOLDS, HoldReason.SEND, None}
    )
    if reasons:
        told = ", ".join(f"{count} for {reason}" for reason, count in reasons.most_common())
        yield warn(
            f"{_count_with_verb(reasons.total(), 'submission')} held: {told}.",
            "`stlflow list --state held` says why; then retry, release or cancel each.",
        )
    else:
        yield ok(f"Nothing is held for a person ({len(submissions)} held in all).")


def check_unconfirmed_sends(book: LedgerAccess) -> Iterator[Finding]:
    """Count unconfirmed sends."""
    doubtful = [each for each in _submissions_in(book, SubmissionState.HELD) if each.hold is HoldReason.SEND]
    if doubtful:
        yield warn(
            f"{_count_with_verb(len(doubtful), 'send')} not confirmed: "
            f"submission {shortened_list([str(each.id) for each in doubtful], 5)}.",
            "Check in Eiger, then `stlflow settle ID --sent RECEIPT` or `--not-sent`.",
        )
    else:
        yield ok("Every send is confirmed.")


def check_mass_arrival(book: LedgerAccess) -> Iterator[Finding]:
    """Count files of a mass arrival that are not accepted yet."""
    with book.opened() as ledger:
        paths = {} if ledger is None else ledger.mass_arrival.read_paths()
    waiting = [path for path, accepted in paths.items() if not accepted]
    if waiting:
        yield warn(
            f"{_count_with_verb(len(waiting), 'file')} held as a bulk arrival, {min(waiting)} among them.",
            "Accept them with `stlflow intake accept`, or take them out of the inbox.",
        )
    else:
        yield ok("No bulk arrival waits to be accepted.")


def check_refused_rules(book: LedgerAccess) -> Iterator[Finding]:
    """Check whether a change of the rules was refused."""
    with book.opened() as ledger:
        trouble = ledger.metadata.read(RULES_ERROR_KEY) if ledger is not None else None
    if trouble:
        first = trouble.splitlines()[0]
        yield warn(f"The last change of the rules is not loaded: {first}", "`stlflow rules check`")
    else:
        yield ok("No change of the rules was refused.")


def check_hanging_calls(book: LedgerAccess) -> Iterator[Finding]:
    """Check whether a call of the service hangs."""
    with book.opened() as ledger:
        hanging = list_hanging(ledger) if ledger is not None else ""
    if hanging:
        yield warn(hanging, "Check that the share answers; then restart stlflow.")
    else:
        yield ok("No call of the service hangs.")


def check_overdue(book: LedgerAccess) -> Iterator[Finding]:
    """Find submissions whose next step should have begun long ago."""
    with book.opened() as ledger:
        if ledger is None:
            yield ok("Nothing was submitted yet.")
            return
        late = CLOCK.seconds() - OVERDUE_SECONDS
        unended = [state for state in SubmissionState if state not in ENDED_STATES]
        waiting = [each for each in ledger.all(unended) if each.due_at and each.due_at.timestamp() < late]
        at_work = is_at_work(book.settings, ledger)
    if waiting and not at_work:
        yield warn(
            f"{_count_with_verb(len(waiting), 'submission')} waiting, and stlflow does not run.",
            "Start it: `stlflow run`.",
        )
    elif waiting:
        minutes = (CLOCK.seconds() - min(each.due_at.timestamp() for each in waiting if each.due_at)) / 60
        yield warn(
            f"{_count_with_verb(len(waiting), 'submission')} overdue by {minutes:.0f} min.",
            "See why in the log (state/logs/stlflow.log). If it says nothing, restart stlflow.",
        )
    else:
        yield ok("No submission is overdue.")


def check_canary(book: LedgerAccess) -> Iterator[Finding]:
    """Check whether the last canary came through."""
    if not book.settings.canary_minutes:
        yield ok("No canary is set: `canary_minutes` is 0.")
        return
    if book.settings.read_only_inbox is not None:
        yield warn(
            "No canary flies: nothing is put into a read-only inbox.", "Set `canary_minutes` to 0 here."
        )
        return
    with book.opened() as ledger:
        flight = CanaryFlight() if ledger is None else ledger.canary.read()
    checked = check_canary_flight(flight, CLOCK.seconds())
    yield ok(checked.says) if checked.ready else warn(checked.says, "See the inbox, then the log.")


def _submissions_in(book: LedgerAccess, state: SubmissionState) -> tuple[Submission, ...]:
    with book.opened() as ledger:
        return () if ledger is None else ledger.all([state])


def _count_with_verb(count: int, thing: str) -> str:
    return f"{format_count(count, thing)} {'is' if count == 1 else 'are'}"


def waiting_checks(book: LedgerAccess) -> tuple[Check, ...]:
    """Return the checks of the work that waits."""
    return checks_of(
        book,
        ("waiting.held", "submissions that a person has to decide on", check_held),
        ("waiting.doubts", "sends that may or may not have happened", check_unconfirmed_sends),
        ("waiting.crowd", "a bulk arrival to be accepted", check_mass_arrival),
        ("waiting.rules", "a change of the rules that is not loaded", check_refused_rules),
        ("waiting.hanging", "calls of the service that hang", check_hanging_calls),
        ("waiting.canary", "the part that tests the inbox", check_canary),
        ("waiting.overdue", "submissions that are overdue", check_overdue),
    )


CLOUD_CHECKS_FOR_STATUS = ("cloud.keys", "cloud.reach", "cloud.access")


@dataclass(frozen=True)
class ServiceStatus:
    """One finding each for service, database, cloud and share, then the work."""

    service: Finding
    database: Finding
    cloud: Finding
    share: Finding
    counts: Mapping[SubmissionState, int]
    waiting: tuple[Finding, ...]
    """What waits for a person, or for too long; empty when nothing does."""

    @property
    def exit_code(self) -> int:
        """Return 2 if stlflow can't work, 3 if Eiger can't be reached, 1 if something waits, otherwise 0."""
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
    waiting = run_checks((*waiting_checks(access), *outbox_checks(access))) if readable else ()
    return ServiceStatus(
        service=_worst(run_check(Check("service", "", lambda: check_service(access)))),
        database=database,
        cloud=_worst(tuple(run_checks(wanted))),
        share=_worst(run_check(Check("share", "", lambda: check_share_present(access)))),
        counts=_count_by_state(access) if readable else {},
        waiting=tuple(each for each in waiting if each.grade in {Grade.WARN, Grade.FAIL}),
    )


def check_service(access: LedgerAccess) -> Iterator[Finding]:
    """Check whether a worker is alive; the row that a killed worker leaves does not count."""
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
    yield ok(f"{format_count(len(alive), 'worker')} running: {told}.")


def _count_by_state(access: LedgerAccess) -> Mapping[SubmissionState, int]:
    with access.opened() as ledger:
        return ledger.count_by_state() if ledger is not None else {}


def _worst(findings: tuple[Finding, ...]) -> Finding:
    """Return the finding that matters most: a failure, a warning, otherwise the last good one."""
    for grade in (Grade.FAIL, Grade.WARN, Grade.OK):
        if found := [each for each in findings if each.grade is grade]:
            return found[0] if grade is not Grade.OK else found[-1]
    return findings[-1]
