"""What connections and requests have to pass: limits, the Host, where a change comes from, and who asks."""

import asyncio
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any, cast
from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from workflow.console.access import console_of, identify
from workflow.console.console import Console
from workflow.console.forms import LONGEST_FORM, own_address
from workflow.console.hosts import is_own_host, listed
from workflow.console.login import GuessLimit, too_many_text
from workflow.errors import StateFolderError
from workflow.memory import give_back_memory

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
PUBLIC = ("/static/", "/login", "/healthz", "/readyz", "/decide/")
"""Paths that need no visitor."""
LONGEST_PATH = 1000
MOST_CONNECTIONS = 200
"""The service beside the console needs open files, too, and a process may often have 1024."""
SILENCE_SECONDS = 20.0
"""How long a connection may take for its first request."""
QUIET_SECONDS = 10.0
"""How long after the last connection the memory that the pages needed is given back."""
REST_SECONDS = 1.0
"""How long the rest of a body is read that nobody needs."""
SAFE_METHODS = frozenset({"GET", "HEAD"})


class LimitedConnection(H11Protocol):
    """One connection: closed at once beyond the limit, and later if its first request does not come."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, or close it."""
        super().connection_made(cast(asyncio.Transport, transport))
        if len(self.connections) > MOST_CONNECTIONS:
            self.transport.abort()
        else:
            self.loop.call_later(SILENCE_SECONDS, self._close_if_silent)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection; after the last one, nobody looks at the console any more."""
        super().connection_lost(exc)
        if not self.connections:
            self.loop.call_later(QUIET_SECONDS, self._rest)

    def _rest(self) -> None:
        if not self.connections:
            give_back_memory()

    def _close_if_silent(self) -> None:
        if not self.headers:
            self.transport.abort()


class Gate:
    """Lets a request pass to the pages, or says why not."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check one request, and send every reply with the headers that bind the browser.

        The rest of a long body that nobody needs is read for a moment: the client is to hear the reply.
        Then the connection is closed: gigabytes would be read to their end.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        request = Request(scope)
        is_unread = _has_long_body(request)

        async def receive_piece() -> MutableMapping[str, Any]:
            nonlocal is_unread
            message = await receive()
            is_unread = is_unread and bool(message.get("more_body"))
            return message

        async def send_with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                if is_unread:
                    headers["Connection"] = "close"
            elif is_unread and not message.get("more_body"):
                await send({**message, "more_body": True})
                await read_on()
                message = {"type": "http.response.body"}
            await send(message)

        async def read_on() -> None:
            with suppress(TimeoutError):
                async with asyncio.timeout(REST_SECONDS):
                    while is_unread:
                        await receive_piece()

        refused = await refusal(console_of(request), request)
        await (refused or self._app)(scope, receive_piece, send_with_headers)


def _has_long_body(request: Request) -> bool:
    """True for a body that is longer than any form, or does not say how long it is."""
    length = request.headers.get("content-length", "")
    return int(length) > LONGEST_FORM if length.isdigit() else "transfer-encoding" in request.headers


async def refusal(console: Console, request: Request) -> Response | None:
    """Return the reply to a request that may not pass; None if it may, with its visitor noted.

    The path is that of the request line: the one in `request.url` is the Host header's to choose. The
    database is asked in another thread: one that does not answer stops no other request.
    """
    path = request.scope["path"]
    if why := _suspicion(console, request):
        return _refuse(403, why)
    if path.startswith(PUBLIC):
        return None
    try:
        visitor = await asyncio.to_thread(identify, console, request)
    except StateFolderError as error:
        return _refuse(503, str(error))
    if visitor is not None:
        request.state.visitor = visitor
        return None
    return _ask_for_login(request)


def _ask_for_login(request: Request) -> Response:
    if _has_token(request) and (wait := _count_wrong_token(request)):
        response = _refuse(429, too_many_text(wait))
        response.headers["Retry-After"] = f"{wait:.0f}"
        return response
    if _is_script(request):
        return _refuse(401, "Log in first: a token is needed. `stlflow console token` makes one.")
    wanted = own_address(request)
    return RedirectResponse("/login" if wanted == "/" else f"/login?next={quote(wanted, safe='')}", 303)


def _is_script(request: Request) -> bool:
    """True if nobody is there to see a login page."""
    path = request.scope["path"]
    is_for_scripts = path.startswith("/api/") or path == "/metrics" or _has_token(request)
    return is_for_scripts or request.method not in SAFE_METHODS


def _has_token(request: Request) -> bool:
    return request.headers.get("authorization", "").lower().startswith("bearer ")


def _count_wrong_token(request: Request) -> float:
    """Return how long its address has to wait that sent too many; 0 if this wrong one is only counted."""
    limit: GuessLimit = request.app.state.wrong_tokens
    address = request.client.host if request.client else ""
    wait = limit.seconds_left(address)
    if not wait:
        limit.add(address)
    return wait


def _suspicion(console: Console, request: Request) -> str:
    """Return why a request is refused no matter who sent it; "" if nothing is wrong with it."""
    if not is_own_host(console.settings, request.headers.get("host", "")):
        return "This is not the address of the console. Set console_names to allow the name."
    if _came_by_unknown_proxy(console, request):
        return "This came by a proxy that console_proxies does not list."
    if request.method not in SAFE_METHODS and not is_same_site(request):
        return "This change was sent by another site. Nothing was changed."
    if request.headers.get("sec-fetch-site") == "cross-site" and not _is_followed_link(request):
        return "A page of another site asks for this."
    if (length := len(request.scope["path"])) > LONGEST_PATH:
        return f"The address has {length} characters. No page of the console has more than {LONGEST_PATH}."
    return ""


def is_same_site(request: Request) -> bool:
    """True unless the browser says that another site sent this; what is no browser says nothing."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("origin", "null")
    return origin == "null" or origin.partition("://")[2] == request.headers.get("host")


def _is_followed_link(request: Request) -> bool:
    """True if a person comes by a link; pictures and the like of other pages would only make work."""
    return request.headers.get("sec-fetch-mode") == "navigate"


def _came_by_unknown_proxy(console: Console, request: Request) -> bool:
    peer = request.client.host if request.client else ""
    forwarded = any(name in request.headers for name in ("x-forwarded-for", "forwarded", "remote-user"))
    return forwarded and peer not in listed(console.settings.console_proxies)


def _refuse(status: int, why: str) -> Response:
    return PlainTextResponse(f"{why}\n", status)
