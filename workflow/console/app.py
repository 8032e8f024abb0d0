"""The application: every entry of the list behind the gate, as a page, a change or a document."""

import json
from asyncio import to_thread
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from functools import partial
from inspect import iscoroutinefunction
from typing import Any, cast
from urllib.parse import quote

from loguru import logger
from starlette.applications import Starlette
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from workflow.console.access import console_of, csrf_token, visitor_of
from workflow.console.actions import ACTIONS
from workflow.console.api import api_routes
from workflow.console.attention import count_waiting
from workflow.console.console import Console
from workflow.console.entries import ENTRIES
from workflow.console.forms import (
    Refused,
    check_csrf,
    first,
    own_address,
    own_path,
    read_form,
    require_role,
    with_body_limit,
)
from workflow.console.live import OpenStreams
from workflow.console.login import LOGIN_ROUTES, GuessLimit
from workflow.console.messages import keep_message, read_message, take_message
from workflow.console.render import NavigationEntry, render
from workflow.console.security import Gate
from workflow.console.sent_form import SentForm, request_of, show_again, wants_json
from workflow.console.static_files import respond_static
from workflow.console.views import Change, Document, Done, Entry, Preview, Role, View
from workflow.errors import (
    CloudError,
    ShareError,
    StateFolderError,
    StlflowError,
    UnknownSubmission,
    WrongSubmissionState,
)

Endpoint = Callable[[Request], Any]
AsyncEndpoint = Callable[[Request], Awaitable[Response]]
Handler = Callable[[Request, Exception], Awaitable[Response]]
STATUS_OF_ERRORS: tuple[tuple[type[StlflowError], int], ...] = (
    (UnknownSubmission, 404),
    (WrongSubmissionState, 409),
    (StateFolderError, 503),
    (ShareError, 503),
    (CloudError, 502),
)
NAVIGATION = tuple(
    NavigationEntry(each.path, each.title, each.shortcut)
    for each in ENTRIES
    if isinstance(each, View) and each.title
)


def make_app(console: Console) -> Starlette:
    """Return the application of one console."""
    app = Starlette(
        routes=[
            Route("/static/{name}", respond_static),
            *LOGIN_ROUTES,
            *api_routes(ENTRIES),
            *_routes(ENTRIES),
        ],
        middleware=[Middleware(Gate)],
        exception_handlers={
            HTTPException: _in_thread(_show_http_error),
            StlflowError: _in_thread(_show_error),
            Exception: _in_thread(_show_fault),
        },
    )
    app.state.views = tuple(_routes(each for each in ENTRIES if isinstance(each, View)))
    app.state.console, app.state.streams = console, OpenStreams()
    app.state.guesses, app.state.wrong_tokens = GuessLimit(), GuessLimit()
    return app


def _in_thread(show: Callable[[Request, Exception], Response]) -> Handler:
    async def respond(request: Request, error: Exception) -> Response:
        return await to_thread(show, request, error)

    return respond


def _routes(entries: Iterable[Entry]) -> Iterator[Route]:
    """Yield one route for each path: it knows all methods of the path, and names them when it refuses one."""
    by_path: dict[str, dict[str, AsyncEndpoint]] = {}
    for entry in entries:
        endpoint, methods = _endpoint(entry)
        guarded = _behind_role(entry.role, endpoint)
        by_path.setdefault(entry.path, {}).update(dict.fromkeys(methods, guarded))
    for path, endpoints in by_path.items():
        yield Route(path, _by_method(endpoints), methods=list(endpoints))


def _by_method(endpoints: Mapping[str, AsyncEndpoint]) -> AsyncEndpoint:
    async def endpoint(request: Request) -> Response:
        return await endpoints["GET" if request.method == "HEAD" else request.method](request)

    return endpoint


def _behind_role(role: Role | None, endpoint: Endpoint) -> AsyncEndpoint:
    """Return an endpoint that checks the role first; one that is not async runs in a thread."""

    async def guarded(request: Request) -> Response:
        if role is not None:
            require_role(request, role)
        running = endpoint(request) if iscoroutinefunction(endpoint) else to_thread(endpoint, request)
        response: Response = await running
        return response

    return guarded


