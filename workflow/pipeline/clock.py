"""The present time, as everybody sees it who works on the same ledger."""

from datetime import UTC, datetime

from workflow.ledger import CLOCK


def now() -> datetime:
    """Give the present time, aware and in UTC."""
    return datetime.fromtimestamp(CLOCK.seconds(), UTC)
