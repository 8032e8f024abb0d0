"""One response of the service as plain values; foreign text is cleaned: one line, no keys, no links."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from functools import lru_cache
from json import JSONDecodeError, loads
from urllib.parse import unquote, urljoin, urlsplit

from workflow.eiger.operations import Operation
from workflow.frozen import frozen

MAX_MESSAGE_LENGTH = 200
MAX_TEXT_LENGTH = 400
"""For names and titles; a file name has 255 characters at most."""
MAX_HEADER_LENGTH = 8192
"""A signed link in a Location header may be long."""
MAX_REFERENCE_LENGTH = 100
MIN_SECRET_LENGTH = 4
"""Redacting anything shorter would only garble texts."""
REDACTED = "***"
_LINK = re.compile(r"(?i)\b[a-z][a-z0-9+.-]*://\S+")
_SIGNED_LINK = re.compile(r"(?i)\b[a-z][a-z0-9+.-]*://\S*[?@]\S*")
_NO_HOST = re.compile(r"[^0-9A-Za-z.:\[\]-]")
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f]+"
)
"""Control characters, line breaks, bidirectional controls, invisible characters, lone surrogates."""

Redact = Callable[[str], str]


class Redactor:
    """Return a text without the secrets, however they are encoded in it. Never shows them itself."""

    __slots__ = ("_marks", "_secrets")

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = tuple(secret for secret in secrets if len(secret) >= MIN_SECRET_LENGTH)
        self._marks = (b"%", b"\\", *(secret.encode() for secret in self._secrets))

    def __call__(self, text: str) -> str:
        """Return the text with *** for each secret; percent-encoded ones are found, too."""
        for secret in self._secrets:
            text = text.replace(secret, REDACTED)
        if "%" in text:
            plain = unquote(text)
            if any(secret in plain for secret in self._secrets):
                return self(plain)
        return text

    def may_find_in(self, content: bytes) -> bool:
        """True if a JSON text may hold a secret: as it is, percent-encoded, or escaped."""
        return any(mark in content for mark in self._marks)

    def __repr__(self) -> str:
        """Return a text without any secret."""
        return "Redactor(…)"


def clean_text(text: str, redact: Redact | None = None, longest: int = MAX_TEXT_LENGTH) -> str:
    """Return a text fit to be stored and shown: on one line, cut, without keys and signed links."""
    if not text.isprintable():
        text = _UNPRINTABLE.sub(" ", text)
    if redact is not None:
        text = redact(text)
    if "://" in text:
        text = _SIGNED_LINK.sub("[link]", text)
    return _shorten(text, longest)


def sanitize_message(text: str, redact: Redact | None = None) -> str:
    """Return an error's words cut to a sane length, on one line and without any link."""
    return clean_text(strip_control_characters(_LINK.sub("[link]", text)), redact, MAX_MESSAGE_LENGTH)


def strip_control_characters(text: str) -> str:
    """Return a text on one line, without characters that control a terminal or a header."""
    return " ".join(_UNPRINTABLE.sub(" ", text).split())


def url_origin(url: str) -> str:
    """Return scheme and host of a URL: the part that can hold no secret."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "another place"
    if not parts.netloc:
        return "another place"
    return f"{parts.scheme}://{_NO_HOST.sub('', parts.netloc.rpartition('@')[2])[:MAX_MESSAGE_LENGTH]}"


def _shorten(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


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


@frozen
class Response:
    """Status, headers (names in lower case) and the whole body, as they came.

    Text of it is shown or stored only after `redact` and `sanitize`.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    redact: Redactor = field(default=Redactor(), repr=False, compare=False)

    @property
    def redact_body(self) -> Redactor | None:
        """Return what redacts the texts of the body; None if there is nothing to redact."""
        return self.redact if self.redact.may_find_in(self.body) else None

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


@lru_cache(maxsize=8)
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


REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})


def redirect_target(url: str, response: Response, operation: Operation) -> str | None:
    """Return the target of a redirect if a GET may follow it: same scheme, host and port."""
    location = response.headers.get("location")
    if (
        response.status not in REDIRECT_STATUSES
        or not location
        or not operation.reads
        or operation.answers_in_location
    ):
        return None
    try:
        onward = urljoin(url, location)
        here, there = urlsplit(url), urlsplit(onward)
    except ValueError:
        return None
    return onward if (here.scheme, here.netloc) == (there.scheme, there.netloc) else None
