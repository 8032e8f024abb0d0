"""The console's own styles, scripts and icons: read once, served with an ETag."""

import gzip
import hashlib
from asyncio import to_thread
from functools import cache
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from workflow.frozen import frozen

STATIC = Path(__file__).parent / "static"
KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}


@frozen
class StaticFile:
    """One file as it is sent."""

    content: bytes
    compressed: bytes
    kind: str
    etag: str


@cache
def static_files() -> dict[str, StaticFile]:
    """Return all files by name."""
    return {each.name: _read(each) for each in STATIC.iterdir() if each.suffix in KINDS}


def _read(place: Path) -> StaticFile:
    content = place.read_bytes()
    etag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
    return StaticFile(content, gzip.compress(content, 9), KINDS[place.suffix], etag)


async def respond_static(request: Request) -> Response:
    """Return a file, or 304 if the browser has it. Raises HTTPException for another name."""
    found = (await to_thread(static_files)).get(request.path_params["name"])
    if found is None:
        raise HTTPException(404)
    headers = {"ETag": found.etag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if request.headers.get("if-none-match") == found.etag:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(found.compressed, 200, {**headers, "Content-Encoding": "gzip"}, found.kind)
    return Response(found.content, 200, headers, found.kind)
