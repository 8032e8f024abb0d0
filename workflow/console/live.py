"""What changes, as it happens: one stream of server-sent events for each open page.

Only numbers and versions are sent. The page asks again for what it shows, so that nothing is shown twice
in two ways, and a page that lost its stream asks the same questions every few seconds. A stream begins
with what changed since the page was made (`since`), or since the stream before it ended.

A browser opens six connections to one host at most (HTTP/1.1). If more windows than `STREAMS_OF_A_BROWSER`
are in sight, the oldest ones ask every few seconds instead: else the seventh would never get its page.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from workflow.console.access import console_of, identify, visitor_of
from workflow.console.attention import count_waiting
from workflow.console.console import Console
from workflow.console.streams import Stream
from workflow.errors import StateFolderError

TICK_SECONDS = 1.0
STOP_TICKS = 4
BEAT_TICKS = 15
"""After so many quiet ticks a sign of life is sent."""
LOOK_BACK = 50
"""On Postgres an event may become visible after a later one: the last ones are read again."""
STREAMS_OF_A_BROWSER = 4


@dataclass(eq=False, slots=True)
class OpenStream:
    """One page's stream; `crowded` once newer ones of the same browser need its connection."""

    crowded: bool = False


@dataclass(slots=True)
class OpenStreams:
    """The streams that are open, by browser, the oldest first. Used by the server's one loop."""

    _of: dict[tuple[str, ...], list[OpenStream]] = field(default_factory=dict)

    @contextmanager
    def opened(self, browser: tuple[str, ...]) -> Iterator[OpenStream]:
        """Yield a further stream of a browser; if it has too many, its oldest ones are crowded."""
        mine = OpenStream()
        of_browser = self._of.setdefault(browser, [])
        of_browser.append(mine)
        for older in of_browser[:-STREAMS_OF_A_BROWSER]:
            older.crowded = True
        try:
            yield mine
        finally:
            of_browser.remove(mine)
            if not of_browser:
                self._of.pop(browser, None)


async def respond_events(request: Request) -> Response:
    """Return the stream of one page."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Stream(_counted_stream(request), headers=headers, media_type="text/event-stream")


async def _counted_stream(request: Request) -> AsyncIterator[str]:
    console, peer = console_of(request), request.client.host if request.client else ""
    browser = peer, request.headers.get("user-agent", ""), visitor_of(request).session
    with request.app.state.streams.opened(browser) as mine:
        async for told in _stream(console, request, mine):
            yield told
        if mine.crowded:
            yield _event("crowded", {})


async def _stream(console: Console, request: Request, mine: OpenStream) -> AsyncIterator[str]:
    """Yield what changes, until the server ends, the login of the listener has, or it is crowded."""
    last = await asyncio.to_thread(_first_event, console, request)
    found = await asyncio.to_thread(console.ledger.search.changes_since, last - LOOK_BACK)
    known = {number: version for number, version in found.items() if version <= last}
    waiting, quiet, ticks = -1, 0, 0
    yield "retry: 3000\n\n"
    while not (console.stop.is_set() or mine.crowded):
        with suppress(StateFolderError):
            found = dict(await asyncio.to_thread(console.ledger.search.changes_since, last - LOOK_BACK))
            now_waiting = await asyncio.to_thread(count_waiting, console.ledger)
            fresh = {number: version for number, version in found.items() if known.get(number) != version}
            quiet = 0 if fresh or now_waiting != waiting else quiet + 1
            if not quiet:
                yield f"id: {max([last, *found.values()])}\n"
                yield _event("changes", {"changed": fresh, "waiting": now_waiting})
            known, waiting, last = found, now_waiting, max([last, *found.values()])
        ticks += 1
        with suppress(StateFolderError):
            if ticks % BEAT_TICKS == 0 and await asyncio.to_thread(identify, console, request) is None:
                return
        if quiet >= BEAT_TICKS:
            quiet = 1
            yield _event("beat", {})
        for _ in range(STOP_TICKS):
            if not (console.stop.is_set() or mine.crowded):
                await asyncio.sleep(TICK_SECONDS / STOP_TICKS)


def _first_event(console: Console, request: Request) -> int:
    """Return the newest event that the page has: as its browser says, or else the newest of all."""
    said = request.headers.get("last-event-id") or request.query_params.get("since", "")
    newest = console.ledger.search.last_event()
    return min(int(said), newest) if said.isascii() and said.isdigit() and len(said) < 20 else newest


def _event(name: str, values: object) -> str:
    return f"event: {name}\ndata: {json.dumps(values)}\n\n"
