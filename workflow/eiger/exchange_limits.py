"""The limits of one whole exchange: when time is up, its connections are closed, whatever it is doing.

The timeouts of an HTTP library hold for one read each. A server that sends one byte now and then, or interim
responses, headers, chunk sizes, trailers or empty compressed blocks without end, would keep a call forever.
"""

import math
import socket
import threading
import time
from contextlib import suppress
from contextvars import ContextVar, Token
from http.client import HTTPException, HTTPResponse
from io import BufferedReader, RawIOBase
from typing import Any, Self

from loguru import logger
from urllib3.connection import HTTPConnection, HTTPSConnection

MAX_RESPONSE_BYTES = 16 * 2**20
"""A page holds 100 entries at most; with 1 KB each that is 100 KB."""

CURRENT_LIMITS: ContextVar["ExchangeLimits | None"] = ContextVar("exchange_limits", default=None)
"""The limits of the call that a thread is in."""


class ExchangeLimits:
    """Seconds and received bytes that one call may take; `expired` is true once its time was up.

    A `with` block around the call: connections that this thread opens or uses in it are watched.
    """

    def __init__(self, call: str, seconds: float, max_bytes: int = MAX_RESPONSE_BYTES) -> None:
        self.max_bytes, self.expired = max_bytes, False
        self._call, self._began = call, time.monotonic()
        self.ends_at = self._began + seconds
        self._lock = threading.Lock()
        self._over = False
        self._watched: list[socket.socket] = []
        self._outer: Token[ExchangeLimits | None] | None = None

    def __enter__(self) -> Self:
        """Start the clock."""
        self._outer = CURRENT_LIMITS.set(self)
        _DEADLINES.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the clock."""
        if self._outer is not None:
            CURRENT_LIMITS.reset(self._outer)
        _DEADLINES.remove(self)
        with self._lock:
            self._over = True
            for watched in self._watched:
                watched.close()

    def extend(self, seconds: float) -> None:
        """Allow at least these seconds from now, unless time is up already."""
        with self._lock:
            self.ends_at = max(self.ends_at, time.monotonic() + seconds)

    def watch(self, connection: socket.socket) -> None:
        """Close this connection when time is up; at once if it is up already."""
        with self._lock:
            self._watched.append(connection.dup())
            if self.expired:
                self._shut_down()

    def expire(self) -> bool:
        """Close the connections if time is up; False if the exchange got more time meanwhile."""
        with self._lock:
            seconds = time.monotonic() - self._began
            if self._over or time.monotonic() < self.ends_at:
                return self._over
            self.expired = True
            self._shut_down()
        logger.warning(
            "{} hangs: no whole answer after {:.1f} s. Its connection is closed.", self._call, seconds
        )
        return True

    def _shut_down(self) -> None:
        for watched in self._watched:
            with suppress(OSError):  # the other side was quicker
                watched.shutdown(socket.SHUT_RDWR)


class _Deadlines:
    """One thread for all exchanges of the process. It sleeps until the first of them has no time left."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._exchanges: set[ExchangeLimits] = set()
        self._wakes_at = math.inf
        self._thread: threading.Thread | None = None

    def add(self, limits: ExchangeLimits) -> None:
        """Watch an exchange."""
        with self._changed:
            self._exchanges.add(limits)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="exchange-limits", daemon=True)
                self._thread.start()
            elif limits.ends_at < self._wakes_at:
                self._changed.notify()

    def remove(self, limits: ExchangeLimits) -> None:
        """Watch an exchange no longer. The thread ends at its next check if it has nothing to watch."""
        with self._changed:
            self._exchanges.discard(limits)

    def _run(self) -> None:
        while True:
            for limits in self._wait_for_expired():
                if not limits.expire():
                    self.add(limits)
            with self._changed:
                if not self._exchanges:
                    self._thread = None
                    return

    def _wait_for_expired(self) -> list[ExchangeLimits]:
        """Sleep until time is up for at least one exchange, and return those; none if all have ended."""
        with self._changed:
            while self._exchanges:
                now = time.monotonic()
                if expired := [limits for limits in self._exchanges if limits.ends_at <= now]:
                    self._exchanges.difference_update(expired)
                    return expired
                self._wakes_at = min(limits.ends_at for limits in self._exchanges)
                self._changed.wait(self._wakes_at - now)
            return []


_DEADLINES = _Deadlines()


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
    """A response whose head and body are limited in bytes as they are on the wire.

    After an effect the connection is closed, whatever the server says.
    """

    def __init__(
        self, sock: socket.socket, debuglevel: int = 0, method: str | None = None, **rest: Any
    ) -> None:
        super().__init__(sock, debuglevel, method, **rest)
        self._has_effect = method != "GET"
        self._wire = _BoundedReader(self.fp.detach(), MAX_HEAD_BYTES)
        self.fp = BufferedReader(self._wire)

    def begin(self) -> None:
        """Read the head; then allow the bytes of a body."""
        super().begin()
        self.will_close = self.will_close or self._has_effect
        limits = CURRENT_LIMITS.get()
        self._wire.bytes_left = MAX_FRAMING_BYTES + (limits.max_bytes if limits else MAX_RESPONSE_BYTES)


class WatchedConnection(HTTPConnection):
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
        limits = CURRENT_LIMITS.get()
        if limits is not None and self._handle is not None:
            limits.watch(self._handle)


class WatchedTlsConnection(WatchedConnection, HTTPSConnection):
    """The same over TLS."""
