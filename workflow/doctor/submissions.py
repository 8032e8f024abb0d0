"""Checks of the work: what waits for a person, or waits too long."""

from collections import Counter
from collections.abc import Iterator

from workflow.doctor.finding import Check, Finding, ok, warn
from workflow.doctor.ledger import LedgerAccess
from workflow.doctor.state import is_service_running
from workflow.ledger import CLOCK, RULES_ERROR_KEY, list_workers
from workflow.model import ENDED_STATES, SELF_RESOLVING_HOLDS, HoldReason, Submission, SubmissionState

OVERDUE_SECONDS = 900.0
"""Three times the longest pause between two tries: by then something should have happened."""


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
            f"{_count_with_verb(len(doubtful), 'send')} in doubt: "
            f"submission {_submission_numbers(doubtful)}.",
            "Look in Eiger, then `stlflow settle ID --sent RECEIPT` or `--not-sent`.",
        )
    else:
        yield ok("No send is in doubt.")


def check_mass_arrival(book: LedgerAccess) -> Iterator[Finding]:
    """Count files of a mass arrival that are not accepted yet."""
    with book.opened() as ledger:
        waiting = (
            []
            if ledger is None
            else [p for p, accepted in ledger.mass_arrival.read_paths().items() if not accepted]
        )
    if waiting:
        yield warn(
            f"{_count_with_verb(len(waiting), 'file')} of a crowd in the inbox, {min(waiting)} among them.",
            "`stlflow intake accept` if they are meant; else take them out.",
        )
    else:
        yield ok("No crowd of files waits to be accepted.")


def check_refused_rules(book: LedgerAccess) -> Iterator[Finding]:
    """Check whether a change of the rules was refused."""
    with book.opened() as ledger:
        trouble = ledger.metadata.read(RULES_ERROR_KEY) if ledger is not None else None
    if trouble:
        first = trouble.splitlines()[0]
        yield warn(f"The last change of the rules does not count: {first}", "`stlflow rules check`")
    else:
        yield ok("No change of the rules was refused.")


def check_overdue(book: LedgerAccess) -> Iterator[Finding]:
    """Find submissions whose next step should have begun long ago."""
    with book.opened() as ledger:
        if ledger is None:
            yield ok("Nothing was submitted yet.")
            return
        late = CLOCK.seconds() - OVERDUE_SECONDS
        unended = [state for state in SubmissionState if state not in ENDED_STATES]
        waiting = [each for each in ledger.all(unended) if each.due_at and each.due_at.timestamp() < late]
        at_work = bool(list_workers(ledger)) or is_service_running(book.settings)
    if waiting and not at_work:
        yield warn(
            f"{_count_with_verb(len(waiting), 'submission')} waiting, and no stlflow runs.",
            "Start it: `stlflow run`.",
        )
    elif waiting:
        minutes = (CLOCK.seconds() - min(each.due_at.timestamp() for each in waiting if each.due_at)) / 60
        yield warn(
            f"{_count_with_verb(len(waiting), 'submission')} due for {minutes:.0f} min: nothing moves.",
            "The log says why (state/logs/stlflow.log); start stlflow again if it says nothing.",
        )
    else:
        yield ok("Every submission that goes on by itself is in time.")


def _submissions_in(book: LedgerAccess, state: SubmissionState) -> tuple[Submission, ...]:
    with book.opened() as ledger:
        return () if ledger is None else ledger.all([state])


def _count_with_verb(count: int, thing: str) -> str:
    return f"{count:,} {thing} is" if count == 1 else f"{count:,} {thing}s are"


def _submission_numbers(submissions: list[Submission]) -> str:
    shown = ", ".join(str(each.id) for each in submissions[:5])
    return shown if len(submissions) <= 5 else f"{shown}, …"


def waiting_checks(book: LedgerAccess) -> tuple[Check, ...]:
    """Return the checks of the work that waits."""
    return (
        Check("waiting.held", "submissions that a person has to look at", lambda: check_held(book)),
        Check(
            "waiting.doubts", "sends that may or may not have happened", lambda: check_unconfirmed_sends(book)
        ),
        Check("waiting.crowd", "a crowd of files to be accepted", lambda: check_mass_arrival(book)),
        Check(
            "waiting.rules", "a change of the rules that does not count", lambda: check_refused_rules(book)
        ),
        Check("waiting.overdue", "submissions that should have gone on", lambda: check_overdue(book)),
    )
