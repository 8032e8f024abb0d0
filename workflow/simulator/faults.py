"""Injected faults: which request goes wrong and how, and how its reply is spoiled."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace

from workflow.simulator.connection import Connection, Reply
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
    "late_effect": "send nothing until `delay_seconds` of simulated time later, even if the client has left",
    "trickled_headers": "send the reply's head byte by byte, spread over `delay_seconds`",
    "endless_continue": "send `100 Continue` again and again until the client leaves; no effect",
    "endless_list": "answer every page of a list with its first page, and say that more follow",
}


class InvalidFault(ValueError):
    """Raised for a fault that can't be injected; the message says why."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `times` None never ends; `probability` is the share of requests that get it."""

    operation: str
    kind: str
    times: int | None = 1
    probability: float = 1.0
    status: int = 503
    retry_after_seconds: float | None = None
    delay_seconds: float = 1.0
    hits: int = 0


class FaultInjector:
    """The faults in the order they were added; the first that applies to a request is used."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._orders: list[Fault] = []

    def add_faults(self, faults: Sequence[Fault]) -> None:
        """Add faults after those already there."""
        self._orders.extend(faults)

    def clear(self) -> None:
        """Remove all faults."""
        self._orders.clear()

    def list_faults(self) -> Sequence[dict[str, object]]:
        """Return the faults as JSON objects; `hits` counts the requests that got each."""
        return [asdict(fault) for fault in self._orders]

    def draw(self, operation: str) -> Fault | None:
        """Return the fault for one request and count it; None if no fault applies."""
        for place, fault in enumerate(self._orders):
            spent = fault.times is not None and fault.hits >= fault.times
            if spent or fault.operation not in {ANY_OPERATION, operation}:
                continue
            if fault.probability >= 1 or self._chance.random() < fault.probability:
                self._orders[place] = replace(fault, hits=fault.hits + 1)
                return fault
        return None


def parse_fault(order: object) -> Fault:
    """Return the fault that a JSON object describes. Raises InvalidFault."""
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
    if order["operation"] not in [ANY_OPERATION, *operations()]:  # a list: any value can be compared
        raise InvalidFault(f"operation {order['operation']!r} is none of the contract's, nor '*'.")
    if order["kind"] not in [*FAULT_KINDS]:
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


ERROR_PAGE = b"<!DOCTYPE html><title>Bad gateway</title><h1>We'll be right back</h1>"
INVALID_JSON = b'{"items": [{"id": <'


def early_fault_reply(fault: Fault | None) -> Reply | None:
    """Return the reply of a fault that has no effect on the world; None for other faults."""
    match fault:
        case Fault(kind="status", retry_after_seconds=seconds):
            headers = {} if seconds is None else {"Retry-After": f"{seconds:g}"}
            return Reply(fault.status, {"message": f"Fault on order: {fault.status}."}, headers)
        case Fault(kind="error_page"):
            return Reply(200, ERROR_PAGE, content_type="text/html")
        case _:
            return None


async def send_with_fault(wire: Connection, reply: Reply, fault: Fault | None) -> None:
    """Send the reply, spoiled as the fault says."""
    match fault:
        case Fault(kind="slow"):
            await wire.send_slowly(reply, fault.delay_seconds)
        case Fault(kind="trickled_headers"):
            await wire.send_trickled(reply, fault.delay_seconds)
        case Fault(kind="endless_list"):
            await wire.send_reply(_say_more_follow(reply))
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


def _say_more_follow(reply: Reply) -> Reply:
    return (
        replace(reply, body={**reply.body, "has_more_items": True}) if isinstance(reply.body, dict) else reply
    )


def _ensure_body(reply: Reply) -> Reply:
    """Return the reply with a body: without one there is nothing to spoil."""
    if reply.body is not None:
        return reply
    return replace(reply, status=200 if reply.status == 204 else reply.status, body=INVALID_JSON)
