"""An older commit and this one take turns on the same share and the same database, by real processes."""

import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile, which

import pytest

from tests.cloud import Cloud, simulated
from tests.postgres import Postgres
from tests.waiting import until

ROOT = Path(__file__).parents[2]
OLDEST, OLDER = "7539e7014f8e", "aa0f6370fbbb"
"""Commits before notices, followed prints and shadow mode; the oldest has another queue on Postgres."""
SAMPLES = ("bracket", "clip", "flange", "gasket", "gear", "knob", "pulley", "tube")
LIMIT_SECONDS = 120

pytestmark = pytest.mark.long


def source_of(commit: str, folder: Path) -> Path:
    """Return the tree of a commit, out of the history; skips the test where there is none."""
    if which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("no history here: git, or the folder .git, is missing")
    packed = subprocess.run(["git", "-C", ROOT, "archive", commit], capture_output=True, check=False)
    if packed.returncode:
        pytest.skip(f"the history does not reach back to {commit}: {packed.stderr.decode()}")
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


@dataclass(frozen=True)
class Shop:
    """A share and a state folder that outlive the releases which work on them."""

    folder: Path
    cloud: Cloud
    settings: Mapping[str, str]

    @contextmanager
    def service(self, source: Path) -> Iterator[subprocess.Popen[bytes]]:
        """Run the service of a release; it is killed at the end, if it still runs."""
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "workflow", "run"],
                cwd=self.folder,
                env={**os.environ, **self.settings, "PYTHONPATH": str(source)},
                stdout=log,
                stderr=log,
            )
        try:
            yield process
        finally:
            process.kill()
            process.wait(LIMIT_SECONDS)

    def ask(self, source: Path) -> subprocess.CompletedProcess[str]:
        """Run `list --json` of a release."""
        return subprocess.run(
            [sys.executable, "-m", "workflow", "list", "--json"],
            cwd=self.folder,
            env={**os.environ, **self.settings, "PYTHONPATH": str(source)},
            capture_output=True,
            text=True,
            check=False,
        )

    def states(self, source: Path) -> dict[str, str]:
        """Return the states by path, as a release lists them."""
        done = self.ask(source)
        assert done.returncode == 0, done.stderr
        return {each["path"]: each["state"] for each in json.loads(done.stdout)}

    def drop(self, *names: str) -> None:
        inbox = self.folder / "share" / "inbox"
        assert until(inbox.is_dir, LIMIT_SECONDS), self.log()
        for name in names:
            copyfile(ROOT / "samples" / f"{name}.stl", inbox / f"{name}.stl")

    def log(self) -> str:
        return (self.folder / "log").read_text("utf-8", "replace")[-4000:]

    def uploads(self) -> int:
        return sum(each["operation"] == "uploadStl" and bool(each["effect"]) for each in self.cloud.journal())

    def sent(self) -> int:
        return sum(self.cloud.dispatches().values())


@contextmanager
def shop(database: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[Shop]:
    with simulated(slice_seconds=3.0) as cloud:
        settings = {
            "STLFLOW_EIGER_URL": cloud.url,
            "STLFLOW_ACCESS_KEY": "demo",
            "STLFLOW_SECRET_KEY": "demo",
            "STLFLOW_SETTLE_SECONDS": "0.2",
            "STLFLOW_SLICE_FIRST_POLL_SECONDS": "0.2",
        }
        if database == "postgres":
            server: Postgres = request.getfixturevalue("postgres")
            settings["STLFLOW_DATABASE_URL"] = server.database()
        yield Shop(folder, cloud, settings)


def upgrade_amid_work(shop: Shop, older: Path) -> None:
    """Kill the older release while it works on three files, and this one while it works on three more."""
    with shop.service(older):
        shop.drop(*SAMPLES[:3])
        assert until(lambda: shop.uploads() >= 2, LIMIT_SECONDS), shop.log()
    assert set(shop.states(ROOT)) == {f"{name}.stl" for name in SAMPLES[:3]}
    with shop.service(ROOT):
        assert until(lambda: shop.sent() == 3, LIMIT_SECONDS), shop.log()
        shop.drop(*SAMPLES[3:6])
        assert until(lambda: shop.uploads() >= 5, LIMIT_SECONDS), shop.log()


@pytest.mark.parametrize(("database", "commit"), [("sqlite", OLDEST), ("postgres", OLDER)])
def test_an_upgrade_and_the_way_back(
    database: str, commit: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    older = source_of(commit, tmp_path / "older")
    with shop(database, tmp_path, request) as floor:
        upgrade_amid_work(floor, older)
        assert set(floor.states(older)) == set(floor.states(ROOT))
        with floor.service(older):
            assert until(lambda: floor.sent() == 6, LIMIT_SECONDS), floor.log()
            floor.drop(*SAMPLES[6:])
            assert until(lambda: floor.sent() == 8, LIMIT_SECONDS), floor.log()
            assert until(lambda: set(floor.states(older).values()) == {"dispatched"}, LIMIT_SECONDS)
        assert floor.states(ROOT) == {f"{name}.stl": "dispatched" for name in SAMPLES}
        assert set(floor.cloud.dispatches().values()) == {1}, "each build is sent once"
        done = {each.name for each in (tmp_path / "share" / "done").glob("*.stl")}
        assert done == {f"{name}.stl" for name in SAMPLES}


def test_a_release_with_another_queue_refuses_what_the_upgrade_made(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    older = source_of(OLDEST, tmp_path / "older")
    with shop("postgres", tmp_path, request) as floor:
        upgrade_amid_work(floor, older)
        refused = floor.ask(older)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert "The ledger can't be opened" in refused.stderr
        with floor.service(ROOT):
            assert until(lambda: set(floor.states(ROOT).values()) == {"dispatched"}, LIMIT_SECONDS), (
                floor.log()
            )
        assert sorted(floor.cloud.dispatches().values()) == [1] * 6
