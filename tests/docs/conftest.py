"""The wheel: what people install, so the documents are tried with it and not with the source."""

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT
from tests.inspectors import address
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
    reuse_compiled(site)
    return site


def reuse_compiled(site: Path) -> None:
    """Copy what Python has compiled of equal files here: it takes seconds, in each of several workers."""
    for compiled in (ROOT / "workflow").rglob("__pycache__/*.pyc"):
        source = compiled.parents[1] / f"{compiled.name.partition('.')[0]}.py"
        there = site / source.relative_to(ROOT)
        if there.is_file() and source.is_file() and there.read_bytes() == source.read_bytes():
            os.utime(there, ns=(source.stat().st_mtime_ns, source.stat().st_mtime_ns))
            place = site / compiled.relative_to(ROOT)
            place.parent.mkdir(exist_ok=True)
            shutil.copyfile(compiled, place)


@pytest.fixture(scope="session")
def shop_floor(installed: Path) -> Iterator[Nursery]:
    """A process that forks commands of the installed wheel, and another one their inspecting processes."""
    nursery = Nursery(installed, address(installed))
    yield nursery
    nursery.close()


def run(folder: Path, *words: str) -> None:
    """Run Python, and raise AssertionError with what it printed unless it ends well."""
    done = subprocess.run([sys.executable, *words], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
