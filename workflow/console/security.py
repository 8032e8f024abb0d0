"""What every request has to pass: the Host, where a change comes from, and who asks."""

from collections.abc import MutableMapping
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from workflow.console.access import console_of, identify
from workflow.console.console import Console
from workflow.console.hosts import is_own_host, listed
from workflow.errors import StateFolderError

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
SAFE_METHODS = frozenset({"GET", "HEAD"})


class Gate:
    """Lets a request pass to the pages, or says why not."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check one request, and send every reply with the headers that bind the browser."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        request = Request(scope)
        refused = refusal(console_of(request), request)
        await (refused or self._app)(scope, receive, send_with_headers)


def refusal(console: Console, request: Request) -> Response | None:
    """Return the reply to a request that may not pass; None if it may, with its visitor noted."""
    if why := _suspicion(console, request):
        return _refuse(403, why)
    if request.url.path.startswith(PUBLIC):
        return None
    try:
        visitor = identify(console, request)
    except StateFolderError as error:
        return _refuse(503, str(error))
    if visitor is not None:
        request.state.visitor = visitor
        return None
    if request.url.path.startswith("/api/") or request.method not in SAFE_METHODS:
        return _refuse(401, "Log in first: a token is needed. `stlflow console token` makes one.")
    return RedirectResponse("/login", 303)


def _suspicion(console: Console, request: Request) -> str:
    """Return why a request is refused no matter who sent it; "" if nothing is wrong with it."""
    if not is_own_host(console.settings, request.headers.get("host", "")):
        return "This is not the address of the console. Set console_names to allow the name."
    if _came_by_unknown_proxy(console, request):
        return "This came by a proxy that console_proxies does not list."
    if request.method not in SAFE_METHODS and not is_same_site(request):
        return "This change was sent by another site. Nothing was changed."
    return ""


def is_same_site(request: Request) -> bool:
    """True unless the browser says that another site sent this; what is no browser says nothing."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("origin", "null")
    return origin == "null" or urlsplit(origin).netloc == request.headers.get("host")


def _came_by_unknown_proxy(console: Console, request: Request) -> bool:
    peer = request.client.host if request.client else ""
    forwarded = any(name in request.headers for name in ("x-forwarded-for", "forwarded", "remote-user"))
    return forwarded and peer not in listed(console.settings.console_proxies)


def _refuse(status: int, why: str) -> Response:
    return PlainTextResponse(f"{why}\n", status)
