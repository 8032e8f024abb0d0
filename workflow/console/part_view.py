"""One part in 3D: a page of its own with all that the picture shows in words, and the mesh that it draws."""

import asyncio
from concurrent.futures import Future
from io import FileIO
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from workflow.console.access import console_of
from workflow.console.streams import stream_file
from workflow.console.viewer_meshes import MAX_FILE_BYTES
from workflow.errors import InspectionFailed, StlflowError, error_reason
from workflow.frozen import frozen
from workflow.model import MeshReport, Submission

WAIT_SECONDS = 8.0
"""What takes longer is asked for again: the reply 202 says so."""
MESH_KIND = "application/octet-stream"


@frozen
class PartView:
    """A part as the viewer shows it, and the same in words."""

    id: int
    path: str
    verdict: str
    reason: str | None
    size_mm: tuple[float, float, float] | None = None
    triangles: int = 0
    volume_cm3: float | None = None
    open_edges: int = 0
    holes: tuple[str, ...] = ()
    """Where the largest holes are."""
    warnings: tuple[str, ...] = ()
    has_mesh: bool = False


def read_part_view(request: Request) -> PartView:
    """Return what the viewer's page shows of a submission. Raises UnknownSubmission."""
    submission = console_of(request).ledger.get(request.path_params["number"])
    mesh = submission.mesh
    if mesh is None:
        return PartView(submission.id, submission.path, "not inspected yet", submission.reason)
    return PartView(
        submission.id,
        submission.path,
        mesh.verdict,
        mesh.reason,
        mesh.size_mm,
        mesh.triangles,
        mesh.volume_cm3,
        mesh.open_edges,
        mesh.open_places,
        mesh.warnings,
        can_be_shown(submission, mesh),
    )


def can_be_shown(submission: Submission, mesh: MeshReport) -> bool:
    """True if the viewer can show the part."""
    is_small = (submission.size or 0) <= MAX_FILE_BYTES
    return bool(mesh.triangles and any(mesh.size_mm) and submission.sha256 and is_small)


async def respond_mesh(request: Request) -> Response:
    """Return the mesh of a part once it is made. Raises UnknownSubmission, ShareError, HTTPException."""
    made, name = await asyncio.to_thread(_order_mesh, request)
    waiting: asyncio.Future[Any] = asyncio.wrap_future(made)
    try:
        file = await asyncio.to_thread(FileIO, await asyncio.wait_for(asyncio.shield(waiting), WAIT_SECONDS))
    except TimeoutError:
        return PlainTextResponse("The part is being prepared.\n", 202, {"Retry-After": "1"})
    except OSError as error:
        return PlainTextResponse(f"The file {name} can't be read: {error_reason(error)}.", 404)
    except InspectionFailed as error:
        return PlainTextResponse(str(error), 404)
    except StlflowError as error:
        return PlainTextResponse(str(error), 503, {"Retry-After": "10"})
    return stream_file(file, MESH_KIND, {"Cache-Control": "private, max-age=600"})


def _order_mesh(request: Request) -> tuple[Future[Path], str]:
    """Return the file with the mesh, now or once it is made, and the name of the part's file."""
    console = console_of(request)
    submission = console.ledger.get(request.path_params["number"])
    if submission.mesh is None or not can_be_shown(submission, submission.mesh):
        raise HTTPException(404, "This part has no mesh that can be shown.")
    place = Path(submission.claimed_as or "")
    source = place if submission.left_in_place else console.share.root / place
    return console.viewer_meshes.find(source, submission.sha256 or ""), place.name
