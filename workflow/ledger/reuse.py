"""Builds that may be sent once more: the same content with the same settings, sliced and sent before."""

from sqlalchemy import Connection, or_, select

from workflow.ledger.ledger import Ledger
from workflow.ledger.rows import submission_from
from workflow.ledger.statements import append_event, change_submission, one_at_a_time
from workflow.ledger.tables import forgotten_sends, sends, submissions
from workflow.model import ENDED, State, Submission


def sent_build(ledger: Ledger, submission: Submission) -> Submission | None:
    """Find the newest submission of the same content and settings whose build was sent. Raises StateError."""
    like = submissions.c
    query = select(submissions).where(
        like.sha256 == submission.sha256,
        like.id != submission.id,
        like.state == State.DISPATCHED.value,
        like.build_id.is_not(None),
        like.preset_id.is_not_distinct_from(submission.preset_id),
        like.preset.is_not_distinct_from(submission.preset),
        like.owner_id.is_not_distinct_from(submission.owner_id),
        like.folder_id.is_not_distinct_from(submission.folder_id),
    )
    with ledger.reading() as connection:
        row = connection.execute(query.order_by(like.id.desc()).limit(1)).mappings().first()
    return submission_from(dict(row)) if row is not None else None


def reuse_build(ledger: Ledger, submission: Submission, earlier: Submission, **changes: object) -> bool:
    """Give a submission the build of an earlier one, unless another that has not ended is at it.

    One at a time, and none after a send in doubt: else traces of a build in the cloud could not be told
    apart. Raises Superseded, StateError.
    """
    with ledger.writing() as connection:
        one_at_a_time(connection, submission.sha256 or "")
        if who_is_at(connection, earlier.build_id, besides=submission.id) is not None:
            return False
        change_submission(connection, submission, {"build_id": earlier.build_id, **changes})
        append_event(connection, submission.id, "build reused", f"of submission {earlier.id}")
    return True


def who_is_at(connection: Connection, build_id: str | None, besides: int) -> int | None:
    """Give a submission that sends this build and has not ended, or of which a send is in doubt."""
    in_doubt = select(sends.c.submission).where(sends.c.receipt_id.is_(None), sends.c.times > 0)
    at_it = select(submissions.c.id).where(
        submissions.c.build_id == build_id,
        submissions.c.id != besides,
        or_(submissions.c.state.not_in([state.value for state in ENDED]), submissions.c.id.in_(in_doubt)),
    )
    return connection.execute(at_it.limit(1)).scalar_one_or_none()


def receipts_of_others(ledger: Ledger, submission: Submission) -> tuple[str, ...]:
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
    with ledger.reading() as connection:
        others = connection.execute(query.order_by(sends.c.settled_at)).scalars().all()
        return (*connection.execute(forgotten).scalars(), *others)
