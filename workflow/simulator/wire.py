"""Replies on their way to the socket, whole or spoilt by a fault."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.types import Message, Receive, Send

from workflow.simulator.faults import Fault

JSON = "application/json"
AS_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
PIECES = 20
"""A slow body comes in so many pieces."""
ERROR_PAGE = b"<!DOCTYPE html><title>Bad gateway</title><h1>We'll be right back</h1>"
NO_JSON = b'{"items": [{"id": <'


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered, and what the request changed.

    `body` is a JSON value, or bytes that are sent as they are; None sends no body at all.
    """

    status: int
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    effect: Mapping[str, object] | None = None
    content_type: str = JSON

    @property
    def message(self) -> str | None:
        """What a refusal says; None for other replies."""
        return str(self.body["message"]) if self.status >= 400 and isinstance(self.body, dict) else None

    def content(self) -> bytes:
        """Give the body as it is sent."""
        if self.body is None or isinstance(self.body, bytes):
            return self.body or b""
        return AS_JSON(self.body).encode()


class Wire:
    """One connection, for one reply; `pause` waits so many seconds of real time."""

    def __init__(self, receive: Receive, send: Send, pause: Callable[[float], Awaitable[None]]) -> None:
        self.pause = pause
        self._receive = receive
        self._send = send
        self._request_ended = False

    async def receive(self) -> Message:
        """Give the next message of the request, and remember when it was the last."""
        message = await self._receive()
        self._request_ended = not message.get("more_body", False)
        return message

    async def drain(self) -> None:
        """Read what is still being sent: a caller that is refused in mid-sentence never reads why."""
        while not self._request_ended:
            await self.receive()

    async def answer(self, reply: Reply) -> None:
        """Send a reply in one piece."""
        content = reply.content()
        await self._start(reply, len(content))
        await self._send({"type": "http.response.body", "body": content})

    async def answer_slowly(self, reply: Reply, seconds: float) -> None:
        """Send a reply in small pieces."""
        content = reply.content()
        await self._start(reply, len(content))
        size = max(len(content) // PIECES, 1)
        for start in range(0, len(content), size):
            await self.pause(seconds / PIECES)
            await self._send_piece(content[start : start + size])
        await self._send({"type": "http.response.body", "body": b""})

    async def answer_half(self, reply: Reply) -> None:
        """Announce the whole reply, send half of it and close."""
        content = reply.content()
        await self._start(reply, len(content))
        await self._send_piece(content[: len(content) // 2])
        self._transport().close()
        await self._until_closed()

    async def cut(self) -> None:
        """Close the connection without a word."""
        self._transport().abort()
        await self._until_closed()

    async def _start(self, reply: Reply, length: int) -> None:
        headers = {**reply.headers}
        if reply.status != 204:  # RFC 9110, section 8.6: no Content-Length in a 204
            headers["content-length"] = str(length)
        if length:
            headers["content-type"] = reply.content_type
        raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": reply.status, "headers": raw})

    async def _send_piece(self, piece: bytes) -> None:
        await self._send({"type": "http.response.body", "body": piece, "more_body": True})

    def _transport(self) -> Any:
        """ASGI has no word for closing a connection, so the object behind uvicorn's `receive` is used."""
        return getattr(self._receive, "__self__").transport  # noqa: B009  # not in the type of a callable

    async def _until_closed(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass


def spoilt_before(fault: Fault | None) -> Reply | None:
    """Give the reply of a fault that lets nothing through to the world; None for the others."""
    match fault:
        case Fault(kind="status", retry_after_seconds=seconds):
            headers = {} if seconds is None else {"Retry-After": f"{seconds:g}"}
            return Reply(fault.status, {"message": f"Fault on order: {fault.status}."}, headers)
        case Fault(kind="error_page"):
            return Reply(200, ERROR_PAGE, content_type="text/html")
        case _:
            return None


async def answer_spoilt(wire: Wire, reply: Reply, fault: Fault | None) -> None:
    """Send the reply as the fault wants it, whole without one."""
    match fault:
        case Fault(kind="slow"):
            await wire.answer_slowly(reply, fault.delay_seconds)
        case Fault(kind="cut_after"):
            await wire.cut()
        case Fault(kind="truncated"):
            await wire.answer_half(_with_body(reply))
        case Fault(kind="not_json"):
            await wire.answer(replace(_with_body(reply), body=NO_JSON))
        case Fault(kind="wrong_type"):
            await wire.answer(replace(reply, content_type="text/plain; charset=utf-8"))
        case _:
            await wire.answer(reply)


def _with_body(reply: Reply) -> Reply:
    """A reply without a body has none to spoil: it gets one."""
    if reply.body is not None:
        return reply
    return replace(reply, status=200 if reply.status == 204 else reply.status, body=NO_JSON)
