"""What the cloud showed of an attached build before the first send of it: stlflow sent none of that."""

import json
from collections.abc import Iterable

from sqlalchemy import and_, delete, insert, select

from workflow.ledger.changes import check_fencing_token
from workflow.ledger.store import Store
from workflow.ledger.tables import seen_before
from workflow.model import Submission


class EarlierPrintStore(Store):
    """The prints of a build that were there before stlflow sent it."""

    def read(self, submission: Submission) -> frozenset[str] | None:
        """Return the cloud's ids that were recorded for this build; None if nothing was recorded."""
        mine = and_(seen_before.c.submission == submission.id, seen_before.c.build_id == submission.build_id)
        with self.read_connection() as connection:
            traces = connection.execute(select(seen_before.c.traces).where(mine)).scalar_one_or_none()
        return None if traces is None else frozenset(json.loads(traces))

    def remember(self, submission: Submission, traces: Iterable[str]) -> None:
        """Record what the cloud shows of the build, in place of an earlier record.

        Raises Superseded if the submission's turn is over.
        """
        mine = and_(seen_before.c.submission == submission.id, seen_before.c.build_id == submission.build_id)
        row = {
            "submission": submission.id,
            "build_id": submission.build_id,
            "traces": json.dumps(list(traces)),
        }
        with self.write_transaction() as connection:
            check_fencing_token(connection, submission)
            connection.execute(delete(seen_before).where(mine))
            connection.execute(insert(seen_before).values(row))
