"""Other people's text, cleaned where it enters: one line, limited, without keys and signed links."""

import re
from collections.abc import Callable, Iterable
from urllib.parse import unquote, urlsplit

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

    __slots__ = ("_secrets",)

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = tuple(secret for secret in secrets if len(secret) >= MIN_SECRET_LENGTH)

    def __call__(self, text: str) -> str:
        """Return the text with *** for each secret; percent-encoded ones are found, too."""
        for secret in self._secrets:
            text = text.replace(secret, REDACTED)
        if "%" in text:
            plain = unquote(text)
            if any(secret in plain for secret in self._secrets):
                return self(plain)
        return text

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
