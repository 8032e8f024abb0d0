"""What was done, told once on the page that is shown next. It waits in a cookie."""

import base64
import binascii

from starlette.requests import Request
from starlette.responses import Response

MESSAGE_COOKIE = "stlflow_said"
LONGEST_MESSAGE = 2000
"""Bytes. A browser keeps no cookie of more than 4096 bytes, and base64 needs four for three."""


def keep_message(response: Response, text: str) -> Response:
    """Return the response with a message for the next page."""
    shown = text.encode("utf-8", "replace")
    if len(shown) > LONGEST_MESSAGE:
        shown = shown[:LONGEST_MESSAGE].decode(errors="ignore").encode() + "…".encode()
    value = base64.urlsafe_b64encode(shown).decode().rstrip("=")
    response.set_cookie(MESSAGE_COOKIE, value, max_age=60, httponly=True, samesite="strict")
    return response


def read_message(request: Request) -> str:
    """Return the message that waits for this page; "" if none does."""
    value = request.cookies.get(MESSAGE_COOKIE, "")
    try:
        return base64.urlsafe_b64decode(f"{value}{'=' * (-len(value) % 4)}").decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


def take_message(request: Request, response: Response) -> Response:
    """Return the response after which the message is not shown again."""
    if MESSAGE_COOKIE in request.cookies:
        response.delete_cookie(MESSAGE_COOKIE)
    return response
