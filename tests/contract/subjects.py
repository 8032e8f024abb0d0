"""The services that the contract's suite calls: always the simulator, on request the real one.

    STLFLOW_ACCESS_KEY=… STLFLOW_SECRET_KEY=… pytest tests/contract/test_any_eiger.py --live [--live-writes]

`STLFLOW_EIGER_URL` names another address than the published one.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from pydantic import SecretStr

from workflow.eiger import EigerClient, RateLimiter
from workflow.settings import Settings
from workflow.simulator import REALISTIC_QUIRKS, SimulatorOptions, running_simulator

GENTLE = 2.0
"""Requests per second at the real service."""


@dataclass(frozen=True)
class Subject:
    """One Eiger; `writes` is true if the suite may change it."""

    client: EigerClient
    url: str
    writes: bool


@contextmanager
def simulated(quirks: frozenset[str] = frozenset()) -> Iterator[Subject]:
    """Open a fresh simulator."""
    with running_simulator(SimulatorOptions(slice_seconds=0, quirks=quirks)) as url:
        demo = SecretStr("demo")
        with EigerClient(url, demo, demo, budget=RateLimiter(1000)) as client:
            yield Subject(client, url, writes=True)


@contextmanager
def live(config: pytest.Config) -> Iterator[Subject]:
    """Open the real service; skips without keys."""
    access, secret = key("ACCESS_KEY"), key("SECRET_KEY")
    if not (access.get_secret_value() and secret.get_secret_value()):
        pytest.skip("--live needs STLFLOW_ACCESS_KEY and STLFLOW_SECRET_KEY")
    url = os.environ.get("STLFLOW_EIGER_URL") or str(Settings.model_fields["eiger_url"].default)
    with EigerClient(url, access, secret, budget=RateLimiter(GENTLE)) as client:
        yield Subject(client, url, writes=bool(config.getoption("--live-writes")))


def key(name: str) -> SecretStr:
    """Return a key from the product's variable, or from the one of the vendor's sample."""
    return SecretStr(os.environ.get(f"STLFLOW_{name}") or os.environ.get(name) or "")


SUBJECTS = ("simulator", "realistic simulator", "live")
"""The last one only with `--live`."""


@contextmanager
def subject_named(name: str, config: pytest.Config) -> Iterator[Subject]:
    """Open one of SUBJECTS."""
    if name == "live":
        opened = live(config)
    else:
        opened = simulated(REALISTIC_QUIRKS if name.startswith("realistic") else frozenset())
    with opened as subject:
        yield subject
