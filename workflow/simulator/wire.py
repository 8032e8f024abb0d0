"""Replies on their way to the socket, whole or spoilt by a fault."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Message, Receive, Send

from workflow.simulator.faults import Fault

JSON = "application/json"
PIECES = 20
"""A slow body comes in so many pieces."""
ERROR_PAGE = b"<!DOCTYPE html><title>Bad gateway</title><h1>We'll be right back</h1>"
NO_JSON = b'{"items": [{"id": <'

AS_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered: a JSON value (None sends no body at all) and what the request changed."""

    status: int
    body: object = None
    headers: Headers = field(default_factory=dict)
    effect: Mapping[str, object] | None = None

    @property
    def message(self) -> str | None:
        """What a refusal says; None for other replies."""
        return str(self.body["message"]) if self.status >= 400 and isinstance(self.body, dict) else None

    def bytes(self) -> bytes:
        """Give the body as it is sent."""
        if self.body is None:
            return b""
        return AS_JSON(self.body).encode()


class Wire:
    """One connection, for one reply."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._request_ended = False

    async def receive(self) -> Message:
        """Give the next message of the request, and remember when it was the last."""
        message = await self._receive()
        self._request_ended = not message.get("more_body", False)
        return message

    async def answer(self, reply: Reply) -> None:
        """Send a reply."""
        await self.send(reply.status, reply.bytes(), reply.headers)

    async def send(self, status: int, body: bytes, headers: Headers, content_type: str = JSON) -> None:
        """Send a body in one piece; an empty one has no content type."""
        await self._start(status, len(body), headers, content_type if body else None)
        await self._send({"type": "http.response.body", "body": body})

    async def answer_slowly(self, reply: Reply, seconds: float) -> None:
        """Send a reply in small pieces."""
        body = reply.bytes()
        await self._start(reply.status, len(body), reply.headers, JSON if body else None)
        size = max(len(body) // PIECES, 1)
        for start in range(0, len(body), size):
            await asyncio.sleep(seconds / PIECES)
            piece = {"type": "http.response.body", "body": body[start : start + size], "more_body": True}
            await self._send(piece)
        await self._send({"type": "http.response.body", "body": b""})

    async def answer_half(self, reply: Reply) -> None:
        """Announce the whole reply, send half of it and close."""
        body = reply.bytes() or NO_JSON
        await self._start(reply.status, len(body), reply.headers, JSON)
        half = {"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True}
        await self._send(half)
        await self._close(at_once=False)

    async def cut(self) -> None:
        """Close the connection without a word."""
        await self._close(at_once=True)

    async def drain(self) -> None:
        """Read what is still being sent: a caller that is refused in mid-sentence never reads why."""
        while not self._request_ended:
            await self.receive()

    async def _start(self, status: int, length: int, headers: Headers, content_type: str | None) -> None:
        lines = {**headers}
        if status != 204:  # RFC 9110, section 8.6: no Content-Length in a 204
            lines["content-length"] = str(length)
        if content_type:
            lines["content-type"] = content_type
        raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in lines.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": raw})

    async def _close(self, *, at_once: bool) -> None:
        """Close the socket under the server: ASGI has no word for it, so uvicorn's own object is used."""
        cycle: Any = getattr(self._receive, "__self__")  # noqa: B009  # not in the type of a callable
        if at_once:
            cycle.transport.abort()
        else:
            cycle.transport.close()
        while (await self._receive())["type"] != "http.disconnect":
            pass


def spoilt_before(fault: Fault) -> Reply | None:
    """Give the reply of a fault that lets nothing through to the world; None for the other kinds."""
    if fault.kind != "status":
        return None
    retry_after = fault.retry_after_seconds
    headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
    return Reply(fault.status, {"message": f"Fault on order: {fault.status}."}, headers)


async def answer_spoilt(wire: Wire, reply: Reply, fault: Fault) -> None:
    """Send the reply of a request that was carried out, as the fault wants it."""
    match fault.kind:
        case "slow":
            await wire.answer_slowly(reply, fault.delay_seconds)
        case "cut_after":
            await wire.cut()
        case "truncated":
            await wire.answer_half(reply)
        case "not_json":
            await wire.send(reply.status if reply.body is not None else 200, NO_JSON, reply.headers)
        case "wrong_type":
            await wire.send(reply.status, reply.bytes(), reply.headers, "text/plain; charset=utf-8")
        case _:
            await wire.answer(reply)
