"""The limits of one whole exchange: when time is up, its connections are closed, whatever it is doing.

The timeouts of an HTTP library hold for one read each. A server that sends one byte now and then, or interim
responses, headers, chunk sizes, trailers or empty compressed blocks without end, would keep a call for ever.
"""

import socket
import threading
import time
from contextlib import suppress
from contextvars import ContextVar, Token
from typing import Self

from loguru import logger

MAX_RESPONSE_BYTES = 16 * 2**20
"""A page holds 100 entries at most; with 1 KB each that is 100 KB."""

_current: ContextVar["ExchangeLimits | None"] = ContextVar("exchange_limits", default=None)


class ExchangeLimits:
    """Seconds and received bytes that one call may take; `expired` is true once its time was up.

    A `with` block around the call: connections that this thread opens or uses in it are watched.
    """

    def __init__(self, call: str, seconds: float, max_bytes: int = MAX_RESPONSE_BYTES) -> None:
        self.max_bytes, self.expired = max_bytes, False
        self._call, self._began = call, time.monotonic()
        self._ends_at = self._began + seconds
        self._changed = threading.Condition()
        self._over = False
        self._watched: list[socket.socket] = []
        self._outer: Token[ExchangeLimits | None] | None = None

    def __enter__(self) -> Self:
        """Start the clock."""
        self._outer = _current.set(self)
        threading.Thread(target=self._close_when_time_is_up, name="exchange-limit", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the clock."""
        if self._outer is not None:
            _current.reset(self._outer)
        with self._changed:
            self._over = True
            self._changed.notify()
            for watched in self._watched:
                watched.close()

    def extend(self, seconds: float) -> None:
        """Allow at least so many seconds from now, unless time is up already."""
        with self._changed:
            self._ends_at = max(self._ends_at, time.monotonic() + seconds)

    def watch(self, connection: socket.socket) -> None:
        """Close this connection when time is up; at once if it is up already."""
        with self._changed:
            self._watched.append(connection.dup())
            if self.expired:
                self._shut_down()

    def _close_when_time_is_up(self) -> None:
        with self._changed:
            while not self._over:
                left = self._ends_at - time.monotonic()
                if left <= 0:
                    self.expired = True
                    self._shut_down()
                    break
                self._changed.wait(left)
        if self.expired:
            seconds = time.monotonic() - self._began
            logger.warning(
                "{} hangs: no whole answer after {:.1f} s. Its connection is closed.", self._call, seconds
            )

    def _shut_down(self) -> None:
        for watched in self._watched:
            with suppress(OSError):  # the other side was quicker
                watched.shutdown(socket.SHUT_RDWR)


def current_limits() -> ExchangeLimits | None:
    """Return the limits of the call that this thread is in."""
    return _current.get()
