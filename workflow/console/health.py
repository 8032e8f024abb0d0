"""Health: the page with findings, workers and the log, the support bundle, and what monitors ask for."""

import json
from dataclasses import asdict
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from workflow.assembly import is_worker_alive
from workflow.console.access import console_of, visitor_of
from workflow.console.render import respond
from workflow.console.views import Form, Role
from workflow.doctor import Grade
from workflow.doctor.bundle import make_bundle, read_log_tail
from workflow.doctor.readiness import LOOP_LIMIT_SECONDS, ReadinessCheck, read_readiness
from workflow.doctor.scrub import Scrubber, list_secrets
from workflow.frozen import frozen
from workflow.ledger import CLOCK, list_workers
from workflow.model import Worker
from workflow.pipeline.context import now

LOG_LINES = 200
BUNDLE_KIND = "application/zip"


@frozen
class ShownFinding:
    """One line of the doctor, and what to do."""

    check: str
    grade: str
    says: str
    fix: str


@frozen
class ShownWorker:
    """One worker: its last scan of the inbox, and how Eiger answers it. Times are of its last heartbeat."""

    name: str
    pid: int
    release: str
    since: datetime
    seen_at: datetime
    is_alive: bool
    scanned_at: datetime | None
    calls: int
    failures: int
    last_seconds: float | None
    mean_seconds: float | None
    failed_at: datetime | None
    last_failure: str


@frozen
class HealthPage:
    """Everything about the condition of stlflow. `log` is empty for who may only look."""

    ready: bool
    checks: tuple[ReadinessCheck, ...]
    findings: tuple[ShownFinding, ...]
    checked_at: datetime | None
    is_checking: bool
    workers: tuple[ShownWorker, ...]
    inbox: str
    log: tuple[str, ...]


def read_health(request: Request) -> HealthPage:
    """Return the page; old findings are made again in the background. Raises StateFolderError."""
    console = console_of(request)
    settings, checkup = console.settings, console.checkup.state()
    readiness, present = read_readiness(console.ledger, settings), CLOCK.seconds()
    secrets = Scrubber(tuple(sorted(list_secrets(settings), key=len, reverse=True)))
    may_read_log = visitor_of(request).role >= Role.WORK
    return HealthPage(
        readiness.ready,
        readiness.checks,
        tuple(
            ShownFinding(each.check, str(each.grade), secrets.without_secrets(each.says), each.fix)
            for each in checkup.findings
            if each.grade is not Grade.SKIP
        ),
        checkup.at,
        checkup.is_running,
        tuple(
            _shown_worker(each, is_worker_alive(each, settings, present))
            for each in list_workers(console.ledger)
        ),
        str(settings.inbox.absolute()),
        tuple(read_log_tail(settings, LOG_LINES, secrets.without_secrets)) if may_read_log else (),
    )


def run_checkup(request: Request, _form: Form) -> str:
    """Begin a new checkup; return that it runs."""
    console_of(request).checkup.state(again=True)
    return "The doctor checks everything. The findings come in a moment."


def respond_bundle(request: Request) -> Response:
    """Return the support bundle as a download. The checks run for it."""
    console = console_of(request)
    content = make_bundle(console.settings, console.ledger, console.run_checks())
    name = f"stlflow-bundle-{now().astimezone(console.settings.zone):%Y%m%d-%H%M}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, 200, headers, BUNDLE_KIND)


def _shown_worker(worker: Worker, is_alive: bool) -> ShownWorker:
    cloud = worker.vitals.cloud
    return ShownWorker(
        worker.name,
        worker.pid,
        worker.release,
        worker.since,
        worker.seen_at,
        is_alive,
        _moment(worker.vitals.scanned_at),
        cloud.calls,
        cloud.failures,
        cloud.last_seconds,
        cloud.mean_seconds,
        _moment(cloud.failed_at),
        cloud.last_failure,
    )


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


async def respond_healthz(request: Request) -> Response:
    """Return whether the loop that everything depends on has turned lately; 503 if it has not.

    It waits for no thread: others may all wait for a database.
    """
    stalled = console_of(request).stalled_seconds()
    alive = stalled < LOOP_LIMIT_SECONDS
    return _json(200 if alive else 503, {"alive": alive, "loop_seconds": round(stalled, 1)})


def respond_readyz(request: Request) -> Response:
    """Return whether files go their way now, and why not; 503 if they do not."""
    console = console_of(request)
    readiness = read_readiness(console.ledger, console.settings)
    return _json(200 if readiness.ready else 503, asdict(readiness))


def respond_metrics(request: Request) -> Response:
    """Return the measurements in Prometheus' text format. Raises StateFolderError."""
    from workflow.console.metrics import METRICS_KIND, encode_metrics, read_measurements  # a megabyte

    console = console_of(request)
    return respond(request, encode_metrics(read_measurements(console.ledger, console.settings)), METRICS_KIND)


def _json(status: int, document: object) -> Response:
    return Response(
        json.dumps(document, indent=1) + "\n", status, {"Cache-Control": "no-store"}, "application/json"
    )
