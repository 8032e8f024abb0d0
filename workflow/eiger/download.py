"""Fetching the STL of a part version: the link is asked for late, for it lives about 30 seconds."""

from http import HTTPStatus
from pathlib import Path

from workflow.eiger.exchange import Exchange
from workflow.eiger.models import SignedUrl
from workflow.eiger.operations import READ_SIGNED_URL
from workflow.eiger.protocol import read, without_reply
from workflow.eiger.reply import Lost
from workflow.eiger.transport import NoReply, OpenLink, Request
from workflow.eiger.upload import Progress
from workflow.eiger.wording import place_of
from workflow.errors import ContractBroken


def download(
    exchange: Exchange, part_version_id: str, target: Path, on_progress: Progress | None = None
) -> int:
    """Write the file to `target`; gives its bytes. Each attempt asks for a link of its own.

    Raises CloudError, OSError, and FileExistsError when `target` exists.
    """
    place = READ_SIGNED_URL.place(part_version_id=part_version_id)
    growing = target.with_name(f".{target.name}.part")

    def attempt() -> int:
        signed = exchange.once(
            Request(READ_SIGNED_URL, place), lambda reply, now: read(READ_SIGNED_URL, reply, SignedUrl, now)
        )
        return _fetch(exchange, signed.url.get_secret_value(), growing, on_progress)

    if target.exists():
        raise FileExistsError(f"{target} exists already: nothing is replaced. Choose another name.")
    try:
        size = exchange.persist(attempt)
        if target.exists():
            raise FileExistsError(f"{target} came into being meanwhile: nothing is replaced.")
        growing.rename(target)
    finally:
        growing.unlink(missing_ok=True)
    return size


def _fetch(exchange: Exchange, link: str, growing: Path, on_progress: Progress | None) -> int:
    try:
        with exchange.transport.open_link(link) as opened:
            if opened.status != HTTPStatus.OK:
                text = f"{opened.status}: The link to the file at {place_of(link)} does not work."
                raise ContractBroken(text, operation=READ_SIGNED_URL.id, status=opened.status)
            return _save(opened, growing, on_progress)
    except NoReply as none:
        limit = exchange.transport.timeouts.read_seconds
        raise without_reply(READ_SIGNED_URL, none.lost, place_of(link), limit) from None


def _save(opened: OpenLink, growing: Path, on_progress: Progress | None) -> int:
    written = 0
    with growing.open("wb") as file:
        for chunk in opened.chunks:
            written += file.write(chunk)
            if on_progress is not None:
                on_progress(written, max(opened.length or 0, written))
    if opened.length not in {None, written}:
        raise NoReply(Lost.CUT)
    return written
