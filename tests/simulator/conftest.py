"""One simulator for the room's tests, as good as new for each; instant slicing."""

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
