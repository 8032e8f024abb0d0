"""One response of the service as plain values, and what its headers say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from json import JSONDecodeError, loads

from workflow.eiger.sanitize import MAX_REFERENCE_LENGTH, Redact, Redactor, clean_text, sanitize_message

MAX_RETRY_AFTER_SECONDS = 86_400.0
"""A service that asks for more than a day is asked again after one."""


class NoResponseReason(StrEnum):
    """Why there is no whole response; in the first three cases it is certain that nothing was sent."""

    NO_CONNECTION = "no connection"
    NOT_TRUSTED = "certificate not trusted"
    PROXY = "the proxy refuses"
    TIMED_OUT = "timed out"
    CUT = "cut"
    TOO_LARGE = "too large"


@dataclass(frozen=True, slots=True)
class Response:
    """Status, headers (names in lower case) and the whole body, as they came.

    Text of it is shown or stored only after `redact` and `sanitize`.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    redact: Redact = field(default=Redactor(), repr=False, compare=False)

    @property
    def reference_id(self) -> str | None:
        """Return the vendor's number for support cases."""
        reference = self.headers.get("x-reference-id")
        return reference and clean_text(reference, self.redact, MAX_REFERENCE_LENGTH).strip()

    @property
    def date(self) -> datetime | None:
        """Return the server's time."""
        return _parse_http_date(self.headers.get("date", ""))

    @property
    def is_html(self) -> bool:
        """True if a web page came instead of data."""
        return self.body.lstrip()[:1] == b"<"

    def retry_after_seconds(self, now: datetime) -> float | None:
        """Return the wait that the service asks for, in seconds or as a date (RFC 9110, 10.2.3)."""
        asked = self.headers.get("retry-after", "").strip()
        if asked.isascii() and asked.isdigit():
            return min(float(asked), MAX_RETRY_AFTER_SECONDS)
        until = _parse_http_date(asked)
        if until is None:
            return None
        seconds = (until - (self.date or now)).total_seconds()
        return min(max(0.0, seconds), MAX_RETRY_AFTER_SECONDS)


def _parse_http_date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date


def extract_error_message(response: Response) -> str:
    """Return what an error response says, fit to be shown; "" when it is no error of the contract."""
    try:
        content = loads(response.body)
    except (JSONDecodeError, UnicodeDecodeError, RecursionError):
        return ""
    message = content.get("message") if isinstance(content, dict) else None
    return sanitize_message(message, response.redact) if isinstance(message, str) else ""
