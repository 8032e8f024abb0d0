"""One call from start to end: wait for a turn, send, parse, and retry where that is safe."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from threading import Lock
from typing import TypeVar

from workflow.eiger.operations import Operation
from workflow.eiger.protocol import no_response_error
from workflow.eiger.rate_limit import RateLimiter
from workflow.eiger.response import NoResponseReason, Response
from workflow.eiger.retry import GiveUp, RetryPolicy
from workflow.eiger.transport import NoResponse, Request, Transport
from workflow.errors import CloudError, RateLimited, ServerError, Unauthorized
from workflow.frozen import frozen
from workflow.model import CloudVitals

T = TypeVar("T")
MAX_EFFECT_WAIT_SECONDS = 5.0
"""The longest wait of an effect for its turn: its send lease relies on a limit."""
FREEZE_TOLERANCE_SECONDS = 1.0
"""A sleep that lasts longer than asked by more than this means that the process was frozen."""
ResponseObserver = Callable[[Operation, Response], None]
"""Called with each response that was parsed, as it came."""
ResponseParser = Callable[[Response, datetime], T]
"""Returns the value in a response that came at that time, or raises the CloudError that it means."""


@dataclass
class ServerClock:
    """The seconds by which the clock of the last server is ahead of this machine's; None if unknown."""

    ahead_seconds: float | None = None

    def update(self, server_time: datetime | None, now: datetime) -> None:
        """Update the difference from the server's time, if a response has one."""
        if server_time is not None:
            self.ahead_seconds = (server_time - now).total_seconds()


MAX_FAILURE_LENGTH = 300


