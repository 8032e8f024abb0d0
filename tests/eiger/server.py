"""A small real HTTP server that answers as a test says, and remembers what it was asked."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase

from pydantic import SecretStr

from workflow.eiger import EigerClient, Network, RateLimiter, RetryPolicy, Timeouts

ID = "2f1c9d0e-1a2b-4c3d-8e4f-0123456789ab"
ACCESS, SECRET = "access-key-of-the-shop", "secret-key-of-the-shop"


@dataclass(frozen=True)
class Asked:
    """One request as the server saw it; `connection` tells connections apart."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int


@dataclass(frozen=True)
class Answer:
    """What the server sends; `cut_at` closes the connection after so many bytes of the body."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    cut_at: int | None = None


QUICK = Timeouts(2, 5, 5)
Script = Callable[[Asked], Answer | None]
"""None closes the connection without a word."""


@dataclass
class Server:
    """A running server."""

    url: str
    asked: list[Asked]


def as_json(content: object, status: int = 200, **headers: str) -> Answer:
    """Return an answer with a JSON body; underscores in header names stand for dashes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, json.dumps(content).encode(), {"Content-Type": "application/json", **named})


def in_turn(*answers: Answer | None) -> Script:
    """Answer one after the other; the last one for ever."""
    waiting = list(answers)
    return lambda _: waiting.pop(0) if len(waiting) > 1 else waiting[0]


@contextmanager
def serving(
    script: Script, read_body: Callable[[BufferedIOBase, int], bytes] | None = None
) -> Iterator[Server]:
    """Serve until the block ends, over connections that are kept open."""
    asked: list[Asked] = []

    class Scripted(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else the body waits until the headers are acknowledged

        def send_reply(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = read_body(self.rfile, length) if read_body else self.rfile.read(length)
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Asked(self.command, self.path, headers, body, self.client_address[1])
            asked.append(request)
            reply = script(request)
            if reply is None:
                self.close_connection = True
                return
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body[: reply.cut_at])
            self.close_connection = self.close_connection or reply.cut_at is not None

        do_GET = do_POST = do_PUT = do_DELETE = send_reply  # noqa: N815  # names that the library asks for

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    class Roomy(ThreadingHTTPServer):
        request_queue_size = 64  # with the usual 5, many connections at once wait a second
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Say nothing of clients that hang up."""

    server = Roomy(("127.0.0.1", 0), Scripted)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield Server(f"http://127.0.0.1:{server.server_address[1]}/api/v3", asked)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def client_of(
    url: str,
    *,
    attempts: int = 1,
    timeouts: Timeouts = QUICK,
    budget: RateLimiter | None = None,
    network: Network = Network(),  # noqa: B008  # a frozen value
) -> EigerClient:
    """Return a client that waits for nothing between attempts."""
    return EigerClient(
        url,
        SecretStr(ACCESS),
        SecretStr(SECRET),
        budget=budget or RateLimiter(10_000),
        timeouts=timeouts,
        retry=RetryPolicy(attempts=attempts),
        sleep=lambda _: None,
        network=network,
    )
