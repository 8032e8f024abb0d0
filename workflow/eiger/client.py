"""The client of Eiger's API v3: all 28 operations, named as in the contract.

A first word with the service: does it answer, are the keys good, and what does its clock say.

The client as the settings describe it.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from pydantic import SecretStr

from workflow.eiger.endpoints import (
    BuildEndpoints,
    DeviceEndpoints,
    PartEndpoints,
    PrintEndpoints,
    UserEndpoints,
)
from workflow.eiger.models import Preset, Presets
from workflow.eiger.network import Network, network_of
from workflow.eiger.operations import GET_ORG_SETTINGS_PRESETS
from workflow.eiger.protocol import parse_response
from workflow.eiger.rate_limit import RateLimiter
from workflow.eiger.request import ReplyObserver, RequestSender, monotonic_seconds
from workflow.eiger.response import Response
from workflow.eiger.retry import RetryPolicy
from workflow.eiger.transport import ApiKeys, Request, Timeouts, Transport
from workflow.errors import SettingsError
from workflow.model import Backpressure
from workflow.settings import Settings

PING_REQUEST = Request(GET_ORG_SETTINGS_PRESETS, GET_ORG_SETTINGS_PRESETS.place())
"""One small question that needs good keys."""


@dataclass(frozen=True, slots=True)
class PingResult:
    """What came, when by this machine's clock, and the server's own time: whole seconds, None if unsaid."""

    presets: tuple[Preset, ...]
    came_at: datetime
    server_time: datetime | None

    @property
    def ahead_seconds(self) -> float | None:
        """How far the server's clock is ahead of this machine's."""
        return None if self.server_time is None else (self.server_time - self.came_at).total_seconds()


def parse_ping(reply: Response, now: datetime) -> PingResult:
    """Understand the answer. Raises CloudError."""
    return PingResult(parse_response(GET_ORG_SETTINGS_PRESETS, reply, Presets, now).root, now, reply.date)


class EigerClient(BuildEndpoints, DeviceEndpoints, PartEndpoints, PrintEndpoints, UserEndpoints):
    """One organization in Eiger, or in a simulated one; threads may share it.

    Every call raises CloudError: Unauthorized, BadRequest, NotFound, Conflict, RateLimited,
    ServerError, Unreachable, OutcomeUnknown (effects only) or ContractBroken. Questions are asked
    again by `retry`; what has an effect is sent once. Lists ask while they are read.
    Raises SettingsError when `base_url` is no http(s) URL or holds keys.
    """

    def __init__(
        self,
        base_url: str,
        access_key: SecretStr,
        secret_key: SecretStr,
        *,
        budget: RateLimiter,
        timeouts: Timeouts = Timeouts(),  # noqa: B008  # a frozen value
        retry: RetryPolicy = RetryPolicy(),  # noqa: B008  # a frozen value
        clock: Callable[[], float] = monotonic_seconds,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
        on_reply: ReplyObserver | None = None,
        network: Network = Network(),  # noqa: B008  # a frozen value
    ) -> None:
        self._transport = Transport(base_url, ApiKeys(access_key, secret_key), timeouts, network)
        super().__init__(
            RequestSender(self._transport, budget, retry, clock, sleep, chance, on_reply=on_reply)
        )

    def __repr__(self) -> str:
        """Give the address, never a key."""
        return f"EigerClient({self._transport.base_url!r})"

    def __enter__(self) -> Self:
        """Use the client in a `with` block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    @property
    def max_effect_seconds(self) -> float:
        """Give the time after which a call with an effect has ended one way or the other; not for uploads."""
        return self._exchange.max_effect_seconds

    def ping(self) -> PingResult:
        """Ask for what needs good keys and is small, and look at the server's clock, too."""
        return self._exchange.call(PING_REQUEST, parse_ping)

    @property
    def ahead_seconds(self) -> float | None:
        """How far the server's clock is ahead of this machine's, by the last reply; None while unsaid."""
        return self._exchange.server_clock.ahead_seconds

    def share_rate(self, among: int) -> None:
        """Keep to one of so many equal parts of the rate: as many processes ask with the same keys."""
        self._exchange.budget.share(among)

    def strain(self) -> Backpressure:
        """Give what Eiger gave this process to understand of its load."""
        return self._exchange.budget.strain()

    def apply_backpressure(self, strain: Backpressure) -> None:
        """Slow down for what Eiger told others that ask with the same keys."""
        self._exchange.budget.apply_backpressure(strain)

    def close(self) -> None:
        """Close the kept connections."""
        self._transport.close()


def make_client(
    settings: Settings,
    retry: RetryPolicy = RetryPolicy(),  # noqa: B008  # a frozen value
    on_reply: ReplyObserver | None = None,
) -> EigerClient:
    """Give a client of the cloud. Raises SettingsError without keys."""
    if not (settings.access_key.get_secret_value() and settings.secret_key.get_secret_value()):
        raise SettingsError(
            "No keys for Eiger: set STLFLOW_ACCESS_KEY and STLFLOW_SECRET_KEY in .env or the environment. "
            "The owner of the organization makes them on Eiger's API keys page."
        )
    return EigerClient(
        settings.eiger_url,
        settings.access_key,
        settings.secret_key,
        budget=RateLimiter(settings.requests_per_second),
        retry=retry,
        on_reply=on_reply,
        network=network_of(settings),
        timeouts=Timeouts(
            connect_seconds=min(settings.request_timeout_seconds, Timeouts().connect_seconds),
            read_seconds=settings.request_timeout_seconds,
            upload_seconds=settings.upload_timeout_seconds,
        ),
    )
