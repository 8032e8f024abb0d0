"""The client of Eiger's API v3: all 28 operations, named as in the contract."""

import random
import time
from collections.abc import Callable
from typing import Self

from pydantic import SecretStr

from workflow.eiger.budget import RequestBudget
from workflow.eiger.builds import BuildCalls
from workflow.eiger.devices import DeviceCalls
from workflow.eiger.exchange import Exchange, steady_seconds
from workflow.eiger.greeting import GREETING, Greeting, greeted
from workflow.eiger.keys import Keys
from workflow.eiger.parts import PartCalls
from workflow.eiger.prints import PrintCalls
from workflow.eiger.retry import RetryPolicy
from workflow.eiger.transport import Timeouts, Transport
from workflow.eiger.users import UserCalls
from workflow.model import Strain


class EigerClient(BuildCalls, DeviceCalls, PartCalls, PrintCalls, UserCalls):
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
        budget: RequestBudget,
        timeouts: Timeouts = Timeouts(),  # noqa: B008  # a frozen value
        retry: RetryPolicy = RetryPolicy(),  # noqa: B008  # a frozen value
        clock: Callable[[], float] = steady_seconds,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._transport = Transport(base_url, Keys(access_key, secret_key), timeouts)
        super().__init__(Exchange(self._transport, budget, retry, clock, sleep, chance))

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
    def longest_effect_seconds(self) -> float:
        """Give the time after which a call with an effect has ended one way or the other; not for uploads."""
        return self._exchange.longest_effect_seconds

    def greet(self) -> Greeting:
        """Ask for what needs good keys and is small, and look at the server's clock, too."""
        return self._exchange.call(GREETING, greeted)

    @property
    def ahead_seconds(self) -> float | None:
        """How far the server's clock is ahead of this machine's, by the last reply; None while unsaid."""
        return self._exchange.server_clock.ahead_seconds

    def share_rate(self, among: int) -> None:
        """Keep to one of so many equal parts of the rate: as many processes ask with the same keys."""
        self._exchange.budget.share(among)

    def strain(self) -> Strain:
        """Give what Eiger gave this process to understand of its load."""
        return self._exchange.budget.strain()

    def heed(self, strain: Strain) -> None:
        """Slow down for what Eiger told others that ask with the same keys."""
        self._exchange.budget.heed(strain)

    def close(self) -> None:
        """Close the kept connections."""
        self._transport.close()
