"""A form that was sent, shown again on its page: what was typed stays, and a refusal is beside its field."""

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from workflow.console.forms import own_path
from workflow.console.views import Form
from workflow.errors import StlflowError


@dataclass(slots=True)
class SentForm:
    """A form that was sent, for the page that shows it again; `why` it was refused, if it was.

    `field` is what the refusal is about, "" for the form as a whole. `is_told`: the page says it beside the
    field, and need not say it above everything.
    """

    path: str
    fields: Form
    why: str = ""
    field: str = ""
    is_told: bool = False

    def typed(self, name: str) -> str:
        """Return what was typed into a field."""
        return (self.fields.get(name) or [""])[0]

    def is_wrong(self, name: str) -> bool:
        """True if the refusal is about this field."""
        return bool(self.why) and self.field == name

    def tell(self) -> str:
        """Return the refusal for the place beside its field."""
        self.is_told = True
        return self.why


async def show_again(
    request: Request, form: Form, error: StlflowError, status: int, address: str
) -> Response:
    """Return the page that a refused form came from, with the refusal and with what was typed.

    Raises the refusal where there is no such page, or where it can't be shown.
    """
    page = request_of(request, own_path(address))
    matches = (route.matches(page.scope) for route in request.app.state.views)
    found = next((scope for match, scope in matches if match is Match.FULL), None)
    if found is None or wants_json(request):
        raise error
    page.scope.update(found)
    page.state.sent = SentForm(request.scope["path"], form, str(error), error.field)
    try:
        response: Response = await found["endpoint"](page)
    except (StlflowError, HTTPException):
        page.state.sent = None
        raise error from None
    response.status_code = status
    return response


def request_of(request: Request, address: str) -> Request:
    """Return the request for a page of the console, by the same visitor."""
    path, query = urlsplit(address)[2:4]
    asked = {"method": "GET", "path": unquote(path), "query_string": query.encode("utf-8", "replace")}
    return Request({**request.scope, **asked})


def wants_json(request: Request) -> bool:
    """True if a program asks, and no page is to be shown."""
    accepted = request.headers.get("accept", "")
    return request.scope["path"].startswith("/api/") or accepted.startswith("application/json")
