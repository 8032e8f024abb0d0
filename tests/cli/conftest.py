"""One simulated cloud for all commands of a file, and a fresh desk for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import Desk
from tests.cloud import Cloud, simulated


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    """A cloud that slices at once, nearly."""
    with simulated() as cloud:
        yield cloud


@pytest.fixture
def desk(tmp_path: Path, cloud: Cloud) -> Desk:
    """A desk with nothing on it."""
    return Desk(tmp_path, cloud.url)
