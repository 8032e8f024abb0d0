"""What was decided, by which rules and on what was known; and what the past says about new files."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, and_, func, insert, select

from workflow.errors import StateFolderError
from workflow.ledger.ledger import Ledger, seconds_now
from workflow.ledger.rows import decision_from
from workflow.ledger.statements import READ_DECISIONS
from workflow.ledger.tables import decisions, rulebooks, sends, submissions
from workflow.model import DecisionRecord, Destination

_SECONDS_PER_HOUR = 3600


@dataclass(frozen=True, slots=True)
class RecentSend:
    """What was given to a device: how, how often, and how many seconds each copy prints."""

    device_id: str
    destination: Destination
    copies: int
    seconds: float


def read_decisions(ledger: Ledger, number: int) -> Mapping[str, DecisionRecord]:
    """Give the latest decision of each stage of a submission, by stage."""
    with ledger.read_connection() as connection:
        rows = READ_DECISIONS.execute(connection, number=number).mappings()
        return {row["stage"]: decision_from(row) for row in rows}


def list_decided_since(ledger: Ledger, since: datetime | None) -> Sequence[int]:
    """Give the numbers of the submissions for which something was decided, oldest first."""
    query = select(decisions.c.submission).distinct().order_by(decisions.c.submission)
    if since is not None:
        query = query.where(decisions.c.at >= since.timestamp())
    with ledger.read_connection() as connection:
        return connection.execute(query).scalars().all()


def store_rules(ledger: Ledger, revision: str, text: str) -> None:
    """Keep a text of rules that comes into force; what is kept already stays."""
    try:
        with ledger.write_transaction() as connection:
            if _rules_text(connection, revision) is None:
                row = {"revision": revision, "text": text, "first_used_at": seconds_now()}
                connection.execute(insert(rulebooks).values(row))
    except StateFolderError:  # another service may have been quicker
        if read_stored_rules(ledger, revision) is None:
            raise


def read_stored_rules(ledger: Ledger, revision: str) -> str | None:
    """Give a text of rules that was in force once; None when it was not kept."""
    with ledger.read_connection() as connection:
        return _rules_text(connection, revision)


def count_sent_before(ledger: Ledger, sha256: str, besides: int | None = None) -> int:
    """Count the submissions of the very same bytes that were sent, `besides` one of them."""
    query = (
        select(func.count())
        .select_from(submissions)
        .where(
            submissions.c.sha256 == sha256,
            submissions.c.receipt_id.is_not(None),
            submissions.c.id != (besides or 0),
        )
    )
    with ledger.read_connection() as connection:
        return int(connection.execute(query).scalar_one())


def last_sent_by_device(ledger: Ledger) -> Mapping[str, datetime]:
    """Give when a build was last given to each device, by the device's id."""
    by_device = and_(decisions.c.stage == "routing", decisions.c.device_id.is_not(None))
    query = select(decisions.c.device_id, func.max(decisions.c.at)).where(by_device)
    with ledger.read_connection() as connection:
        rows = connection.execute(query.group_by(decisions.c.device_id)).all()
    return {device_id: datetime.fromtimestamp(at, UTC) for device_id, at in rows}


def list_recent_sends(ledger: Ledger, since: datetime, device_ids: Collection[str]) -> tuple[RecentSend, ...]:
    """Give what was given to these devices since then; what one of them refused meanwhile does not count."""
    columns = (submissions.c.device_id, submissions.c.destination, submissions.c.copies, decisions.c.facts)
    query = (
        select(*columns)
        .join(decisions, decisions.c.submission == submissions.c.id)
        .where(
            decisions.c.stage == "routing",
            decisions.c.device_id.in_(device_ids),
            decisions.c.at >= since.timestamp(),
            submissions.c.device_id == decisions.c.device_id,
        )
    )
    with ledger.read_connection() as connection:
        return tuple(_recent_send_from(*row) for row in connection.execute(query))


def list_receipts(ledger: Ledger, number: int) -> tuple[str, ...]:
    """Give the receipts of a submission, copy by copy."""
    query = select(sends.c.receipt_id).where(sends.c.submission == number, sends.c.receipt_id.is_not(None))
    with ledger.read_connection() as connection:
        return tuple(connection.execute(query.order_by(sends.c.copy)).scalars().all())


def _recent_send_from(device_id: str, destination: str, copies: int | None, facts: str) -> RecentSend:
    hours = json.loads(facts).get("build.print_hours", 0.0)
    return RecentSend(device_id, Destination(destination), copies or 1, hours * _SECONDS_PER_HOUR)


def _rules_text(connection: Connection, revision: str) -> str | None:
    query = select(rulebooks.c.text).where(rulebooks.c.revision == revision)
    return connection.execute(query).scalar_one_or_none()
