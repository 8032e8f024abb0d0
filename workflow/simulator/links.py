"""Signed links: whoever has one may fetch, until it expires."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

DOWNLOAD_SECONDS = 30
PREVIEW_SECONDS = 3600
"""Both lifetimes stand in the contract's prose; scan reports live as long as previews."""

PLACE = "/_signed"


@dataclass(frozen=True, slots=True)
class Links:
    """Signs and checks links under a base like `http://127.0.0.1:8765`."""

    key: bytes
    base: str

    def sign(self, what: str, now: datetime, seconds: int) -> str:
        """Give a link to `what` (like `stl/ID`) that works for so many seconds."""
        expires = int((now + timedelta(seconds=seconds)).timestamp())
        return f"{self.base}{PLACE}/{what}?expires={expires}&signature={self._signature(what, expires)}"

    def allows(self, what: str, expires: str, signature: str, now: datetime) -> bool:
        """Whether the signature is ours for this and has not expired."""
        if not (expires.isascii() and expires.isdigit()):
            return False
        fits = hmac.compare_digest(self._signature(what, int(expires)).encode(), signature.encode())
        return fits and now.timestamp() <= int(expires)

    def _signature(self, what: str, expires: int) -> str:
        return hmac.new(self.key, f"{what} {expires}".encode(), hashlib.sha256).hexdigest()[:32]
