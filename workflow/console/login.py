"""Logging in with a token: a form, a cookie, and a limit for guesses."""

import time
from collections import deque
from threading import Lock
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from workflow.console.access import (
    NAME_COOKIE,
    SESSION_COOKIE,
    SESSION_SECONDS,
    console_of,
    make_session,
    printable,
)
from workflow.console.forms import LONGEST_FORM, first, own_path, read_form, with_body_limit
from workflow.console.messages import keep_message
from workflow.console.render import render

GUESSES, GUESS_SECONDS = 5, 60.0
NAME_SECONDS = 365 * 24 * 3600


class GuessLimit:
    """How many wrong tokens an address may try in a minute; all together, ten times as many."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._wrong: deque[tuple[float, str]] = deque(maxlen=10 * GUESSES)

    def seconds_left(self, address: str) -> float:
        """Return how long an address has to wait; 0 if it may try."""
        with self._lock:
            since = time.monotonic() - GUESS_SECONDS
            recent = [at for at, _ in self._wrong if at > since]
            own = [at for at, who in self._wrong if at > since and who == address]
        blocked = own[-GUESSES:] if len(own) >= GUESSES else recent if len(recent) >= 10 * GUESSES else []
        return max(blocked[0] - since, 1.0) if blocked else 0.0

    def add(self, address: str) -> None:
        """Count a wrong token."""
        with self._lock:
            self._wrong.append((time.monotonic(), address))


def too_many_text(wait_seconds: float) -> str:
    """Return what an address is told that has to wait."""
    return f"Too many wrong tokens. Try again in {wait_seconds:.0f} seconds."


def _show_form(request: Request, wanted: str, why: str = "", status: int = 200) -> Response:
    request.state.page = {}
    return render(request, "login.html", {"why": why, "next": own_path(wanted)}, status)


async def log_in(request: Request) -> Response:
    """Show the form, or log in with the token that it sent."""
    if request.method != "POST":
        return _show_form(request, request.query_params.get("next", ""))
    address = request.client.host if request.client else ""
    limit: GuessLimit = request.app.state.guesses
    if wait := limit.seconds_left(address):
        response = _show_form(request, "", too_many_text(wait), 429)
        response.headers["Retry-After"] = f"{wait:.0f}"
        return response
    form = await with_body_limit(request, LONGEST_FORM).form(max_files=0, max_fields=10)
    console, wanted = console_of(request), str(form.get("next", ""))
    found = console.ledger.console_tokens.find(str(form.get("token", "")).strip())
    if found is None:
        limit.add(address)
        return _show_form(request, wanted, "This token is not known. `stlflow console token` makes one.", 403)
    response = RedirectResponse(own_path(wanted) or "/", 303)
    session = make_session(console, found.name, found.digest)
    response.set_cookie(
        SESSION_COOKIE,
        session,
        max_age=SESSION_SECONDS,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return response


async def keep_name(request: Request) -> Response:
    """Remember how a person at this machine wants to be called in the history."""
    form = await read_form(request)
    name = printable(first(form, "name"))
    response = RedirectResponse(own_path(first(form, "next")) or "/", 303)
    response.set_cookie(NAME_COOKIE, quote(name), max_age=NAME_SECONDS, httponly=True, samesite="strict")
    said = f"Your name in the history is {name} now." if name else "You have no name in the history now."
    return keep_message(response, said)


LOGIN_ROUTES = [
    Route("/login", log_in, methods=["GET", "POST"]),
    Route("/name", keep_name, methods=["POST"]),
]
