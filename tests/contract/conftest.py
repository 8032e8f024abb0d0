"""A simulated cloud, and the command `stlflow` that calls it."""

from collections.abc import Iterator

import pytest

from tests.contract.spoken import Speak, speaker
from tests.simulator.caller import Caller, calling


@pytest.fixture(scope="module")
def context() -> Iterator[Caller]:
    """A simulated cloud with instant slicing, called without the product's client."""
    with calling() as caller:
        yield caller


@pytest.fixture
def speak(context: Caller, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Speak:
    """Return the function that runs the command against a cloud that was just reset."""
    context.control("POST", "reset")
    return speaker(context.url, monkeypatch, capsys)
