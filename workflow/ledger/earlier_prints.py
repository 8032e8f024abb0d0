"""What the cloud showed of a build before the first send of it: none of that is of our doing."""

import json
from collections.abc import Iterable

from sqlalchemy import and_, delete, insert, select

from workflow.ledger.ledger import Ledger, check_fencing_token
from workflow.ledger.tables import seen_before as table
from workflow.model import Submission


def seen_before(ledger: Ledger, submission: Submission) -> frozenset[str] | None:
    """Return the cloud's ids that were written down for this build; None if none were. Raises StateError."""
    mine = and_(table.c.submission == submission.id, table.c.build_id == submission.build_id)
    with ledger.read_connection() as connection:
        traces = connection.execute(select(table.c.traces).where(mine)).scalar_one_or_none()
    return None if traces is None else frozenset(json.loads(traces))


def remember_seen(ledger: Ledger, submission: Submission, traces: Iterable[str]) -> None:
    """Write down what the cloud shows of the build, in place of what was written before.

    Raises Superseded when the submission's turn is over, StateError.
    """
    mine = and_(table.c.submission == submission.id, table.c.build_id == submission.build_id)
    row = {"submission": submission.id, "build_id": submission.build_id, "traces": json.dumps(list(traces))}
    with ledger.write_transaction() as connection:
        check_fencing_token(connection, submission)
        connection.execute(delete(table).where(mine))
        connection.execute(insert(table).values(row))
