"""What monitors ask for: /healthz, /readyz and /metrics."""

import json
from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import Response

from workflow.console.access import console_of
from workflow.console.render import respond
from workflow.doctor.readiness import LOOP_LIMIT_SECONDS, read_readiness


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
