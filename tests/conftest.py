"""What every test gets: a clean environment and a fresh current folder."""

import gc
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from itertools import count
from pathlib import Path

import pytest
from hypothesis import settings

from tests.disks import memory_disk
from tests.inspectors import fork_inspectors
from tests.made_once import make_once
from tests.postgres import Postgres, postgres_server
from tests.quick_servers import quicken_servers
from workflow.cores import ALL_CORES
from workflow.ledger import Ledger

FOREVER = settings(deadline=None)  # the machine may be busy
settings.register_profile("short", FOREVER, max_examples=25, derandomize=True)  # one tree, one result
settings.register_profile("thorough", FOREVER, max_examples=1000)
settings.load_profile("short")
sys.modules["__main__"].__package__ = ""  # else help under `python -m pytest` shows that in place of stlflow
make_once()
fork_inspectors()
quicken_servers()
if disk := memory_disk():
    os.environ.setdefault("TMPDIR", disk)  # pytest removes its folder at the end of a run that is all well
    tempfile.tempdir = None  # it was looked up before


NUMBERS = count(1)
LONGEST_FIRST = (
    "test_every_page.py", "test_in_browser.py", "test_live_in_browser.py", "test_viewer.py",
    "test_decisions_at_once.py", "test_following.py", "test_clocks.py", "test_check_units.py",
    "test_ledger.py", "test_work_queue.py", "test_inbox_events.py", "test_acceptance.py",
    "test_exchange_limits.py", "test_machines.py", "test_reorder.py", "test_hostile.py",
    "test_attached_builds.py", "test_stages.py", "test_sends.py", "test_reuse.py",
    "test_other_clouds.py", "test_campaign.py", "test_inspector.py", "test_tools.py", "test_batch.py",
    "test_duplicates.py", "test_one_bed.py", "test_search.py", "test_postgres_queue.py",
    "test_peers.py", "test_moved_files.py", "test_report.py", "test_slice_listing.py",
    "test_rules_at_work.py", "test_progress_notes.py", "test_pictures.py", "test_load.py",
    "test_start.py", "test_wheel.py", "test_late_effects.py", "test_picture.py",
    "test_older_release.py", "test_wrong_values.py", "test_architecture.py", "test_surface.py",
    "test_canary.py", "test_commands.py", "test_service.py", "test_cloud.py", "test_print_now.py",
    "test_unknown_outcomes.py", "test_console.py", "test_global_options.py", "test_screens.py",
    "test_inbox.py", "test_thumbnails.py", "test_prints.py", "test_reconcile.py",
)  # fmt: skip
"""Files of tests that take longest as a whole, in this order; see `--durations`."""
WITH_BROWSER = (
    "console/test_every_page.py", "console/test_in_browser.py", "console/test_live_in_browser.py",
    "console/test_printers.py", "console/test_rules.py", "console/test_viewer.py", "console/test_wall.py",
)  # fmt: skip
"""Files that one worker takes together: a Chromium costs seconds of both cores to start and to end."""
USUAL_TESTS, MOST_WORKERS = "not long and not bench", 12
"""With six, two cores are busy nearly all the time; each begins with 4 s of a core for what it imports."""
os.environ["STLFLOW_CONSOLE_PORT"] = "0"
"""For processes that fixtures of a session or a module start: services of many tests run at the same time."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The contract's suite also runs against the real service, where somebody has keys for it."""
    parser.addoption("--live", action="store_true", help="Also ask the real Eiger; keys as for the product.")
    parser.addoption("--live-writes", action="store_true", help="With --live: also what changes something.")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Return how many processes run tests where no option says it: usual tests wait most of their time."""
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    of_a_core = 3 if config.getoption("markexpr") == USUAL_TESTS else 2
    return min(of_a_core * (len(ALL_CORES) or os.cpu_count() or 1), MOST_WORKERS)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Send a file to one worker, and all files with a browser to the same."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    scheduler = LoadFileScheduling(config, log)
    scheduler._split_scope = lambda nodeid: scope_of(nodeid.partition("::")[0])
    return scheduler


def scope_of(file: str) -> str:
    return "browser" if file.endswith(WITH_BROWSER) else file


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Import a share of the test files before the others, in each worker another share.

    Every worker needs them all, and rewriting their assertions takes most of the time of a first run: what
    one worker has rewritten and compiled, the others read. What can't be imported is reported by its turn.
    """
    gc.disable()  # what is collected stays to the end
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if not worker or session.config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return
    first, step = int(worker.removeprefix("gw")), int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    files = [file for file in Path(__file__).parent.rglob("test_*.py") if "for_long" not in file.name]
    for file in sorted(files)[first::step]:
        with suppress(Exception, pytest.skip.Exception):
            import_module(".".join(file.relative_to(session.config.rootpath).with_suffix("").parts))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files: no worker has one left when the others have nothing to do.

    Raises UsageError if two tests have one name: workers run one of them, and leave out the others.
    """
    named = Counter(item.nodeid for item in items)
    if twice := [name for name, times in named.items() if times > 1]:
        raise pytest.UsageError(f"One name for several tests: {', '.join(twice)}")
    for item in items:
        if item.get_closest_marker("long") or item.get_closest_marker("bench"):
            item.add_marker(pytest.mark.timeout(0))
    place = {name: at for at, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: place.get(item.path.name, len(place)))


def pytest_collection_finish() -> None:
    """Leave out of each later garbage collection what stays to the end: hundreds of thousands of objects."""
    gc.freeze()
    gc.set_threshold(20_000)
    gc.enable()


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the machine reaches a test, and no test writes into the source tree."""
    for name in list(os.environ):
        if name.upper().startswith("STLFLOW_") or name.upper() in {"ACCESS_KEY", "SECRET_KEY"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("STLFLOW_CONSOLE_PORT", "0")  # services of many tests run at the same time
    monkeypatch.delenv("COLUMNS", raising=False)  # the readline of a parent process may set it
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def tmp_path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a fresh folder, numbered by a count: pytest itself looks through all folders for the next."""
    name = re.sub(r"\W", "_", request.node.name)[:30]
    return tmp_path_factory.mktemp(f"{next(NUMBERS)}-{name}", numbered=False)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for all tests of this process that ask for it."""
    with postgres_server() as server:
        yield server


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """A fresh database on a real Postgres."""
    url = postgres.ledger_database()
    yield url
    postgres.drop(url)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A fresh ledger on a real SQLite file, `ledger.db` in the test's folder."""
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield ledger
    ledger.close()
