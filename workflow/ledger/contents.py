"""Writing down what bytes a submission is of, and finding others of the same bytes or the same place."""

from collections.abc import Callable, Mapping

from sqlalchemy import ColumnElement, Connection, select

from workflow.ledger.ledger import Ledger
from workflow.ledger.rows import submission_from
from workflow.ledger.statements import append_event, change_submission, one_at_a_time
from workflow.ledger.tables import submissions
from workflow.model import ENDED, Submission

IsTwin = Callable[[Submission], bool]
SetAside = Callable[[Submission], Mapping[str, object]]
"""What changes for a submission whose twin is this one."""


def record_content(
    ledger: Ledger,
    submission: Submission,
    sha256: str,
    detail: str,
    is_twin: IsTwin,
    set_aside: SetAside,
    **changes: object,
) -> Submission | None:
    """Write down the content, and set the submission aside for another of the same that has not ended.

    Gives that one, if `is_twin`. In one transaction: of two that learn of their content at the same time
    just one is set aside, and no crash lets both go on. Raises Superseded, StateError.
    """
    with ledger.writing() as connection:
        one_at_a_time(connection, sha256)
        twin = _not_ended(connection, submission, sha256, is_twin)
        aside = {} if twin is None else set_aside(twin)
        change_submission(connection, submission, {"sha256": sha256, **changes, **aside})
        append_event(connection, submission.id, "taken", detail)
        if twin is not None:
            append_event(connection, submission.id, "duplicate", f"of submission {twin.id}")
    return twin


def earlier_from(ledger: Ledger, submission: Submission) -> tuple[Submission, ...]:
    """Give earlier submissions of a file in the very same place, oldest first. Raises StateError."""
    same_place = (
        _same_origin(submission)
        if submission.left_in_place
        else (submissions.c.path == submission.path) & submissions.c.left_in_place.is_(False)
    )
    query = select(submissions).where(same_place, submissions.c.id < submission.id)
    with ledger.reading() as connection:
        rows = connection.execute(query.order_by(submissions.c.id)).mappings()
        return tuple(submission_from(dict(row)) for row in rows)


def _same_origin(submission: Submission) -> ColumnElement[bool]:
    """Where no origin is known, of an older release, this machine's own path has to do."""
    if submission.origin is None:
        return submissions.c.claimed_as == submission.claimed_as
    return submissions.c.origin == submission.origin


def _not_ended(
    connection: Connection, submission: Submission, sha256: str, is_twin: IsTwin
) -> Submission | None:
    query = select(submissions).where(
        submissions.c.sha256 == sha256,
        submissions.c.id != submission.id,
        submissions.c.state.not_in([state.value for state in ENDED]),
    )
    rows = connection.execute(query.order_by(submissions.c.id)).mappings()
    return next(filter(is_twin, (submission_from(dict(row)) for row in rows)), None)
