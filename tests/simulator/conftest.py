"""One simulator for the tests of this folder, reset before each; it slices at once."""

from collections.abc import Iterator

import pytest

from tests.simulator.caller import Caller, calling


@pytest.fixture(scope="package")
def server() -> Iterator[Caller]:
    with calling() as caller:
        yield caller


@pytest.fixture
def eiger(server: Caller) -> Caller:
    server.control("POST", "reset")
    return server
