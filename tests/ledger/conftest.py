"""The ledger's own tests run on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from workflow.ledger import Ledger


@pytest.fixture(params=["sqlite", "postgres"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    """A fresh ledger on a real database of either kind."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'ledger.db'}"
    else:
        url = request.getfixturevalue("postgres_url")
    ledger = Ledger(url)
    yield ledger
    ledger.close()
