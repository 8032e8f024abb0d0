"""How our HTTP sessions differ from the library's own: no keys from elsewhere, no redirects, large blocks."""

from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from workflow import __version__

SEND_BLOCK = 2**18
"""Bytes; with the library's 16 KB a large upload takes twice the time."""
THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


class Unredirected(requests.Session):
    """A session that leaves redirects to us: even unfollowed, requests would look where they lead."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Say that there is none."""


def new_session(url: str) -> requests.Session:
    """Give a session that takes proxies from the environment (not for this machine), but no keys.

    Without an `auth` of its own, requests would let a .netrc replace the Authorization header.
    """
    session = Unredirected()
    session.auth = _as_it_is
    for scheme in ("http://", "https://"):
        session.mount(scheme, _large_blocks())
    session.trust_env = urlsplit(url).hostname not in THIS_MACHINE
    session.headers.update({"User-Agent": f"stlflow/{__version__}", "Accept": "application/json"})
    return session


def _large_blocks() -> HTTPAdapter:
    adapter = HTTPAdapter()
    adapter.poolmanager.connection_pool_kw["blocksize"] = SEND_BLOCK
    return adapter


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
