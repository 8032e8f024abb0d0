"""A cloud with one part on its way through it, and the command that is spoken to it."""

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
    """The command at a cloud that is as good as new."""
    context.control("POST", "reset")
    return speaker(context.url, monkeypatch, capsys)
