"""HTTP sessions: limited by their exchange, without redirects, without keys from elsewhere."""

import socket
from http.client import HTTPException, HTTPResponse
from io import BufferedReader, RawIOBase
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.poolmanager import PoolManager, ProxyManager

from workflow import __version__
from workflow.eiger.exchange_limits import MAX_RESPONSE_BYTES, current_limits
from workflow.eiger.network import Network, proxies_for

SEND_BLOCK_BYTES = 2**18
"""Bytes; with the library's 16 KB a large upload takes twice the time."""
MAX_HEAD_BYTES = 2**18
"""For the status line and the headers, with all interim (1xx) responses before them."""
MAX_FRAMING_BYTES = 2**18
"""For chunk sizes and trailers, beyond the bytes of the body."""


class ResponseTooLarge(HTTPException):
    """More bytes came than one response may have."""


class _BoundedReader(RawIOBase):
    """The bytes of one connection, up to a limit. Reading beyond raises ResponseTooLarge."""

    def __init__(self, connection: RawIOBase, max_bytes: int) -> None:
        self._connection, self.bytes_left = connection, max_bytes

    def readable(self) -> bool:
        """Return True, as BufferedReader asks for it."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read what has come into the buffer; return how many bytes."""
        count = self._connection.readinto(buffer)
        self.bytes_left -= count or 0
        if self.bytes_left < 0:
            raise ResponseTooLarge
        return count

    def close(self) -> None:
        """Close the connection's stream, too."""
        self._connection.close()
        super().close()


class _BoundedResponse(HTTPResponse):
    """A response whose head and body are limited in bytes as they are on the wire."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._wire = _BoundedReader(self.fp.detach(), MAX_HEAD_BYTES)
        self.fp = BufferedReader(self._wire)

    def begin(self) -> None:
        """Read the head; then allow the bytes of a body."""
        super().begin()
        limits = current_limits()
        self._wire.bytes_left = MAX_FRAMING_BYTES + (limits.max_bytes if limits else MAX_RESPONSE_BYTES)


class _WatchedConnection(HTTPConnection):
    """A connection that the limits of the current exchange can close.

    They get a second handle of the socket: TLS takes the first one away, and a response may outlive it.
    """

    response_class = _BoundedResponse
    _handle: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        connection = super()._new_conn()
        self._handle = connection.dup()
        self._watch()
        return connection

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Send a request, with a kept connection watched like a new one."""
        self._watch()
        super().request(*args, **kwargs)

    def close(self) -> None:
        """Close both handles."""
        super().close()
        if self._handle is not None:
            self._handle.close()
            self._handle = None

    def _watch(self) -> None:
        limits = current_limits()
        if limits is not None and self._handle is not None:
            limits.watch(self._handle)


class _WatchedTlsConnection(_WatchedConnection, HTTPSConnection):
    """The same over TLS."""


class _WatchedPool(HTTPConnectionPool):
    ConnectionCls = _WatchedConnection


class _WatchedTlsPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedTlsConnection


_POOL_CLASSES: dict[str, type[HTTPConnectionPool]] = {"http": _WatchedPool, "https": _WatchedTlsPool}


class _WatchedAdapter(HTTPAdapter):
    """Makes watched connections, directly and through a proxy, and sends in large blocks."""

    def __init__(self) -> None:
        super().__init__()
        _configure(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> ProxyManager:
        """Return the pools of connections through a proxy."""
        manager: ProxyManager = super().proxy_manager_for(*args, **kwargs)
        _configure(manager)
        return manager


def _configure(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = _POOL_CLASSES
    manager.connection_pool_kw["blocksize"] = SEND_BLOCK_BYTES


class NoRedirectSession(requests.Session):
    """A session that leaves redirects to us: even unfollowed, requests would look where they lead."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return None: there is no target."""


def new_session(url: str, network: Network) -> requests.Session:
    """Return a session for one URL with the proxy and the certificates of the network, and without keys.

    Nothing comes from the environment by itself: its certificates would not hold for this machine, and a
    .netrc would replace the Authorization header.
    """
    session = NoRedirectSession()
    session.auth = _keep_request_unchanged
    for scheme in ("http://", "https://"):
        session.mount(scheme, _WatchedAdapter())
    session.trust_env = False
    session.proxies.update(proxies_for(url, network))
    session.verify = network.ca_bundle or True
    session.headers.update({"User-Agent": f"stlflow/{__version__}", "Accept": "application/json"})
    return session


def _keep_request_unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
