"""A proxy between a browser and a console: the stream is passed on, refused, held back, or all is gone."""

import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from urllib.parse import urlsplit

from tests.console.conftest import Site

TICK_SECONDS = 0.1


@dataclass
class Between:
    """`way` is pass, refuse (503 for the stream), hold (no byte of it comes), or gone (nothing answers)."""

    url: str
    way: str = "pass"
    streams: int = 0
    """How many streams are open now."""
    _lock: Lock = field(default_factory=Lock)

    def count(self, change: int) -> None:
        with self._lock:
            self.streams += change


@contextmanager
def standing_between(site: Site) -> Iterator[Between]:
    """Serve a console through a proxy until the block ends."""
    place = urlsplit(site.url)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_stream = self.path.startswith("/events")
            if is_stream and between.way == "refuse":
                self.send_error(503)
            elif between.way != "gone":
                between.count(is_stream)
                with (
                    suppress(OSError),
                    socket.create_connection((place.hostname or "", place.port or 0)) as there,
                ):
                    self._pass_on(there, is_stream)
                between.count(-is_stream)

        def _pass_on(self, there: socket.socket, is_stream: bool) -> None:
            """Send the request, and what comes back, until one side ends."""
            del self.headers["Connection"]
            there.sendall(f"GET {self.path} HTTP/1.1\r\nConnection: close\r\n{self.headers}".encode())
            while between.way != "gone":
                found, _, _ = select.select([self.connection, there], [], [], TICK_SECONDS)
                for side in found:
                    if not (piece := side.recv(65536)):
                        return
                    if side is there and not (is_stream and between.way == "hold"):
                        self.connection.sendall(piece)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    between = Between(f"http://127.0.0.1:{server.server_port}")
    Thread(target=server.serve_forever, args=(TICK_SECONDS,), daemon=True).start()
    try:
        yield between
    finally:
        between.way = "gone"
        server.shutdown()
        server.server_close()
