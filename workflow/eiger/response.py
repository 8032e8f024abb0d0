"""One reply of the service as plain values, and what its headers say.

Other people's words in our messages: short, on one line, without links and keys.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from json import JSONDecodeError, loads
from urllib.parse import urlsplit

MAX_RETRY_AFTER_SECONDS = 86_400.0
"""A service that asks for more than a day is asked again after one."""


class NoResponseReason(StrEnum):
    """Why there is no whole reply; in the first three cases it is certain that nothing was sent."""

    NO_CONNECTION = "no connection"
    NOT_TRUSTED = "certificate not trusted"
    PROXY = "the proxy refuses"
    TIMED_OUT = "timed out"
    CUT = "cut"
    TOO_LARGE = "too large"


@dataclass(frozen=True, slots=True)
class Response:
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
        return _parse_http_date(self.headers.get("date", ""))

    @property
    def is_html(self) -> bool:
        """Whether a web page came instead of data."""
        return self.body.lstrip()[:1] == b"<"

    def retry_after_seconds(self, now: datetime) -> float | None:
        """Give how long the service asks to wait: seconds, or a date by its own clock (RFC 9110, 10.2.3)."""
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


MAX_MESSAGE_LENGTH = 200
MIN_SECRET_LENGTH = 4
"""Blanking out anything shorter would only garble messages."""
_LINK = re.compile(r"(?i)\b[a-z][a-z0-9+.-]*://\S+")
_NO_HOST = re.compile(r"[^0-9A-Za-z.:\[\]-]")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+")


def extract_error_message(body: bytes) -> str:
    """Give what an error reply says, fit to be shown; empty when it is no error of the contract."""
    try:
        content = loads(body)
    except (JSONDecodeError, UnicodeDecodeError, RecursionError):
        return ""
    message = content.get("message") if isinstance(content, dict) else None
    return sanitize_message(message) if isinstance(message, str) else ""


def sanitize_message(text: str) -> str:
    """Cut a text to a sane length, on one line; links may be signed, so none is repeated."""
    plain = strip_control_characters(_LINK.sub("[link]", text))
    return plain if len(plain) <= MAX_MESSAGE_LENGTH else f"{plain[: MAX_MESSAGE_LENGTH - 1].rstrip()}…"


def strip_control_characters(text: str) -> str:
    """Give a text on one line, without characters that control a terminal or a header."""
    return " ".join(_UNPRINTABLE.sub(" ", text).split())


def redact_secrets(body: bytes, secrets: Iterable[str]) -> bytes:
    """Give the body without the secrets: an error page may show the request that it got."""
    for secret in secrets:
        if len(secret) >= MIN_SECRET_LENGTH:
            body = body.replace(secret.encode(), b"***")
    return body


def url_origin(url: str) -> str:
    """Give scheme and host of a URL: the part that can hold no secret."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "another place"
    if not parts.netloc:
        return "another place"
    return f"{parts.scheme}://{_NO_HOST.sub('', parts.netloc.rpartition('@')[2])[:MAX_MESSAGE_LENGTH]}"
