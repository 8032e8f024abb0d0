"""The tests of this room start inspecting processes as the product does."""

import pytest

from tests.inspectors import start_afresh
from workflow.mesh import inspector


@pytest.fixture(autouse=True)
def inspectors_started_afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspector, "start_process", start_afresh)