def _endpoint(entry: Entry) -> tuple[Endpoint, tuple[str, ...]]:
    match entry:
        case View():
            return partial(_show_view, entry), ("GET",)
        case Change():
            return partial(_change, entry), ("POST",)
        case Preview():
            return partial(_preview, entry), ("POST",)
        case Document():
            return entry.respond, entry.methods


def _show_view(view: View, request: Request) -> Response:
    try:
        return _show_page(view, request)
    except Refused as error:  # what its query asks for; a search is a form, too
        query, path = request.query_params, request.scope["path"]
        if not query or wants_json(request):
            raise
        page = request_of(request, quote(path))
        fields = {name: query.getlist(name) for name in query}
        page.state.sent = SentForm(path, fields, str(error), error.field)
        try:
            response = _show_page(view, page)
        except Refused:
            page.state.sent = None
            raise error from None
        response.status_code = _status_of(error)
        return response


def _show_page(view: View, request: Request) -> Response:
    return take_message(request, _render_page(request, view.template, partial(view.read, request)))


def _render_page(request: Request, template: str, read: Callable[[], object]) -> Response:
    request.state.page = page_values(request)  # first: the stream tells what changes after its `event`
    return render(request, template, {"shown": read()})


async def _change(change: Change, request: Request) -> Response:
    form = await read_form(request)
    try:
        done = await to_thread(change.act, request, form)
    except StlflowError as error:
        return await show_again(
            request, form, error, _status_of(error), first(form, "from") or first(form, "next")
        )
    goes_to = own_path(first(form, "next")) or change.goes_to
    return keep_message(RedirectResponse(goes_to, 303), done.said if isinstance(done, Done) else done)


async def _preview(preview: Preview, request: Request) -> Response:
    def show(form: FormData, sent: SentForm) -> Response:
        page = request_of(request, preview.page)
        page.state.sent = sent
        return _render_page(page, preview.template, partial(preview.try_out, page, form))

    limited = with_body_limit(request, preview.max_bytes)
    async with limited.form(max_files=1, max_fields=50, max_part_size=preview.max_bytes) as form:
        check_csrf(request, str(form.get("csrf") or ""))
        fields = {name: [each for each in form.getlist(name) if isinstance(each, str)] for name in form}
        try:
            return await to_thread(show, form, SentForm(request.scope["path"], fields))
        except StlflowError as error:
            return await show_again(request, fields, error, _status_of(error), preview.page)


def page_values(request: Request) -> dict[str, object]:
    """Return what every page shows: see templates/base.html."""
    console, visitor = console_of(request), visitor_of(request)
    return {
        "navigation": NAVIGATION,
        "visitor": visitor,
        "may_work": visitor.role >= Role.WORK,
        "csrf": csrf_token(console, visitor),
        "event": console.ledger.search.last_event(),
        "waiting": count_waiting(console.ledger),
        "said": read_message(request),
        "sent": getattr(request.state, "sent", None),
        "actions": ACTIONS,
        "zone": console.settings.zone,
        "here": request.scope["path"],
        "address": own_address(request),
        "largest_mb": console.settings.largest_file_mb,
    }


def _show_http_error(request: Request, error: Exception) -> Response:
    refused = cast(HTTPException, error)
    why = "There is no such page." if refused.detail == "Not Found" else refused.detail
    response = show_refusal(request, refused.status_code, why)
    response.headers.update(refused.headers or {})
    return response


def _show_error(request: Request, error: Exception) -> Response:
    return show_refusal(request, _status_of(error), str(error))


def _status_of(error: Exception) -> int:
    return next((code for kind, code in STATUS_OF_ERRORS if isinstance(error, kind)), 400)


def _show_fault(request: Request, error: Exception) -> Response:
    place = request.scope["path"].split("/")[1][:20]  # what follows may be the secret of a link
    logger.opt(exception=error).error("A fault of stlflow in its console: {} /{}", request.method, place)
    return show_refusal(request, 500, f"stlflow has a fault here ({type(error).__name__}). The log has more.")


def show_refusal(request: Request, status: int, why: str) -> Response:
    """Return why something is not shown or not done: as a page, or as JSON where that is asked for."""
    if wants_json(request) or not hasattr(request.state, "visitor"):
        return Response(json.dumps({"error": why}), status, media_type="application/json")
    try:
        request.state.page = page_values(request)
    except StateFolderError:
        return Response(f"{why}\n", status, media_type="text/plain")
    return render(request, "refusal.html", {"status": status, "why": why}, status)
