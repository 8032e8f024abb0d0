"""Decisions with their rules and facts, and what the past says about new files."""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, and_, func, insert, select

from workflow.errors import StateFolderError
from workflow.frozen import frozen
from workflow.ledger.changes import seconds_now
from workflow.ledger.rows import decision_from
from workflow.ledger.statements import COUNT_SENT_CONTENT, READ_DECISIONS
from workflow.ledger.store import Store
from workflow.ledger.tables import decisions, rulebooks, submissions
from workflow.model import DecisionRecord, Destination

_SECONDS_PER_HOUR = 3600
_NUMBERS_AT_ONCE = 500
_SUBMISSIONS_SEARCHED = 2000


@frozen
class RecentSend:
    """What was sent to a device: how, how many copies, and how many seconds each copy prints."""

    device_id: str
    destination: Destination
    copies: int
    seconds: float


class DecisionStore(Store):
    """Decisions, and the texts of the rules that made them."""

    def read(self, number: int) -> Mapping[str, DecisionRecord]:
        """Return the latest decision of each stage of a submission, by stage."""
        with self.read_connection() as connection:
            rows = READ_DECISIONS.execute(connection, number=number).mappings()
            return {row["stage"]: decision_from(row) for row in rows}

    def read_routing(self, numbers: Collection[int]) -> Mapping[int, DecisionRecord]:
        """Return the latest routing decision of each of these submissions, by number."""
        found: dict[int, DecisionRecord] = {}
        wanted, routing = sorted(numbers), decisions.c.stage == "routing"
        for begin in range(0, len(wanted), _NUMBERS_AT_ONCE):
            some = decisions.c.submission.in_(wanted[begin : begin + _NUMBERS_AT_ONCE])
            with self.read_connection() as connection:
                rows = connection.execute(select(decisions).where(routing, some)).mappings()
                found |= {row["submission"]: decision_from(row) for row in rows}
        return found

    def list_print_times(self, preset: str, before: int, limit: int) -> Sequence[tuple[float | None, float]]:
        """Return volume in cm³ (None if not measured) and print seconds of earlier parts, the newest first.

        Only the last submissions are read: a rare preset must not cost a scan of all.
        """
        query = (
            select(decisions.c.facts)
            .join(submissions, decisions.c.submission == submissions.c.id)
            .where(submissions.c.id.between(before - _SUBMISSIONS_SEARCHED, before - 1))
            .where(submissions.c.preset == preset, decisions.c.stage == "routing")
            .order_by(submissions.c.id.desc())
            .limit(limit)
        )
        with self.read_connection() as connection:
            known = [json.loads(facts) for facts in connection.execute(query).scalars()]
        hours = [(facts.get("volume_cm3"), facts.get("build.print_hours")) for facts in known]
        return [(volume, print_hours * _SECONDS_PER_HOUR) for volume, print_hours in hours if print_hours]

    def list_decided_since(self, since: datetime | None) -> Sequence[int]:
        """Return the numbers of the submissions that had a decision since then, oldest first."""
        query = select(decisions.c.submission).distinct().order_by(decisions.c.submission)
        if since is not None:
            query = query.where(decisions.c.at >= since.timestamp())
        with self.read_connection() as connection:
            return connection.execute(query).scalars().all()

    def store_rules(self, revision: str, text: str) -> None:
        """Store a text of rules that is used from now on; a text that is stored already stays."""
        try:
            with self.write_transaction() as connection:
                if _rules_text(connection, revision) is None:
                    row = {"revision": revision, "text": text, "first_used_at": seconds_now()}
                    connection.execute(insert(rulebooks).values(row))
        except StateFolderError:  # another service may have been quicker
            if self.read_rules(revision) is None:
                raise

    def read_rules(self, revision: str) -> str | None:
        """Return a text of rules that was used before; None if it was not stored."""
        with self.read_connection() as connection:
            return _rules_text(connection, revision)

    def count_before(self, sha256: str, besides: int | None = None) -> Mapping[str, int]:
        """Return how many submissions of exactly these bytes were sent, printed and failed, as rules name it.

        Only followed prints are known to have been printed or to have failed. `besides` is not counted.
        """
        with self.read_connection() as connection:
            counted = COUNT_SENT_CONTENT.execute(connection, content=sha256, number=besides or 0).all()
        return dict(zip(("sent_before", "printed_before", "failed_before"), counted[0], strict=True))

    def last_sent_by_device(self) -> Mapping[str, datetime]:
        """Return when a build was last sent to each device, by the device's id."""
        by_device = and_(decisions.c.stage == "routing", decisions.c.device_id.is_not(None))
        query = select(decisions.c.device_id, func.max(decisions.c.at)).where(by_device)
        with self.read_connection() as connection:
            rows = connection.execute(query.group_by(decisions.c.device_id)).all()
        return {device_id: datetime.fromtimestamp(at, UTC) for device_id, at in rows}

    def list_recent_sends(self, since: datetime, device_ids: Collection[str]) -> tuple[RecentSend, ...]:
        """Return what was sent to these devices since then, without what a device has refused."""
        columns = (
            submissions.c.device_id,
            submissions.c.destination,
            submissions.c.copies,
            submissions.c.spread_ids,
            decisions.c.facts,
        )
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
        with self.read_connection() as connection:
            rows = connection.execute(query).all()
        return tuple(send for row in rows for send in _recent_sends_from(*row))


def _recent_sends_from(
    device_id: str, destination: str, copies: int | None, spread: str | None, facts: str
) -> Iterator[RecentSend]:
    """Yield what went to each device: all copies to one, or those that were spread."""
    seconds = json.loads(facts).get("build.print_hours", 0.0) * _SECONDS_PER_HOUR
    counts = Counter(json.loads(spread or "[]")) or {device_id: copies or 1}
    for each, count in counts.items():
        yield RecentSend(each, Destination(destination), count, seconds)


def _rules_text(connection: Connection, revision: str) -> str | None:
    query = select(rulebooks.c.text).where(rulebooks.c.revision == revision)
    return connection.execute(query).scalar_one_or_none()