class CallMeter:
    """Counts calls: how many, how long, and why the last one failed. One per client, for all threads."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = Lock()
        self._vitals = CloudVitals()

    def vitals(self) -> CloudVitals:
        """Return the counts so far."""
        return self._vitals

    def count_answer(self, seconds: float, *, is_question: bool) -> None:
        """Count a call that was answered."""
        with self._lock:
            seen = self._vitals
            self._vitals = replace(
                seen,
                calls=seen.calls + 1,
                seconds=seen.seconds + (seconds if is_question else 0.0),
                questions=seen.questions + is_question,
                last_seconds=seconds if is_question else seen.last_seconds,
                answered_at=self._clock(),
            )

    def count_failure(self, why: str) -> None:
        """Count a call that failed because of the cloud, the way to it, or the keys."""
        with self._lock:
            seen = self._vitals
            self._vitals = replace(
                seen,
                calls=seen.calls + 1,
                failures=seen.failures + 1,
                failed_at=self._clock(),
                last_failure=why[:MAX_FAILURE_LENGTH],
            )


@frozen
class RequestSender:
    """What every call shares: transport, rate limiter, retry policy and clock."""

    transport: Transport
    budget: RateLimiter
    retry: RetryPolicy
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    chance: Callable[[], float]
    server_clock: ServerClock = field(default_factory=ServerClock)
    on_response: ResponseObserver | None = None
    meter: CallMeter = field(default_factory=CallMeter)

    @property
    def max_effect_seconds(self) -> float:
        """Return the seconds after which a call with an effect (uploads excepted) has succeeded or failed."""
        timeouts = self.transport.timeouts
        return (
            MAX_EFFECT_WAIT_SECONDS
            + FREEZE_TOLERANCE_SECONDS
            + timeouts.connect_seconds
            + 2 * timeouts.read_seconds
        )

    def call(self, request: Request, parse: ResponseParser[T]) -> T:
        """Return the parsed response. A GET is retried by policy, an effect never. Raises CloudError."""
        if request.operation.reads:
            return self.call_with_retries(lambda: self.call_once(request, parse))
        return self.call_once(request, parse)

    def call_with_retries(self, ask: Callable[[], T]) -> T:
        """Call until there is a response or the policy gives up. Raises CloudError."""
        started, attempt = self.clock(), 1
        while True:
            try:
                return ask()
            except CloudError as error:
                verdict = self.retry.after(error, attempt, self.clock() - started, self.chance())
                if isinstance(verdict, GiveUp):
                    raise
            self.sleep(verdict.seconds)
            attempt += 1

    def call_once(self, request: Request, parse: ResponseParser[T]) -> T:
        """Wait for a turn and send once. Raises CloudError."""
        reads, began = request.operation.reads, self.clock()
        wait = self.budget.acquire(self.retry.total_seconds if reads else MAX_EFFECT_WAIT_SECONDS)
        if wait:
            raise _rate_limited_error(request.operation, wait)
        if not reads and self.clock() - began > MAX_EFFECT_WAIT_SECONDS + FREEZE_TOLERANCE_SECONDS:
            raise _machine_frozen_error(request.operation)
        sent_at = self.clock()
        try:
            response = self.transport.send(self._with_check_deadline(request))
        except NoResponse as none:
            raise self._count_lost(request, none.lost) from None
        seconds = self.clock() - sent_at
        came_at = datetime.now(UTC)
        self.server_clock.update(response.date, came_at)
        try:
            answer = parse(response, came_at)
        except CloudError as error:
            self._count_refusal(error, seconds, is_question=reads)
            raise
        self.meter.count_answer(seconds, is_question=reads)
        if self.on_response is not None:
            self.on_response(request.operation, response)
        return answer

    def _with_check_deadline(self, request: Request) -> Request:
        """Return the request with a check that fails if it takes too long: the machine was frozen."""
        before_send = request.before_send
        if before_send is None:
            return request

        def in_time() -> None:
            began = self.clock()
            before_send()
            if self.clock() - began > MAX_EFFECT_WAIT_SECONDS + FREEZE_TOLERANCE_SECONDS:
                raise _machine_frozen_error(request.operation)

        return replace(request, before_send=in_time)

    def _count_lost(self, request: Request, lost: NoResponseReason) -> CloudError:
        """Count a call without a whole response, and return its error.

        A variable beside the `raise` would keep the error, its frames and their socket until a garbage run.
        """
        limit = self.transport.timeout_seconds(request)
        error = no_response_error(request.operation, lost, self.transport.base_url, limit)
        self.meter.count_failure(str(error))
        return error

    def _count_refusal(self, error: CloudError, seconds: float, *, is_question: bool) -> None:
        """Count a reply that refuses: as a failure where the cloud is in trouble, or takes no keys."""
        if isinstance(error, RateLimited | ServerError):
            self._slow_all_threads(error)
        if isinstance(error, RateLimited | ServerError | Unauthorized):
            self.meter.count_failure(str(error))
        else:
            self.meter.count_answer(seconds, is_question=is_question)

    def _slow_all_threads(self, error: RateLimited | ServerError) -> None:
        """A service in trouble is in trouble for all threads, not for one submission."""
        self.budget.slow_down()
        if error.retry_after_seconds:
            self.budget.pause(error.retry_after_seconds)


def _machine_frozen_error(operation: Operation) -> RateLimited:
    """Return the error for an effect whose reserved time is over: another worker may have caused it."""
    text = f"{operation.id} was not sent: this machine was suspended meanwhile. stlflow continues by itself."
    return RateLimited(text, operation=operation.id)


def _rate_limited_error(operation: Operation, wait_seconds: float) -> RateLimited:
    text = (
        f"{wait_seconds:.0f} s until {operation.id} may go out: Eiger asked for a pause, or too many calls "
        "wait already. stlflow continues by itself."
    )
    return RateLimited(text, operation=operation.id, retry_after_seconds=wait_seconds)


def monotonic_seconds() -> float:
    """Return monotonic seconds, which on Linux include the time that the machine slept."""
    if sys.platform != "linux":
        return time.monotonic()
    return time.clock_gettime(time.CLOCK_BOOTTIME)
