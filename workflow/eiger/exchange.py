"""One call from start to end: wait for a turn, send, understand, and ask again where that is safe."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from workflow.eiger.budget import RequestBudget
from workflow.eiger.operations import Operation
from workflow.eiger.protocol import without_reply
from workflow.eiger.reply import Reply
from workflow.eiger.retry import RetryPolicy, Stop
from workflow.eiger.transport import NoReply, Request, Transport
from workflow.errors import CloudError, RateLimited, ServerError

T = TypeVar("T")
Understand = Callable[[Reply, datetime], T]
"""Gives the value in a reply that came at that time, or raises the CloudError that it means."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What every call shares: the wire, the rate, the patience, and the clock."""

    transport: Transport
    budget: RequestBudget
    retry: RetryPolicy
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    chance: Callable[[], float]

    def call(self, request: Request, understand: Understand[T]) -> T:
        """Give the answer. A question is asked again by policy, an effect never. Raises CloudError."""
        started, attempt = self.clock(), 1
        while True:
            try:
                return self._once(request, understand)
            except CloudError as error:
                self._slow_everybody(error)
                if not request.operation.reads:
                    raise
                verdict = self.retry.after(error, attempt, self.clock() - started, self.chance())
                if isinstance(verdict, Stop):
                    raise
            self.sleep(verdict.seconds)
            attempt += 1

    def _once(self, request: Request, understand: Understand[T]) -> T:
        pause = self.budget.acquire(self.retry.total_seconds)
        if pause:
            raise _asked_to_pause(request.operation, pause)
        try:
            reply = self.transport.send(request)
        except NoReply as none:
            limit = self.transport.timeout_seconds(request)
            raise without_reply(request.operation, none.lost, self.transport.base_url, limit) from None
        return understand(reply, datetime.now(UTC))

    def _slow_everybody(self, error: CloudError) -> None:
        """A service in trouble is in trouble for all threads, not for one submission."""
        if error.status is None or not isinstance(error, RateLimited | ServerError):
            return
        self.budget.slow_down()
        if error.retry_after_seconds:
            self.budget.pause(error.retry_after_seconds)


def _asked_to_pause(operation: Operation, pause_seconds: float) -> RateLimited:
    return RateLimited(
        f"Eiger asked for a pause: {pause_seconds:.0f} s are left. stlflow goes on by itself.",
        operation=operation.id,
        retry_after_seconds=pause_seconds,
    )
