"""Faults on order: which request is to go wrong, and how."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace

from workflow.simulator.contract_check import operations

ANY_OPERATION = "*"
KINDS = {
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


class BadFault(ValueError):
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


class Faults:
    """The orders, in the order given; the first that hits a request is the one it gets."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._orders: list[Fault] = []

    def order(self, faults: Sequence[Fault]) -> None:
        """Add orders."""
        self._orders.extend(faults)

    def clear(self) -> None:
        """Take back all orders."""
        self._orders.clear()

    def listed(self) -> Sequence[dict[str, object]]:
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


def read_fault(order: object) -> Fault:
    """Read one order from JSON. Raises BadFault."""
    if not isinstance(order, dict):
        raise BadFault("A fault is an object with an operation and a kind.")
    known = {each.name for each in fields(Fault)} - {"hits"}
    if unknown := sorted(set(order) - known):
        raise BadFault(f"{unknown[0]!r} is not a field of a fault; there is {', '.join(sorted(known))}.")
    if missing := sorted({"operation", "kind"} - set(order)):
        raise BadFault(f"{missing[0]} is missing.")
    _require_known(order)
    _require_numbers(order)
    return Fault(**order)


def _require_known(order: Mapping[str, object]) -> None:
    if order["operation"] != ANY_OPERATION and order["operation"] not in operations():
        raise BadFault(f"operation {order['operation']!r} is none of the contract's, nor '*'.")
    if order["kind"] not in KINDS:
        raise BadFault(f"kind {order['kind']!r} is none of {', '.join(KINDS)}.")


def _require_numbers(order: Mapping[str, object]) -> None:
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
            raise BadFault(f"{name} must be a {word} of at least {low} and at most {high}.")
