"""Other people's words in our messages: short, on one line, without links and keys."""

import re
from collections.abc import Iterable
from json import JSONDecodeError, loads
from urllib.parse import urlsplit

LONGEST_SAYING = 200
SHORTEST_SECRET = 4
"""Blanking out anything shorter would only garble messages."""
_LINK = re.compile(r"(?i)\b[a-z][a-z0-9+.-]*://\S+")
_NO_HOST = re.compile(r"[^0-9A-Za-z.:\[\]-]")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+")


def saying(body: bytes) -> str:
    """Give what an error reply says, fit to be shown; empty when it is no error of the contract."""
    try:
        content = loads(body)
    except (JSONDecodeError, UnicodeDecodeError, RecursionError):
        return ""
    message = content.get("message") if isinstance(content, dict) else None
    return presentable(message) if isinstance(message, str) else ""


def presentable(text: str) -> str:
    """Cut a text to a sane length, on one line; links may be signed, so none is repeated."""
    plain = printable(_LINK.sub("[link]", text))
    return plain if len(plain) <= LONGEST_SAYING else f"{plain[: LONGEST_SAYING - 1].rstrip()}…"


def printable(text: str) -> str:
    """Give a text on one line, without characters that control a terminal or a header."""
    return " ".join(_UNPRINTABLE.sub(" ", text).split())


def blanked(body: bytes, secrets: Iterable[str]) -> bytes:
    """Give the body without the secrets: an error page may show the request that it got."""
    for secret in secrets:
        if len(secret) >= SHORTEST_SECRET:
            body = body.replace(secret.encode(), b"***")
    return body


def place_of(url: str) -> str:
    """Give scheme and host of a URL: the part that can hold no secret."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "another place"
    if not parts.netloc:
        return "another place"
    return f"{parts.scheme}://{_NO_HOST.sub('', parts.netloc.rpartition('@')[2])[:LONGEST_SAYING]}"
