"""A cloud with one part on its way through it, and the command that is spoken to it."""

from collections.abc import Iterator

import pytest

from tests.contract.spoken import Speak, speaker
from tests.simulator.caller import Caller, calling


@pytest.fixture(scope="module")
def shop() -> Iterator[Caller]:
    """A simulated cloud with instant slicing, called without the product's client."""
    with calling() as caller:
        yield caller


@pytest.fixture
def speak(shop: Caller, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Speak:
    """The command at a cloud that is as good as new."""
    shop.control("POST", "reset")
    return speaker(shop.url, monkeypatch, capsys)
