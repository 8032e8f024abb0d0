"""Responses that are sent while they are made.

Starlette's own are made on anyio, of which nothing else is needed here: without it a console needs 0.8 MB
less. What waits for a disk or a database runs in the threads of asyncio for the same reason.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from io import FileIO

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

CHUNK_BYTES = 2**18


class Stream(StreamingResponse):
    """A response that ends with its content, or when the browser goes away."""

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Send it. Raises what its content raises."""
        sending = asyncio.create_task(self.stream_response(send))
        leaving = asyncio.create_task(self.listen_for_disconnect(receive))
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sending.cancel()
            leaving.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)
        if not sending.cancelled():
            sending.result()


async def read_in_thread(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the chunks, each of which is made in a thread; an empty one is the end."""
    while chunk := await asyncio.to_thread(next, chunks, b""):
        yield chunk


def stream_file(file: FileIO, kind: str, headers: Mapping[str, str]) -> Stream:
    """Return a file that is open for reading, from its beginning; it is closed at the end."""
    length = {"Content-Length": str(file.seek(0, 2))}
    file.seek(0)
    return Stream(read_in_thread(_chunks(file)), headers={**length, **headers}, media_type=kind)


def _chunks(file: FileIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
