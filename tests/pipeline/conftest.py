"""A real service over a real share and a simulated cloud."""

import atexit
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import Connection, bindparam, select

from tests.cloud import Cloud, simulated
from tests.pipeline.sending import Desk, opened_desk
from tests.waiting import until
from workflow.assembly import make_inspector, running_service
from workflow.cli.watch import is_at_rest
from workflow.eiger import EigerClient, make_client
from workflow.ledger import Ledger
from workflow.ledger.connections import Connections
from workflow.ledger.statements import PreparedStatement
from workflow.ledger.tables import submissions
from workflow.mesh import Inspector
from workflow.model import Submission, SubmissionEvent, SubmissionState
from workflow.pipeline import inbox_notes, live_rules, retry
from workflow.pipeline.service import Service
from workflow.resources import resource_folder
from workflow.settings import Settings, load_settings

AT_PATH = PreparedStatement(
    select(submissions)
    .where(submissions.c.path == bindparam("at_path"), submissions.c.claimed_as.is_not(None))
    .order_by(submissions.c.id.desc())
    .limit(1)
)
"""Prepared, because tests ask it many times a second while they wait."""
QUICK: dict[str, object] = {
    "rules": resource_folder("rules") / "default.yaml",
    "settle_seconds": 0.05,
    "settle_ascii_seconds": 0.2,
    "settle_wrong_seconds": 0.2,
    "stall_seconds": 0.5,
    "sweep_seconds": 0.2,
    "slice_first_poll_seconds": 0.05,
    "request_timeout_seconds": 0.5,
    "late_effect_seconds": 0.2,
    "build_wait_seconds": 1.0,
    "requests_per_second": 500.0,
    "thumbnails": False,
    "status_page": "off",
    "follow_seconds": 3600.0,
}
QUICK_RHYTHMS = (
    (retry, "FIRST_BACKOFF_SECONDS", 0.3),
    (inbox_notes, "_HELD_SECONDS", 0.5),
    (live_rules, "CHECK_SECONDS", 0.3),
)
"""Rhythms of the product that no setting changes: a test that waits for one waits a share of a second."""


@dataclass(frozen=True)
class Shop:
    """One share, one cloud, one running service."""

    cloud: Cloud
    settings: Settings
    service: Service

    @property
    def share(self) -> Path:
        return self.settings.share

    def drop(self, path: str, content: bytes) -> None:
        place = self.share / "inbox" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.share / "unfinished"
        unfinished.write_bytes(content)
        unfinished.rename(place)

    def submission(self, path: str) -> Submission | None:
        """Return the newest submission of a path; None if there is none."""
        return next(iter(self.service.ledger.find_submissions(AT_PATH, at_path=path)), None)

    def wait(
        self, path: str, reached: Callable[[Submission], bool] = is_at_rest, limit: float = 60
    ) -> Submission:
        """Wait for a submission; fails with its history when it does not come."""

        def there() -> bool:
            seen = self.submission(path)
            return seen is not None and reached(seen)

        assert until(there, limit), self.history(path)
        submission = self.submission(path)
        assert submission is not None
        return submission

    def history(self, path: str) -> Sequence[SubmissionEvent]:
        submission = self.submission(path)
        return self.service.ledger.events(submission.id) if submission else ()

    def note(self, place: str) -> str:
        return (self.share / f"{place}.txt").read_bytes().decode("utf-8-sig").replace("\r\n", "\n")

    def says(self, place: str, words: str) -> bool:
        """Return whether the note is there, and has these words."""
        try:
            return words in self.note(place)
        except FileNotFoundError:  # it comes after its file, or moves
            return False

    def places(self, name: str) -> set[str]:
        """Return every place in the share where a file of that name stands."""
        return {found.relative_to(self.share).as_posix() for found in self.share.rglob(f"*{name}")}

    def client(self) -> EigerClient:
        """Return a client of one's own."""
        return make_client(self.settings)

    def sent(self, submission: Submission) -> int:
        """Count how often the cloud was made to take the submission's build."""
        return self.cloud.dispatches()[str(submission.build_id)]


Open = Callable[..., Shop]


def turn_clock(shop: Shop, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Put this machine's clock forward under a running service, which would see it within seconds."""
    monkeypatch.setattr("workflow.ledger.database.system_time", lambda: time.time() + seconds)
    shop.service.wake()


def dispatched(submission: Submission) -> bool:
    """True if the build is sent and the file put away."""
    return submission.state is SubmissionState.DISPATCHED and submission.step is None


def held(submission: Submission) -> bool:
    """True if the submission is held and the file put away."""
    return submission.state is SubmissionState.HELD and is_at_rest(submission)


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One shop for all tests of a module that need no other; each uses file names of its own."""
    with simulated() as cloud, opened(tmp_path_factory.mktemp("shop"), cloud) as context:
        yield context


@pytest.fixture
def open_shop(tmp_path: Path) -> Iterator[Open]:
    """Open a shop of one's own, with other settings or another cloud."""
    with ExitStack() as stack:

        def open_shop(cloud: Cloud | None = None, **changes: object) -> Shop:
            cloud = cloud or stack.enter_context(simulated())
            return stack.enter_context(opened(tmp_path, cloud, **changes))

        yield open_shop


@pytest.fixture
def durable_writes(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Return a list that grows with each transaction that writes: whether it is on the disk at once.

    To be asked for before the ledger, which binds the function.
    """
    noted, begin = list[bool](), Connections.write_transaction

    @contextmanager
    def noting(connections: Connections, *, durable: bool = True) -> Iterator[Connection]:
        noted.append(durable)
        with begin(connections, durable=durable) as connection:
            yield connection

    monkeypatch.setattr(Connections, "write_transaction", noting)
    return noted


@pytest.fixture(scope="session")
def desk_cloud() -> Iterator[Cloud]:
    """Return a cloud that slices at once and leaves builds to a person; each desk resets it."""
    with simulated(slice_seconds=0, builds="manual") as cloud:
        yield cloud


@pytest.fixture
def desk(ledger: Ledger, desk_cloud: Cloud) -> Iterator[Desk]:
    """Open the rooms that sending works with, without a service."""
    with opened_desk(ledger, desk_cloud) as desk:
        yield desk


INSPECTOR_SETTINGS = {
    "open_edges_limit", "largest_hole_mm", "hold_meshes_with", "refuse_meshes_with", "largest_file_mb",
    "inspection_limit_seconds", "inspection_memory_mb",
}  # fmt: skip


@cache
def shared_inspector() -> Inspector:
    """Return the inspecting process that all shops with usual limits share: a start costs 0.3 s."""
    inspector = make_inspector(load_settings())
    atexit.register(inspector.close)
    return inspector


@contextmanager
def opened(folder: Path, cloud: Cloud, **changes: object) -> Iterator[Shop]:
    settings = load_settings(
        share=folder / "share",
        state=folder / "state",
        eiger_url=cloud.url,
        access_key="demo",
        secret_key="demo",
        **{**QUICK, **changes},
    )
    usual = None if INSPECTOR_SETTINGS & changes.keys() else shared_inspector()
    with pytest.MonkeyPatch.context() as patch:
        for module, name, seconds in QUICK_RHYTHMS:
            patch.setattr(module, name, min(seconds, vars(module)[name]))  # a test may want it quicker
        with running_service(settings, shared_inspector=usual) as service:
            yield Shop(cloud, settings, service)


def written(folder: Path, text: str) -> Path:
    """Write a rules file; gives its place."""
    rules = folder / "rules.yaml"
    rules.write_text(text, "utf-8")
    return rules
