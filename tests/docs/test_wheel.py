"""The wheel has everything: what runs from it, outside of the source tree, finds its files."""

import re
import shlex
import subprocess
import tomllib
import zipfile
from collections.abc import Iterable, Iterator
from importlib.metadata import distribution
from pathlib import Path

import pytest
import requests

from tests.docs.blocks import ROOT
from tests.docs.shop import LIMIT_SECONDS, start
from tests.nursery import Nursery
from tests.waiting import until

MAX_INSTALL_MB = 130
SHIPPED = {"workflow": "workflow", "rules": "workflow/shipped/rules", "samples": "workflow/shipped/samples"}
"""Where the folders of the source tree are in the wheel."""
_STATIC = re.compile(r"/static/([\w.-]+)")


def files_of(folder: Path) -> list[Path]:
    kept = (each for each in folder.rglob("*") if each.is_file() and "__pycache__" not in each.parts)
    return [each.relative_to(folder) for each in kept]


def test_the_wheel_holds_every_file_and_nothing_else(wheel: Path) -> None:
    here = {
        f"{place}/{file.as_posix()}": (ROOT / folder / file).read_bytes()
        for folder, place in SHIPPED.items()
        for file in files_of(ROOT / folder)
    }
    with zipfile.ZipFile(wheel) as archive:
        there = {name: archive.read(name) for name in archive.namelist() if ".dist-info/" not in name}
        (entries,) = (name for name in archive.namelist() if name.endswith("entry_points.txt"))
        assert "stlflow = workflow.__main__:main" in archive.read(entries).decode()
    assert there.keys() == here.keys()
    assert there == here


@pytest.fixture
def untouched(installed: Path) -> Iterator[Nursery]:
    """A process that forks commands which start their inspecting processes themselves."""
    nursery = Nursery(installed, None)
    yield nursery
    nursery.close()


def test_the_demo_of_the_wheel_serves_the_console(
    installed: Path, untouched: Nursery, tmp_path: Path
) -> None:
    environment = {"PATH": "", "HOME": str(tmp_path), "PYTHONPATH": str(installed)}
    running = start(("stlflow", "demo"), tmp_path, environment, untouched)
    try:
        assert until(lambda: " -C " in running.said(), LIMIT_SECONDS), running.said()
        address = re.findall(r"shown at (http://[\w.:]+)", running.said())[0]
        page = requests.get(f"{address}/submissions", timeout=LIMIT_SECONDS)
        assert page.status_code == 200
        assert "<!doctype html>" in page.text.lower()
        linked = set(_STATIC.findall(page.text))
        assert {Path(name).suffix for name in linked} == {".css", ".js", ".svg"}
        for name in sorted(linked):
            answer = requests.get(f"{address}/static/{name}", timeout=LIMIT_SECONDS)
            assert answer.content == (ROOT / "workflow/console/static" / name).read_bytes()
        folder = Path(re.findall(r" -C (\S+) list$", running.said(), re.MULTILINE)[0])
        assert (folder / ".env").stat().st_mode & 0o077 == 0, "it holds keys"
        (ask,) = re.findall(r"^  (.+ -C .+ list)$", running.said(), re.MULTILINE)
        asked = subprocess.run(
            shlex.split(ask), env=environment, cwd=tmp_path, capture_output=True, check=False
        )
        assert asked.returncode == 0, (ask, asked.stderr)
    finally:
        running.process.kill()
        running.process.wait(LIMIT_SECONDS)


def installed_bytes(requirements: Iterable[str], known: set[str]) -> int:
    """Return what the packages of a default install take, without bytecode."""
    total = 0
    for requirement in requirements:
        name = re.split(r"[^\w.-]", requirement)[0].lower().replace("_", "-")
        if ";" in requirement or name in known:  # a condition is an extra, or another system or version
            continue
        known.add(name)
        found = distribution(name)
        places = (Path(str(found.locate_file(each))) for each in found.files or ())
        total += sum(each.stat().st_size for each in places if each.suffix != ".pyc" and each.is_file())
        total += installed_bytes(found.requires or (), known)
    return total


def test_a_default_install_is_small(wheel: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    with zipfile.ZipFile(wheel) as archive:
        ours = sum(each.file_size for each in archive.infolist())
    needed = set[str]()
    theirs = installed_bytes(project["dependencies"], needed)
    assert {"numpy", "sqlalchemy"} < needed
    assert ours + theirs < MAX_INSTALL_MB * 1e6
