"""How our HTTP sessions differ from the library's own: no keys from elsewhere, no redirects, large blocks."""

from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from workflow import __version__

SEND_BLOCK = 2**18
THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


class LargeBlocks(HTTPAdapter):
    """Sends bodies in blocks of 256 KB: with the library's 16 KB a large file takes twice the time."""

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:
        """Make the pool of connections; the signature is the library's."""
        super().init_poolmanager(connections, maxsize, block, blocksize=SEND_BLOCK, **options)


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
    session.mount("http://", LargeBlocks())
    session.mount("https://", LargeBlocks())
    session.trust_env = urlsplit(url).hostname not in THIS_MACHINE
    session.headers.update({"User-Agent": f"stlflow/{__version__}", "Accept": "application/json"})
    return session


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
