"""A shop after `stlflow init`, looked over in this process; whatever a check leaves behind fails the test."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.cloud import Cloud, simulated
from workflow.cli.app import stlflow
from workflow.doctor import Check, Finding, Grade, run_checks
from workflow.settings import Settings, load_settings


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with simulated() as cloud:
        yield cloud


@dataclass(frozen=True)
class Seen:
    """What was found, by the names of the checks."""

    findings: Sequence[Finding]

    def of(self, check: str) -> list[Finding]:
        return [finding for finding in self.findings if finding.check == check]

    def select(self, check: str) -> Finding:
        """Return the one finding of a check."""
        (finding,) = self.of(check)
        return finding

    def grades(self) -> dict[str, Grade]:
        return {finding.check: finding.grade for finding in self.findings}


Look = Callable[[Sequence[Check]], Seen]


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """Look, and see that no file and no folder was made, changed or removed by it."""

    def look(checks: Sequence[Check]) -> Seen:
        before = everything(tmp_path)
        seen = Seen(tuple(run_checks(checks)))
        assert everything(tmp_path) == before
        return seen

    return look


def everything(folder: Path) -> dict[str, bytes | None]:
    """Return every file with its bytes, and every folder; not what SQLite keeps beside an open database."""
    return {
        str(found): found.read_bytes() if found.is_file() else None
        for found in sorted(folder.rglob("*"))
        if not found.name.endswith(("-wal", "-shm"))
    }


@pytest.fixture
def context(tmp_path: Path) -> Settings:
    """Return the settings of a new shop in the current folder, as no network would be needed for."""
    assert CliRunner().invoke(stlflow, ["init"]).exit_code == 0
    return load_settings(access_key="demo", secret_key="demo")
