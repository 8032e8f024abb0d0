"""One reply of the service as plain values, and what its headers say."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

LONGEST_RETRY_AFTER_SECONDS = 86_400.0
"""A service that asks for more than a day is asked again after one."""


class Lost(StrEnum):
    """Why there is no whole reply; in the first three cases it is certain that nothing was sent."""

    NO_CONNECTION = "no connection"
    NOT_TRUSTED = "certificate not trusted"
    PROXY = "the proxy refuses"
    TIMED_OUT = "timed out"
    CUT = "cut"


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, headers (names in lower case) and the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def reference_id(self) -> str | None:
        """Give the vendor's number for support cases."""
        return self.headers.get("x-reference-id")

    @property
    def date(self) -> datetime | None:
        """Give the server's clock."""
        return _http_date(self.headers.get("date", ""))

    @property
    def is_page(self) -> bool:
        """Whether a web page came instead of data."""
        return self.body.lstrip()[:1] == b"<"

    def retry_after_seconds(self, now: datetime) -> float | None:
        """Give how long the service asks to wait: seconds, or a date by its own clock (RFC 9110, 10.2.3)."""
        asked = self.headers.get("retry-after", "").strip()
        if asked.isascii() and asked.isdigit():
            return min(float(asked), LONGEST_RETRY_AFTER_SECONDS)
        until = _http_date(asked)
        if until is None:
            return None
        seconds = (until - (self.date or now)).total_seconds()
        return min(max(0.0, seconds), LONGEST_RETRY_AFTER_SECONDS)


def _http_date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date
