"""Submissions of the same bytes or of the same place, and builds that can be sent again."""

from collections.abc import Callable
from typing import Unpack

from sqlalchemy import ColumnElement, Connection, or_, select

from workflow.ledger.changes import Draft, acquire_transaction_lock, apply_changes, write_draft
from workflow.ledger.rows import submission_from
from workflow.ledger.statements import FIND_EARLIER_AT_PATH, FIND_UNFINISHED_CONTENT
from workflow.ledger.store import Store
from workflow.ledger.tables import sends, submissions
from workflow.model import (
    ENDED_STATES,
    SENT_STATES,
    EventKind,
    Submission,
    SubmissionChanges,
)

IsDuplicate = Callable[[Submission], bool]
DuplicateChanges = Callable[[Submission], SubmissionChanges]
"""What changes for a submission whose duplicate is this one."""


class DuplicateStore(Store):
    """Duplicates, earlier revisions, and builds that can be reused."""

    def write_content(
        self, draft: Draft, sha256: str, is_duplicate: IsDuplicate, set_aside: DuplicateChanges
    ) -> Submission:
        """Write a draft with its content, and return the submission as it is then. Raises Superseded.

        If an unfinished submission has the same content and `is_duplicate` accepts it, only the content is
        written, and the changes of `set_aside`. All in one transaction: of two submissions that come at the
        same time just one is set aside, and after a crash as well.
        """
        with self.write_transaction(durable=False) as connection:
            acquire_transaction_lock(connection, sha256)
            other = find_unfinished_duplicate(connection, draft.stored, sha256, is_duplicate)
            if other is None:
                return write_draft(connection, draft)
            content: SubmissionChanges = {"sha256": sha256, "size": draft.submission.size, **set_aside(other)}
            taken = [each for each in draft.events if each[0] is EventKind.TAKEN]
            news = (*taken, (EventKind.DUPLICATE, f"of submission {other.id}"))
            return apply_changes(connection, draft.stored, content, *news)

    def find_earlier_revisions(self, submission: Submission) -> tuple[Submission, ...]:
        """Return earlier submissions of a file in exactly this place, oldest first."""
        if not submission.left_in_place:
            return self.find_submissions(FIND_EARLIER_AT_PATH, at_path=submission.path, number=submission.id)
        query = select(submissions).where(_same_origin(submission), submissions.c.id < submission.id)
        return self.select_submissions(query.order_by(submissions.c.id))

    def find_sent_build(self, submission: Submission) -> Submission | None:
        """Return the newest submission of the same content and settings whose build was sent."""
        like = submissions.c
        query = select(submissions).where(
            like.sha256 == submission.sha256,
            like.id != submission.id,
            like.state.in_([state.value for state in SENT_STATES]),
            like.build_id.is_not(None),
            like.preset_id.is_not_distinct_from(submission.preset_id),
            like.preset.is_not_distinct_from(submission.preset),
            like.owner_id.is_not_distinct_from(submission.owner_id),
            like.folder_id.is_not_distinct_from(submission.folder_id),
        )
        return next(iter(self.select_submissions(query.order_by(like.id.desc()).limit(1))), None)

    def reuse_build(
        self, submission: Submission, earlier: Submission, **changes: Unpack[SubmissionChanges]
    ) -> bool:
        """Assign the build of an earlier submission. False if another one sends it, or may have sent it.

        Only one at a time sends a build: its traces in the cloud can't be told apart. Raises Superseded.
        """
        with self.write_transaction() as connection:
            acquire_transaction_lock(connection, submission.sha256 or "")
            if find_competing_submission(connection, earlier.build_id, besides=submission.id) is not None:
                return False
            reused: SubmissionChanges = {"build_id": earlier.build_id, **changes}
            news = (EventKind.BUILD_REUSED, f"of submission {earlier.id}")
            apply_changes(connection, submission, reused, news)
        return True


def _same_origin(submission: Submission) -> ColumnElement[bool]:
    """An older release recorded no origin: then this machine's own path has to do."""
    if submission.origin is None:
        return submissions.c.claimed_as == submission.claimed_as
    return submissions.c.origin == submission.origin


def find_unfinished_duplicate(
    connection: Connection, submission: Submission, sha256: str, is_duplicate: IsDuplicate
) -> Submission | None:
    rows = FIND_UNFINISHED_CONTENT.execute(connection, content=sha256, number=submission.id).mappings()
    return next(filter(is_duplicate, map(submission_from, rows.all())), None)


def find_competing_submission(connection: Connection, build_id: str | None, besides: int) -> int | None:
    """Return a submission that sends this build and has not ended, or whose send is not confirmed."""
    not_confirmed = select(sends.c.submission).where(sends.c.receipt_id.is_(None), sends.c.times > 0)
    is_sending = select(submissions.c.id).where(
        submissions.c.build_id == build_id,
        submissions.c.id != besides,
        or_(
            submissions.c.state.not_in([state.value for state in ENDED_STATES]),
            submissions.c.id.in_(not_confirmed),
        ),
    )
    return connection.execute(is_sending.limit(1)).scalar_one_or_none()
