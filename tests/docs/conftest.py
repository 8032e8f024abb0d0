"""The wheel: what people install, so the documents are tried with it and not with the source."""

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT
from tests.nursery import Nursery


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from this tree."""
    folder = tmp_path_factory.mktemp("dist")
    run(ROOT, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder))
    (built,) = folder.glob("stlflow-*.whl")
    return built


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which that wheel was installed; what it depends on is there already.

    To install it is to unpack it: https://packaging.python.org/specifications/binary-distribution-format.
    pip takes seconds for that; the README's first command installs with it in `.ci/run`.
    """
    site = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    return site


@pytest.fixture(scope="session")
def shop_floor(installed: Path) -> Iterator[Nursery]:
    """A process that forks commands of the installed wheel."""
    nursery = Nursery(installed)
    yield nursery
    nursery.close()


def run(folder: Path, *words: str) -> None:
    """Run Python, and raise AssertionError with what it printed unless it ends well."""
    done = subprocess.run([sys.executable, *words], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
