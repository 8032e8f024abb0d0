"""Replies on the socket: whole, or spoiled the ways that a fault needs."""

import json
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from starlette.types import Message, Receive, Send

JSON_CONTENT_TYPE = "application/json"
encode_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
SLOW_REPLY_PIECES = 20
CONTINUE_PAUSE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply, and its `effect`: what the request changed. `body`: a JSON value, plain bytes, or None."""

    status: int
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    effect: Mapping[str, object] | None = None
    content_type: str = JSON_CONTENT_TYPE

    @property
    def message(self) -> str | None:
        """The message of a refusal; None for other replies."""
        return str(self.body["message"]) if self.status >= 400 and isinstance(self.body, dict) else None

    def content(self) -> bytes:
        """Return the body's bytes."""
        if self.body is None or isinstance(self.body, bytes):
            return self.body or b""
        return encode_json(self.body).encode()


class Connection:
    """One connection, for one reply; `pause` waits for real seconds, and is true once the server stops."""

    def __init__(self, receive: Receive, send: Send, pause: Callable[[float], Awaitable[bool]]) -> None:
        self.pause = pause
        self._receive, self._send = receive, send
        self._request_ended = False
        self._buffered: deque[Message] = deque()

    async def receive(self) -> Message:
        """Return the next message of the request."""
        if self._buffered:
            return self._buffered.popleft()
        message = await self._receive()
        self._request_ended = not message.get("more_body", False)
        return message

    async def buffer_request(self) -> None:
        """Read the whole request into memory: it can be carried out after the client has left."""
        read: list[Message] = []
        while not self._request_ended:
            read.append(await self.receive())
        self._buffered.extend(read)

    async def drain(self) -> None:
        """Read the rest of the request: a client that is still sending would not read a refusal."""
        while not self._request_ended:
            await self.receive()

    async def send_reply(self, reply: Reply) -> None:
        """Send a reply in one piece."""
        content = reply.content()
        await self._send_head(reply, len(content))
        await self._send({"type": "http.response.body", "body": content})

    async def send_slowly(self, reply: Reply, seconds: float) -> None:
        """Send a reply whose body comes in small pieces."""
        content = reply.content()
        await self._send_head(reply, len(content))
        size = max(len(content) // SLOW_REPLY_PIECES, 1)
        for start in range(0, len(content), size):
            await self.pause(seconds / SLOW_REPLY_PIECES)
            await self._send_piece(content[start : start + size])
        await self._send({"type": "http.response.body", "body": b""})

    async def send_truncated(self, reply: Reply) -> None:
        """Announce the whole reply, send half of it and close the connection."""
        content = reply.content()
        await self._send_head(reply, len(content))
        await self._send_piece(content[: len(content) // 2])
        self._transport().close()
        await self._wait_until_closed()

    async def send_trickled(self, reply: Reply, seconds: float) -> None:
        """Send a reply whose head comes byte by byte, then close the connection.

        The head is written past uvicorn, which sends a head only in one piece.
        """
        content, transport = reply.content(), self._transport()
        lines = [f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}", "connection: close"]
        lines += [f"{name.decode()}: {value.decode('latin-1')}" for name, value in _head(reply, len(content))]
        head = "".join(f"{line}\r\n" for line in (*lines, "")).encode("latin-1")
        for byte in head:
            if transport.is_closing():
                return
            transport.write(bytes([byte]))
            await self.pause(seconds / len(head))
        transport.write(content)
        transport.close()
        await self._wait_until_closed()

    async def send_endless_continue(self) -> None:
        """Send `100 Continue` until the client leaves or the server stops."""
        transport, stopping = self._transport(), False
        while not (transport.is_closing() or stopping):
            transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            stopping = await self.pause(CONTINUE_PAUSE_SECONDS)
        await self.cut()

    async def cut(self) -> None:
        """Close the connection without a reply."""
        self._transport().abort()
        await self._wait_until_closed()

    async def _send_head(self, reply: Reply, length: int) -> None:
        start = {"type": "http.response.start", "status": reply.status, "headers": _head(reply, length)}
        await self._send(start)

    async def _send_piece(self, piece: bytes) -> None:
        await self._send({"type": "http.response.body", "body": piece, "more_body": True})

    def _transport(self) -> Any:
        """Return the connection's transport: ASGI can't close one, so uvicorn's own is used."""
        return getattr(self._receive, "__self__").transport  # noqa: B009  # not in the type of a callable

    async def _wait_until_closed(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass


def _head(reply: Reply, length: int) -> list[tuple[bytes, bytes]]:
    headers = {**reply.headers}
    if reply.status != 204:  # RFC 9110, section 8.6: no Content-Length in a 204
        headers["content-length"] = str(length)
    if length:
        headers["content-type"] = reply.content_type
    return [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
