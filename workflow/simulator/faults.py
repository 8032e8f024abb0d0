"""Faults on order: which request goes wrong and how, and the spoilt replies on the socket."""

import json
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from starlette.types import Message, Receive, Send

from workflow.simulator.contract import operations

ANY_OPERATION = "*"
FAULT_KINDS = {
    "status": "answer with `status` (and Retry-After, if `retry_after_seconds` is given); no effect",
    "delay": "wait `delay_seconds`, then answer as usual",
    "slow": "answer as usual, in small pieces spread over `delay_seconds`",
    "cut_before": "close the connection; no effect",
    "cut_after": "carry it out, then close the connection without an answer",
    "truncated": "carry it out, announce the whole answer, send half of it and close",
    "not_json": "carry it out, answer with a body that is no JSON",
    "wrong_type": "carry it out, answer with the content type text/plain",
    "error_page": "answer 200 with an HTML page, as a proxy in trouble does; no effect",
}


class InvalidFault(ValueError):
    """A fault that can't be ordered; the message says why."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One order. `times` None goes on for ever; `probability` is the share of requests it hits."""

    operation: str
    kind: str
    times: int | None = 1
    probability: float = 1.0
    status: int = 503
    retry_after_seconds: float | None = None
    delay_seconds: float = 1.0
    hits: int = 0


class FaultInjector:
    """The orders, in the order given; the first that hits a request is the one it gets."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._orders: list[Fault] = []

    def add_faults(self, faults: Sequence[Fault]) -> None:
        """Add orders."""
        self._orders.extend(faults)

    def clear(self) -> None:
        """Take back all orders."""
        self._orders.clear()

    def list_faults(self) -> Sequence[dict[str, object]]:
        """Give the orders with how often each has hit."""
        return [asdict(fault) for fault in self._orders]

    def draw(self, operation: str) -> Fault | None:
        """Give the fault that this request gets, and count it."""
        for place, fault in enumerate(self._orders):
            spent = fault.times is not None and fault.hits >= fault.times
            if spent or fault.operation not in {ANY_OPERATION, operation}:
                continue
            if fault.probability >= 1 or self._chance.random() < fault.probability:
                self._orders[place] = replace(fault, hits=fault.hits + 1)
                return fault
        return None


def parse_fault(order: object) -> Fault:
    """Read one order from JSON. Raises BadFault."""
    if not isinstance(order, dict):
        raise InvalidFault("A fault is an object with an operation and a kind.")
    known = {each.name for each in fields(Fault)} - {"hits"}
    if unknown := sorted(set(order) - known):
        raise InvalidFault(f"{unknown[0]!r} is not a field of a fault; there is {', '.join(sorted(known))}.")
    if missing := sorted({"operation", "kind"} - set(order)):
        raise InvalidFault(f"{missing[0]} is missing.")
    _require_known_names(order)
    _require_number_ranges(order)
    return Fault(**order)


def _require_known_names(order: Mapping[str, object]) -> None:
    if order["operation"] != ANY_OPERATION and order["operation"] not in operations():
        raise InvalidFault(f"operation {order['operation']!r} is none of the contract's, nor '*'.")
    if order["kind"] not in FAULT_KINDS:
        raise InvalidFault(f"kind {order['kind']!r} is none of {', '.join(FAULT_KINDS)}.")


def _require_number_ranges(order: Mapping[str, object]) -> None:
    bounds = {
        "times": (1, float("inf")),
        "probability": (0, 1),
        "status": (400, 599),
        "retry_after_seconds": (0, float("inf")),
        "delay_seconds": (0, 3600),
    }
    for name in bounds.keys() & order.keys():
        value, (low, high) = order[name], bounds[name]
        if value is None and name in {"times", "retry_after_seconds"}:
            continue
        kind, word = (int, "whole number") if name in {"times", "status"} else ((int, float), "number")
        if not isinstance(value, kind) or isinstance(value, bool) or not low <= value <= high:
            raise InvalidFault(f"{name} must be a {word} of at least {low} and at most {high}.")


JSON_CONTENT_TYPE = "application/json"
encode_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
SLOW_REPLY_PIECES = 20
"""A slow body comes in so many pieces."""
ERROR_PAGE = b"<!DOCTYPE html><title>Bad gateway</title><h1>We'll be right back</h1>"
INVALID_JSON = b'{"items": [{"id": <'


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered, and what the request changed.

    `body` is a JSON value, or bytes that are sent as they are; None sends no body at all.
    """

    status: int
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    effect: Mapping[str, object] | None = None
    content_type: str = JSON_CONTENT_TYPE

    @property
    def message(self) -> str | None:
        """What a refusal says; None for other replies."""
        return str(self.body["message"]) if self.status >= 400 and isinstance(self.body, dict) else None

    def content(self) -> bytes:
        """Give the body as it is sent."""
        if self.body is None or isinstance(self.body, bytes):
            return self.body or b""
        return encode_json(self.body).encode()


class Connection:
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

    async def send_reply(self, reply: Reply) -> None:
        """Send a reply in one piece."""
        content = reply.content()
        await self._send_head(reply, len(content))
        await self._send({"type": "http.response.body", "body": content})

    async def send_slowly(self, reply: Reply, seconds: float) -> None:
        """Send a reply in small pieces."""
        content = reply.content()
        await self._send_head(reply, len(content))
        size = max(len(content) // SLOW_REPLY_PIECES, 1)
        for start in range(0, len(content), size):
            await self.pause(seconds / SLOW_REPLY_PIECES)
            await self._send_piece(content[start : start + size])
        await self._send({"type": "http.response.body", "body": b""})

    async def send_truncated(self, reply: Reply) -> None:
        """Announce the whole reply, send half of it and close."""
        content = reply.content()
        await self._send_head(reply, len(content))
        await self._send_piece(content[: len(content) // 2])
        self._transport().close()
        await self._wait_until_closed()

    async def cut(self) -> None:
        """Close the connection without a word."""
        self._transport().abort()
        await self._wait_until_closed()

    async def _send_head(self, reply: Reply, length: int) -> None:
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

    async def _wait_until_closed(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass


def early_fault_reply(fault: Fault | None) -> Reply | None:
    """Give the reply of a fault that lets nothing through to the world; None for the others."""
    match fault:
        case Fault(kind="status", retry_after_seconds=seconds):
            headers = {} if seconds is None else {"Retry-After": f"{seconds:g}"}
            return Reply(fault.status, {"message": f"Fault on order: {fault.status}."}, headers)
        case Fault(kind="error_page"):
            return Reply(200, ERROR_PAGE, content_type="text/html")
        case _:
            return None


async def send_with_fault(wire: Connection, reply: Reply, fault: Fault | None) -> None:
    """Send the reply as the fault wants it, whole without one."""
    match fault:
        case Fault(kind="slow"):
            await wire.send_slowly(reply, fault.delay_seconds)
        case Fault(kind="cut_after"):
            await wire.cut()
        case Fault(kind="truncated"):
            await wire.send_truncated(_ensure_body(reply))
        case Fault(kind="not_json"):
            await wire.send_reply(replace(_ensure_body(reply), body=INVALID_JSON))
        case Fault(kind="wrong_type"):
            await wire.send_reply(replace(reply, content_type="text/plain; charset=utf-8"))
        case _:
            await wire.send_reply(reply)


def _ensure_body(reply: Reply) -> Reply:
    """A reply without a body has none to spoil: it gets one."""
    if reply.body is not None:
        return reply
    return replace(reply, status=200 if reply.status == 204 else reply.status, body=INVALID_JSON)
