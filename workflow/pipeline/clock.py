"""The present time."""

from datetime import UTC, datetime


def now() -> datetime:
    """Give the present time, aware and in UTC."""
    return datetime.now(UTC)
