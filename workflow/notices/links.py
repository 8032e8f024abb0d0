"""Signed links to decide about a held file: the reader of one may release or reject that file, once."""

import base64
import hashlib
import hmac
import json
from datetime import datetime, timedelta

from workflow.frozen import frozen

LASTING = timedelta(days=7)
_PURPOSE = b"stlflow: a link in a notice\n"


@frozen
class LinkGrant:
    """What a link allows: to decide about one submission, held at a time, for whom the notice was.

    `held_at` makes it good for one decision: after that the file is not held, or was held at a later time.
    """

    number: int
    held_at: float
    target: str
    ends_at: float


def make_grant(number: int, held_at: datetime, target: str, now: datetime) -> LinkGrant:
    """Return a grant that ends in a week."""
    return LinkGrant(number, held_at.timestamp(), target, (now + LASTING).timestamp())


def sign_grant(key: bytes, grant: LinkGrant) -> str:
    """Return the grant as one word for an address."""
    words = [grant.number, grant.held_at, grant.target, grant.ends_at]
    payload = json.dumps(words, separators=(",", ":")).encode()
    return f"{_encode(payload)}.{_encode(_signature(key, payload))}"


def read_grant(key: bytes, word: str, now: datetime) -> LinkGrant | None:
    """Return what a link allows; None if it is forged, damaged or has ended."""
    first, _, second = word.partition(".")
    try:
        payload, signature = _decode(first), _decode(second)
        if not hmac.compare_digest(_signature(key, payload), signature):
            return None
        number, held_at, target, ends_at = json.loads(payload)
    except ValueError:
        return None
    grant = LinkGrant(int(number), float(held_at), str(target), float(ends_at))
    return grant if now.timestamp() < grant.ends_at else None


def _signature(key: bytes, payload: bytes) -> bytes:
    return hmac.new(key, _PURPOSE + payload, hashlib.sha256).digest()


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.b64decode(f"{text}{'=' * (-len(text) % 4)}", b"-_", validate=True)
