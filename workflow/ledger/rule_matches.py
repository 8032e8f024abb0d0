"""How often each rule decided, and when last: a rule counts once for each submission it decided about."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import case, func, select

from workflow.frozen import frozen
from workflow.ledger.store import Store
from workflow.ledger.tables import decisions, earlier_decisions


@frozen
class RuleMatches:
    """How many submissions a rule has decided about since a day, and when it decided last."""

    recent: int
    last_at: datetime


class RuleMatchStore(Store):
    """Counts over the latest and the earlier decisions; those of deleted submissions are gone."""

    def count(self, since: datetime) -> Mapping[tuple[str, str], RuleMatches]:
        """Return the matches of each rule, by stage ("intake" or "routing") and name of the rule."""
        counts: dict[tuple[str, str], int] = defaultdict(int)
        last: dict[tuple[str, str], float] = defaultdict(float)
        with self.read_connection() as connection:
            for table in (decisions, earlier_decisions):
                c = table.c
                recent = func.sum(case((c.at >= since.timestamp(), 1), else_=0))
                query = select(c.stage, c.rule, recent, func.max(c.at)).group_by(c.stage, c.rule)
                for stage, rule, count, at in connection.execute(query):
                    counts[stage, rule] += int(count)
                    last[stage, rule] = max(last[stage, rule], at)
        return {key: RuleMatches(counts[key], datetime.fromtimestamp(at, UTC)) for key, at in last.items()}
