"""A simulated cloud, and the command `stlflow` that calls it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.spoken import Speak, speaker
from tests.simulator.caller import Caller, calling


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Seconds go into collecting this one, in every process: only where long tests are asked for."""
    is_long = collection_path.name == "test_fuzzed_for_long.py"
    return True if is_long and "not long" in config.option.markexpr else None


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
