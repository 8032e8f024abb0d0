"""Who a visitor is, and what they may do: a token, a trusted proxy's word, or a place at this machine."""

import hashlib
import hmac
import time
from typing import cast
from urllib.parse import unquote

from starlette.requests import HTTPConnection, Request

from workflow.console.console import Console
from workflow.console.hosts import is_loopback, listed
from workflow.console.views import Role
from workflow.frozen import frozen
from workflow.ledger import ConsoleToken

SESSION_COOKIE, NAME_COOKIE = "stlflow_session", "stlflow_name"
SESSION_SECONDS = 12 * 3600
LONGEST_NAME = 60
WALL_PATH = "/wall"


@frozen
class Visitor:
    """Who asks. `session` is what the CSRF token belongs to; `checked` False: the name is their own word.

    `sees_names` False: the wall names no part to them.
    """

    name: str
    role: Role
    session: str
    checked: bool = True
    sees_names: bool = True

    @property
    def by(self) -> str:
        """Return who did it, for the history."""
        return self.name or "a person at the console"


def console_of(request: HTTPConnection) -> Console:
    """Return the console that serves a request."""
    return cast(Console, request.app.state.console)


def visitor_of(request: HTTPConnection) -> Visitor:
    """Return who asks."""
    return cast(Visitor, request.state.visitor)


def identify(console: Console, request: Request) -> Visitor | None:
    """Return who asks; None if they have to log in first."""
    settings, peer = console.settings, request.client.host if request.client else ""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        found = console.ledger.console_tokens.find(token.strip())
        return None if found is None else _visitor_with(found, f"bearer {found.digest}")
    if request.scope["path"] == WALL_PATH and (key := request.query_params.get("k")):
        found = console.ledger.console_tokens.find(key)
        is_wall = found is not None and role_of(found.role) is Role.WALL
        return _visitor_with(found, f"wall {found.digest}") if found and is_wall else None
    if peer in listed(settings.console_proxies):
        name = printable(request.headers.get("remote-user", ""))
        return Visitor(name, role_of(settings.console_proxy_role), f"proxy {name}") if name else None
    if (cookie := request.cookies.get(SESSION_COOKIE)) is not None:
        visitor = _read_session(console, cookie)
        if visitor is not None:
            return visitor
    if needs_login(console):
        return None
    return Visitor(
        printable(unquote(request.cookies.get(NAME_COOKIE, ""))), Role.ADMIN, "local", checked=False
    )


def _visitor_with(token: ConsoleToken, session: str) -> Visitor:
    return Visitor(token.name, role_of(token.role), session, sees_names=token.shows_names)


def needs_login(console: Console) -> bool:
    """True if people at this machine need a token, too."""
    return console.settings.console_login or not is_loopback(console.settings.console_host)


def role_of(word: str) -> Role:
    """Return a role by its name; an unknown one may only look."""
    return Role.__members__.get(word.strip().upper(), Role.VIEW)


def printable(text: str) -> str:
    """Return a name of a person as one short line."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())[:LONGEST_NAME]


def make_session(console: Console, name: str, digest: str) -> str:
    """Return the value of a session's cookie: the token's name, an end, and a signature of both."""
    end = int(time.time()) + SESSION_SECONDS
    return f"{name.encode().hex()}.{end}.{_sign(console, name, str(end), digest)}"


def _read_session(console: Console, cookie: str) -> Visitor | None:
    """Return whose session it is; None if it has ended, is forged, or its token was revoked."""
    name_hex, _, rest = cookie.partition(".")
    end, _, signature = rest.partition(".")
    try:
        name = bytes.fromhex(name_hex).decode()
        if int(end) < time.time():
            return None
    except ValueError:
        return None
    for token in console.ledger.console_tokens.list_all():
        if token.name == name and _is_same(_sign(console, name, end, token.digest), signature):
            return _visitor_with(token, signature)
    return None


def csrf_token(console: Console, visitor: Visitor) -> str:
    """Return what every form of this visitor has to send back."""
    return _sign(console, "csrf", visitor.session)


def is_csrf_token(console: Console, visitor: Visitor, given: str) -> bool:
    """True if a form sent this visitor's token; the comparison takes the same time for any."""
    return _is_same(csrf_token(console, visitor), given)


def _is_same(ours: str, given: str) -> bool:
    return hmac.compare_digest(ours.encode(), given.encode("utf-8", "replace"))


def _sign(console: Console, *words: str) -> str:
    return hmac.new(console.key, "\n".join(words).encode("utf-8", "replace"), hashlib.sha256).hexdigest()
