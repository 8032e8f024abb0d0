"""How often each rule decided, and when last: from the latest decision of each stage of each submission."""

from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import case, func, select

from workflow.frozen import frozen
from workflow.ledger.store import Store
from workflow.ledger.tables import decisions


@frozen
class RuleMatches:
    """How many submissions a rule has decided since a day, and when it decided last."""

    recent: int
    last_at: datetime


class RuleMatchStore(Store):
    """Counts over `decisions`; those of deleted submissions are gone."""

    def count(self, since: datetime) -> Mapping[tuple[str, str], RuleMatches]:
        """Return the matches of each rule, by stage ("intake" or "routing") and name of the rule."""
        recent = func.sum(case((decisions.c.at >= since.timestamp(), 1), else_=0))
        query = select(decisions.c.stage, decisions.c.rule, recent, func.max(decisions.c.at))
        with self.read_connection() as connection:
            rows = connection.execute(query.group_by(decisions.c.stage, decisions.c.rule)).all()
        return {
            (stage, rule): RuleMatches(int(count), datetime.fromtimestamp(last, UTC))
            for stage, rule, count, last in rows
        }
