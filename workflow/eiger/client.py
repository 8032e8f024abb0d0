"""The client of Eiger's API v3: all 28 operations, named as in the contract; ping and approvals."""

import random
import time
from collections.abc import Callable, Collection
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
from workflow.eiger.operations import APPROVE_BUILDS, GET_ORG_SETTINGS_PRESETS
from workflow.eiger.protocol import parse_response
from workflow.eiger.rate_limit import RateLimiter
from workflow.eiger.request import RequestSender, ResponseObserver, monotonic_seconds
from workflow.eiger.response import Response
from workflow.eiger.retry import RetryPolicy
from workflow.eiger.session import Network, network_of
from workflow.eiger.transport import ApiKeys, Request, Timeouts, Transport
from workflow.errors import Conflict, OutcomeUnknown, SettingsError
from workflow.frozen import frozen
from workflow.model import Backpressure, CloudVitals
from workflow.settings import Settings

PING_REQUEST = Request(GET_ORG_SETTINGS_PRESETS, GET_ORG_SETTINGS_PRESETS.place())
"""One small question that needs good keys."""


@frozen
class PingResult:
    """What came, when by this machine's clock, and the server's own time: whole seconds, None if unsaid."""

    presets: tuple[Preset, ...]
    came_at: datetime
    server_time: datetime | None

    @property
    def ahead_seconds(self) -> float | None:
        """Return the seconds by which the server's clock is ahead of this machine's; None if unknown."""
        return None if self.server_time is None else (self.server_time - self.came_at).total_seconds()


def parse_ping(response: Response, now: datetime) -> PingResult:
    """Return the presets and the clocks in a response. Raises CloudError."""
    return PingResult(
        parse_response(GET_ORG_SETTINGS_PRESETS, Presets, response, now).root, now, response.date
    )


class EigerClient(BuildEndpoints, DeviceEndpoints, PartEndpoints, PrintEndpoints, UserEndpoints):
    """One organization in Eiger, or in a simulated one; threads may share it.

    Every call raises CloudError: Unauthorized, BadRequest, NotFound, Conflict, RateLimited,
    ServerError, Unreachable, OutcomeUnknown (effects only) or ContractBroken. Questions are asked
    again by `retry`; what has an effect is sent once. Lists ask while they are read.
    With `reads_only`, every operation but a GET raises WriteRefused, and nothing is sent.
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
        chance: Callable[[], float] | None = None,
        on_response: ResponseObserver | None = None,
        network: Network = Network(),  # noqa: B008  # a frozen value
        reads_only: bool = False,
    ) -> None:
        keys = ApiKeys(access_key, secret_key)
        self._transport = Transport(base_url, keys, timeouts, network, reads_only=reads_only)
        super().__init__(
            RequestSender(
                self._transport,
                budget,
                retry,
                clock,
                sleep,
                chance or random.Random().random,  # of its own: the shared one is the caller's
                on_response=on_response,
            )
        )

    def __repr__(self) -> str:
        """Return the address, never a key."""
        return f"EigerClient({self._transport.base_url!r})"

    def __enter__(self) -> Self:
        """Use the client in a `with` block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    @property
    def max_effect_seconds(self) -> float:
        """Return the seconds after which a call with an effect (uploads excepted) has succeeded or failed."""
        return self._exchange.max_effect_seconds

    def ping(self) -> PingResult:
        """Send one small request that needs good keys; return the presets and the server's time."""
        return self._exchange.call(PING_REQUEST, parse_ping)

    @property
    def ahead_seconds(self) -> float | None:
        """Return the seconds by which the server's clock is ahead, by the last response; None if unknown."""
        return self._exchange.server_clock.ahead_seconds

    def vitals(self) -> CloudVitals:
        """Return how many calls were made, how long they took, and why the last one failed."""
        return self._exchange.meter.vitals()

    def share_rate(self, among: int) -> None:
        """Use one of `among` equal shares of the rate: as many processes use the same keys."""
        self._exchange.budget.share(among)

    def strain(self) -> Backpressure:
        """Return the complaints and pauses that Eiger sent to this process."""
        return self._exchange.budget.strain()

    def apply_backpressure(self, strain: Backpressure) -> None:
        """Slow down if Eiger limited other processes with the same keys."""
        self._exchange.budget.apply_backpressure(strain)

    def close(self) -> None:
        """Close the kept connections."""
        self._transport.close()


def make_client(
    settings: Settings,
    retry: RetryPolicy = RetryPolicy(),  # noqa: B008  # a frozen value
    on_response: ResponseObserver | None = None,
    *,
    reads_only: bool = False,
) -> EigerClient:
    """Return a client of the cloud. Raises SettingsError without keys."""
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
        on_response=on_response,
        network=network_of(settings),
        reads_only=reads_only,
        timeouts=Timeouts(
            connect_seconds=min(settings.request_timeout_seconds, Timeouts().connect_seconds),
            read_seconds=settings.request_timeout_seconds,
            upload_seconds=settings.upload_timeout_seconds,
        ),
    )


MAX_ATTEMPTS = 4


def add_approvals(
    client: EigerClient, build_ids: Collection[str], *, switch_on: bool = False
) -> frozenset[str]:
    """Approve these builds and keep every other approval; return the ids of all approved builds.

    The set is read twice before it is replaced and once after: a change in between starts
    it all over. What another changes between the last read and the write can't be seen by any client,
    for the service has neither versions nor conditions.
    Raises SettingsError when approvals are not in use, unless they may be switched on (every build
    that is not approved could not be printed any more), Conflict when others keep changing the set,
    and CloudError.
    """
    added = frozenset(build_ids)
    for _ in range(MAX_ATTEMPTS):
        before = _read_approved_ids(client, switch_on=switch_on)
        if added <= before:
            return before
        if _read_approved_ids(client, switch_on=switch_on) != before:
            continue
        after = _replace_approvals(client, before | added)
        if added <= after:
            return after
    text = (
        f"Others changed the approved builds {MAX_ATTEMPTS} times meanwhile, and the approval did not last. "
        "Agree on who approves, then try again."
    )
    raise Conflict(text, operation=APPROVE_BUILDS.id)


def _read_approved_ids(client: EigerClient, *, switch_on: bool) -> frozenset[str]:
    approved = client.list_approved_builds()
    if approved is None and not switch_on:
        raise SettingsError(
            "Approvals are not in use: every build may be printed. Approving one would forbid all others; "
            "say --switch-on if that is meant."
        )
    return frozenset(build.id for build in approved or ())


def _replace_approvals(client: EigerClient, wanted: frozenset[str]) -> frozenset[str]:
    """Write, then read; where no response came, the read shows whether it was written."""
    try:
        client.approve_builds(sorted(wanted))
    except OutcomeUnknown:
        after = _read_approved_ids(client, switch_on=True)
        if not wanted <= after:
            raise
        return after
    return _read_approved_ids(client, switch_on=True)
