"""One simulated cloud for all commands of a file, and a fresh desk for each test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.command import Desk, Ended, said
from tests.cloud import Cloud, simulated

Say = Callable[..., Ended]


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Say a command in this process."""
    return lambda *words: said(words, capsys, monkeypatch)


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    """A cloud that slices at once, nearly."""
    with simulated() as cloud:
        yield cloud


@pytest.fixture
def desk(tmp_path: Path, cloud: Cloud) -> Desk:
    """A desk with nothing on it."""
    return Desk(tmp_path, cloud.url)
