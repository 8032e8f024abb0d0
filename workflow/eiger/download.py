"""Fetching the STL of a part version: the link is asked for late, for it lives about 30 seconds."""

import os
from functools import partial
from http import HTTPStatus
from pathlib import Path
from secrets import token_hex

from workflow.eiger.models import SignedUrl
from workflow.eiger.operations import READ_SIGNED_URL
from workflow.eiger.protocol import no_response_error, parse_response
from workflow.eiger.request import RequestSender
from workflow.eiger.request_body import ProgressCallback
from workflow.eiger.response import NoResponseReason, url_origin
from workflow.eiger.transport import MAX_DOWNLOAD_BYTES, DownloadStream, NoResponse, Request
from workflow.errors import ContractBroken


def download_stl(
    exchange: RequestSender, part_version_id: str, target: Path, on_progress: ProgressCallback | None = None
) -> int:
    """Write the file to `target`; return its size in bytes. Each attempt gets a fresh link.

    Raises CloudError, OSError, and FileExistsError when `target` exists.
    """
    place = READ_SIGNED_URL.place(part_version_id=part_version_id)
    growing = target.with_name(f".stlflow-{token_hex(6)}.part")  # its own: two may fetch to one name

    def attempt() -> int:
        signed = exchange.call_once(
            Request(READ_SIGNED_URL, place),
            partial(parse_response, READ_SIGNED_URL, SignedUrl),
        )
        return _fetch_link(exchange, signed.url.get_secret_value(), growing, on_progress)

    if target.exists():
        raise FileExistsError(f"{target} exists already: nothing is replaced. Choose another name.")
    try:
        size = exchange.call_with_retries(attempt)
        _rename_new(growing, target)
    finally:
        growing.unlink(missing_ok=True)
    return size


def _rename_new(growing: Path, target: Path) -> None:
    """Rename a file. Raises FileExistsError if another file has the name by now."""
    taken = FileExistsError(f"{target} came into being meanwhile: nothing is replaced.")
    try:
        os.link(growing, target)  # unlike a rename it never replaces a file, whenever that comes
    except FileExistsError:
        raise taken from None
    except OSError:  # a file system without hard links
        if target.exists():
            raise taken from None
        growing.rename(target)


def _fetch_link(
    exchange: RequestSender, link: str, growing: Path, on_progress: ProgressCallback | None
) -> int:
    try:
        with exchange.transport.open_signed_link(link) as opened:
            if opened.status != HTTPStatus.OK:
                text = f"{opened.status}: The link to the file at {url_origin(link)} does not work."
                raise ContractBroken(text, operation=READ_SIGNED_URL.id, status=opened.status)
            return _write_chunks(opened, growing, on_progress)
    except NoResponse as none:
        limit = exchange.transport.timeouts.read_seconds
        raise no_response_error(
            READ_SIGNED_URL, none.lost, url_origin(link), limit, MAX_DOWNLOAD_BYTES / 2**20
        ) from None


def _write_chunks(opened: DownloadStream, growing: Path, on_progress: ProgressCallback | None) -> int:
    written = 0
    with growing.open("wb") as file:
        for chunk in opened.chunks:
            written += file.write(chunk)
            if on_progress is not None:
                on_progress(written, max(opened.length or 0, written))
    if opened.length not in {None, written}:
        raise NoResponse(NoResponseReason.CUT)
    return written
