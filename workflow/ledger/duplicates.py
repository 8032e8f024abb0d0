"""Writing down what bytes a submission is of, and finding others of the same bytes or the same place.

Builds that may be sent once more: the same content with the same settings, sliced and sent before.
"""

from collections.abc import Callable, Mapping

from sqlalchemy import ColumnElement, Connection, or_, select

from workflow.ledger.ledger import Ledger, acquire_transaction_lock, append_event, update_submission_row
from workflow.ledger.rows import submission_from
from workflow.ledger.tables import forgotten_sends, sends, submissions
from workflow.model import ENDED_STATES, Submission, SubmissionState

IsDuplicate = Callable[[Submission], bool]
DuplicateChanges = Callable[[Submission], Mapping[str, object]]
"""What changes for a submission whose twin is this one."""


def record_content(
    ledger: Ledger,
    submission: Submission,
    sha256: str,
    detail: str,
    is_twin: IsDuplicate,
    set_aside: DuplicateChanges,
    **changes: object,
) -> Submission | None:
    """Write down the content, and set the submission aside for another of the same that has not ended.

    Gives that one, if `is_twin`. In one transaction: of two that learn of their content at the same time
    just one is set aside, and no crash lets both go on. Raises Superseded, StateError.
    """
    with ledger.write_transaction() as connection:
        acquire_transaction_lock(connection, sha256)
        twin = _find_unfinished_duplicate(connection, submission, sha256, is_twin)
        aside = {} if twin is None else set_aside(twin)
        update_submission_row(connection, submission, {"sha256": sha256, **changes, **aside})
        append_event(connection, submission.id, "taken", detail)
        if twin is not None:
            append_event(connection, submission.id, "duplicate", f"of submission {twin.id}")
    return twin


def find_earlier_revisions(ledger: Ledger, submission: Submission) -> tuple[Submission, ...]:
    """Give earlier submissions of a file in the very same place, oldest first. Raises StateError."""
    same_place = (
        _same_origin(submission)
        if submission.left_in_place
        else (submissions.c.path == submission.path) & submissions.c.left_in_place.is_(False)
    )
    query = select(submissions).where(same_place, submissions.c.id < submission.id)
    with ledger.read_connection() as connection:
        rows = connection.execute(query.order_by(submissions.c.id)).mappings()
        return tuple(submission_from(dict(row)) for row in rows)


def _same_origin(submission: Submission) -> ColumnElement[bool]:
    """Where no origin is known, of an older release, this machine's own path has to do."""
    if submission.origin is None:
        return submissions.c.claimed_as == submission.claimed_as
    return submissions.c.origin == submission.origin


def _find_unfinished_duplicate(
    connection: Connection, submission: Submission, sha256: str, is_twin: IsDuplicate
) -> Submission | None:
    query = select(submissions).where(
        submissions.c.sha256 == sha256,
        submissions.c.id != submission.id,
        submissions.c.state.not_in([state.value for state in ENDED_STATES]),
    )
    rows = connection.execute(query.order_by(submissions.c.id)).mappings()
    return next(filter(is_twin, (submission_from(dict(row)) for row in rows)), None)


def find_sent_build(ledger: Ledger, submission: Submission) -> Submission | None:
    """Find the newest submission of the same content and settings whose build was sent. Raises StateError."""
    like = submissions.c
    query = select(submissions).where(
        like.sha256 == submission.sha256,
        like.id != submission.id,
        like.state == SubmissionState.DISPATCHED.value,
        like.build_id.is_not(None),
        like.preset_id.is_not_distinct_from(submission.preset_id),
        like.preset.is_not_distinct_from(submission.preset),
        like.owner_id.is_not_distinct_from(submission.owner_id),
        like.folder_id.is_not_distinct_from(submission.folder_id),
    )
    with ledger.read_connection() as connection:
        row = connection.execute(query.order_by(like.id.desc()).limit(1)).mappings().first()
    return submission_from(dict(row)) if row is not None else None


def reuse_build(ledger: Ledger, submission: Submission, earlier: Submission, **changes: object) -> bool:
    """Give a submission the build of an earlier one, unless another that has not ended is at it.

    One at a time, and none after a send in doubt: else traces of a build in the cloud could not be told
    apart. Raises Superseded, StateError.
    """
    with ledger.write_transaction() as connection:
        acquire_transaction_lock(connection, submission.sha256 or "")
        if find_competing_submission(connection, earlier.build_id, besides=submission.id) is not None:
            return False
        update_submission_row(connection, submission, {"build_id": earlier.build_id, **changes})
        append_event(connection, submission.id, "build reused", f"of submission {earlier.id}")
    return True


def find_competing_submission(connection: Connection, build_id: str | None, besides: int) -> int | None:
    """Give a submission that sends this build and has not ended, or of which a send is in doubt."""
    in_doubt = select(sends.c.submission).where(sends.c.receipt_id.is_(None), sends.c.times > 0)
    at_it = select(submissions.c.id).where(
        submissions.c.build_id == build_id,
        submissions.c.id != besides,
        or_(
            submissions.c.state.not_in([state.value for state in ENDED_STATES]),
            submissions.c.id.in_(in_doubt),
        ),
    )
    return connection.execute(at_it.limit(1)).scalar_one_or_none()


def list_receipts_of_others(ledger: Ledger, submission: Submission) -> tuple[str, ...]:
    """Give what others, forgotten ones too, sent of the same build: none of it is this one's.

    Raises StateError.
    """
    forgotten = select(forgotten_sends.c.receipt_id).where(forgotten_sends.c.build_id == submission.build_id)
    query = (
        select(sends.c.receipt_id)
        .join(submissions, submissions.c.id == sends.c.submission)
        .where(
            submissions.c.build_id == submission.build_id,
            submissions.c.id != submission.id,
            sends.c.receipt_id.is_not(None),
        )
    )
    with ledger.read_connection() as connection:
        others = connection.execute(query.order_by(sends.c.settled_at)).scalars().all()
        return (*connection.execute(forgotten).scalars(), *others)
