"""Forms that pages send: whether the visitor may send them, and whether a page of ours did."""

from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from workflow.console.access import console_of, is_csrf_token, visitor_of
from workflow.console.views import Form, Role
from workflow.errors import StlflowError

LONGEST_FORM = 256 * 1024


class Refused(StlflowError):
    """A form that can't be carried out as it is filled in."""


def first(form: Form, name: str) -> str:
    """Return a field of a form without blanks around it; "" if it is not there."""
    return (form.get(name) or [""])[0].strip()


def is_whole_number(text: str, most_digits: int) -> bool:
    """True for a text of digits from 0 to 9, no more of them than that."""
    return text.isascii() and text.isdigit() and len(text) <= most_digits


def numbers(form: Form, name: str) -> tuple[int, ...]:
    """Return the numbers that a form names, each once. Raises Refused for anything else."""
    try:
        found = tuple(dict.fromkeys(int(each) for each in form.get(name, ())))
    except ValueError:
        raise Refused("A number of a submission is not a number.") from None
    if any(not 0 < each < 2**31 for each in found):
        raise Refused("There is no submission of such a number.")
    return found


def require_role(request: Request, role: Role) -> None:
    """Raise HTTPException 403 if the visitor may not do this."""
    visitor = visitor_of(request)
    if visitor.role < role:
        may, needs = visitor.role.name.lower(), role.name.lower()
        raise HTTPException(
            403, f"This needs the role {needs}, and {visitor.by} has {may}. Nothing was changed."
        )


def with_body_limit(request: Request, most_bytes: int) -> Request:
    """Return the request with a body that ends in HTTPException 413 once it is too long.

    No header is believed for that: a body in chunks does not say how long it is.
    """
    taken = 0

    async def receive() -> Message:
        nonlocal taken
        message = await request.receive()
        taken += len(message.get("body", b""))
        if taken > most_bytes:
            raise HTTPException(
                413, f"More than {most_bytes:,} bytes are not taken here. Nothing was changed."
            )
        return message

    return Request(request.scope, receive)


async def read_form(request: Request) -> Form:
    """Return the fields of a form that this visitor's own page sent. Raises HTTPException."""
    sent = await with_body_limit(request, LONGEST_FORM).form(max_files=0, max_fields=5000)
    form = {name: [str(each) for each in sent.getlist(name)] for name in sent}
    check_csrf(request, first(form, "csrf"))
    return form


def check_csrf(request: Request, given: str) -> None:
    """Raise HTTPException 403 if a form does not have the token of this visitor's pages."""
    if not is_csrf_token(console_of(request), visitor_of(request), given):
        raise HTTPException(403, "This form is from an older page. Load the page again. Nothing was changed.")


def own_path(text: str) -> str:
    """Return a path of this console with its query; "" for an address elsewhere."""
    is_own = text.startswith("/") and not text.startswith("//") and "\\" not in text and text.isprintable()
    return text if is_own else ""


def own_address(request: Request) -> str:
    """Return the path and query that a request asks for, to come back to; "/" for one that can't be."""
    query = request.scope["query_string"].decode("ascii", "replace")
    return own_path(quote(request.scope["path"]) + (f"?{query}" if query else "")) or "/"
