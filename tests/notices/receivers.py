"""Receivers on this machine: over HTTP(S) and SMTP, well or badly behaved."""

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.free_ports import free_port


@dataclass
class Receiver:
    """What an HTTP receiver got, and how it behaves: "take", a status, or "redirect URL".

    "cut" and "hang" take the message, too, and send no reply.
    """

    url: str = ""
    behavior: str = "take"
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    asked: int = 0
    released: threading.Event = field(default_factory=threading.Event)

    def documents(self) -> list[dict[str, Any]]:
        """Return what it took, read as JSON."""
        return [json.loads(body) for _, body in self.got]


@contextmanager
def http_receiver(context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """Run a receiver until the block ends."""
    receiver = Receiver()

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.asked += 1
            behavior = receiver.behavior
            if behavior in {"take", "cut", "hang"}:
                receiver.got.append((dict(self.headers), body))
            if behavior == "hang":
                receiver.released.wait(60)
            if behavior in {"cut", "hang"}:
                return
            self._reply(behavior)

        def _reply(self, behavior: str) -> None:
            self.send_response(
                302 if behavior.startswith("redirect") else int(behavior) if behavior.isdigit() else 200
            )
            if behavior.startswith("redirect"):
                self.send_header("Location", behavior.removeprefix("redirect "))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            receiver.asked += 100

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.daemon_threads = True
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    receiver.url = f"http{'s' * (context is not None)}://127.0.0.1:{server.server_port}/hook"
    try:
        yield receiver
    finally:
        receiver.released.set()
        server.shutdown()
        server.server_close()


@dataclass
class MailBox:
    """The mails that an SMTP server took; `reply` is what it says to a mail."""

    url: str = ""
    reply: str = "250 OK"
    mails: list[bytes] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)

    async def handle_DATA(  # noqa: N802  # the name that aiosmtpd calls
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Take a mail, or refuse it."""
        if self.reply.startswith("2"):
            self.mails.append(bytes(envelope.original_content or b""))
            self.recipients.append(list(envelope.rcpt_tos))
        return self.reply


@contextmanager
def mail_server(
    authority: trustme.CA, *, password: str = "", tls: bool = True, host_name: str = "127.0.0.1"
) -> Iterator[MailBox]:
    """Run an SMTP server with STARTTLS, and a login if there is a password, until the block ends."""
    box = MailBox()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(host_name).configure_cert(context)

    def log_in(
        _server: object, _session: object, _envelope: object, _way: str, given: LoginPassword
    ) -> AuthResult:
        return AuthResult(success=given.password.decode() == password, handled=False)

    controller = Controller(
        box,
        hostname="127.0.0.1",
        port=free_port(),
        tls_context=context if tls else None,
        require_starttls=tls,
        authenticator=log_in if password else None,
        auth_required=bool(password),
    )
    controller.start()
    user = "stlflow@" if password else ""
    box.url = f"smtp{'' if tls else '+plain'}://{user}127.0.0.1:{controller.port}"
    try:
        yield box
    finally:
        controller.stop()


@contextmanager
def dripping(byte: bytes) -> Iterator[int]:
    """Run a server that sends this byte twenty times a second, whatever is sent to it; yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            with suppress(OSError):
                connection, _ = server.accept()
                with connection:
                    while not stopped.wait(0.05):
                        connection.sendall(byte)

        stopped, port = threading.Event(), server.getsockname()[1]
        threading.Thread(target=drip, daemon=True).start()
        yield port
        stopped.set()


@dataclass
class ConnectProxy:
    """What was asked of a proxy, and how it answers."""

    port: int
    answer: str = "200 Connection established"
    asked: list[str] = field(default_factory=list)


@contextmanager
def connect_proxy(to_port: int) -> Iterator[ConnectProxy]:
    """Run a proxy that connects to one port of this machine, whatever host it is asked for."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        proxy = ConnectProxy(server.getsockname()[1])

        def carry(source: socket.socket, to: socket.socket) -> None:
            with suppress(OSError):
                while some := source.recv(65536):
                    to.sendall(some)
                to.shutdown(socket.SHUT_WR)

        def serve() -> None:
            with suppress(OSError):
                while True:
                    client, _ = server.accept()
                    with client, socket.create_connection(("127.0.0.1", to_port)) as receiver:
                        proxy.asked.append(client.recv(65536).decode())
                        client.sendall(f"HTTP/1.1 {proxy.answer}\r\n\r\n".encode())
                        if proxy.answer.startswith("200"):
                            back = threading.Thread(target=carry, args=(receiver, client), daemon=True)
                            back.start()
                            carry(client, receiver)
                            back.join(60)

        threading.Thread(target=serve, daemon=True).start()
        yield proxy


def server_context(authority: trustme.CA, host: str = "127.0.0.1") -> ssl.SSLContext:
    """Return a context for a server with a certificate for this host."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(host).configure_cert(context)
    return context
