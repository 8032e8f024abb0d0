"""The application: every entry of the list behind the gate, as a page, a change or a document."""

import json
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from inspect import iscoroutinefunction
from urllib.parse import quote

from loguru import logger
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
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
from workflow.console.forms import check_csrf, own_path, read_form, require_role, with_body_limit
from workflow.console.login import LOGIN_ROUTES, GuessLimit
from workflow.console.messages import keep_message, read_message, take_message
from workflow.console.render import NavigationEntry, render
from workflow.console.security import Gate
from workflow.console.static_files import respond_static
from workflow.console.views import Change, Document, Entry, Form, Preview, Role, Upload, View
from workflow.errors import (
    CloudError,
    ShareError,
    StateFolderError,
    StlflowError,
    UnknownSubmission,
    WrongSubmissionState,
)

Endpoint = Callable[[Request], Awaitable[Response]]
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
            HTTPException: _show_http_error,
            StlflowError: _show_error,
            Exception: _show_fault,
        },
    )
    app.state.console = console
    app.state.guesses = GuessLimit()
    return app


def _routes(entries: Iterable[Entry]) -> Iterator[Route]:
    """Yield one route for each path: it knows all methods of the path, and names them when it refuses one."""
    by_path: dict[str, dict[str, Endpoint]] = {}
    for entry in entries:
        endpoint, methods = _endpoint(entry)
        by_path.setdefault(entry.path, {}).update(dict.fromkeys(methods, endpoint))
    for path, endpoints in by_path.items():
        yield Route(path, _by_method(endpoints), methods=list(endpoints))


def _by_method(endpoints: Mapping[str, Endpoint]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        return await endpoints["GET" if request.method == "HEAD" else request.method](request)

    return endpoint


def _endpoint(entry: Entry) -> tuple[Endpoint, tuple[str, ...]]:
    match entry:
        case View():
            return _page(entry), ("GET",)
        case Change():
            return _change(entry), ("POST",)
        case Upload():
            return _upload(entry), ("POST",)
        case Preview():
            return _preview(entry), ("POST",)
        case Document():
            return _document(entry), entry.methods


def _page(view: View) -> Endpoint:
    def show(request: Request) -> Response:
        request.state.page = page_values(request)
        return render(request, view.template, {"shown": view.read(request)})

    async def endpoint(request: Request) -> Response:
        require_role(request, view.role)
        response = await run_in_threadpool(show, request)
        return take_message(request, response)

    return endpoint


def _change(change: Change) -> Endpoint:
    def act(request: Request, form: Form) -> str:
        done = change.act(request, form)
        return done if isinstance(done, str) else done.said

    async def endpoint(request: Request) -> Response:
        require_role(request, change.role)
        form = await read_form(request)
        said = await run_in_threadpool(act, request, form)
        return keep_message(
            RedirectResponse(own_path(form.get("next", [""])[0]) or change.goes_to, 303), said
        )

    return endpoint


def _upload(upload: Upload) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        require_role(request, upload.role)
        return await upload.take(request)

    return endpoint


def _preview(preview: Preview) -> Endpoint:
    def show(request: Request, form: FormData) -> Response:
        shown = preview.try_out(request, form)
        request.state.page = page_values(request)
        return render(request, preview.template, {"shown": shown})

    async def endpoint(request: Request) -> Response:
        require_role(request, preview.role)
        limited = with_body_limit(request, preview.max_bytes)
        async with limited.form(max_files=1, max_fields=50, max_part_size=preview.max_bytes) as form:
            check_csrf(request, str(form.get("csrf") or ""))
            return await run_in_threadpool(show, request, form)

    return endpoint


def _document(document: Document) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        if document.role is not None:
            require_role(request, document.role)
        answer = (
            document.respond(request)
            if iscoroutinefunction(document.respond)
            else await run_in_threadpool(document.respond, request)
        )
        response: Response = answer if isinstance(answer, Response) else await answer
        return response

    return endpoint


def page_values(request: Request) -> dict[str, object]:
    """Return what every page shows: see templates/base.html."""
    console, visitor = console_of(request), visitor_of(request)
    return {
        "navigation": NAVIGATION,
        "visitor": visitor,
        "may_work": visitor.role >= Role.WORK,
        "csrf": csrf_token(console, visitor),
        "waiting": count_waiting(console.ledger),
        "said": read_message(request),
        "actions": ACTIONS,
        "zone": console.settings.zone,
        "here": request.scope["path"],
        "address": own_path(_address(request)) or "/",
    }


def _address(request: Request) -> str:
    query = request.scope["query_string"].decode("ascii", "replace")
    return quote(request.scope["path"]) + (f"?{query}" if query else "")


def _show_http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    why = error.detail if isinstance(error, HTTPException) else ""
    response = show_refusal(request, status, why if why != "Not Found" else "There is no such page.")
    response.headers.update((isinstance(error, HTTPException) and error.headers) or {})
    return response


def _show_error(request: Request, error: Exception) -> Response:
    status = next((code for kind, code in STATUS_OF_ERRORS if isinstance(error, kind)), 400)
    return show_refusal(request, status, str(error))


def _show_fault(request: Request, error: Exception) -> Response:
    place = request.scope["path"].split("/")[1][:20]  # what follows may be the secret of a link
    logger.opt(exception=error).error("A fault of stlflow in its console: {} /{}", request.method, place)
    return show_refusal(request, 500, f"stlflow has a fault here ({type(error).__name__}). The log has more.")


def show_refusal(request: Request, status: int, why: str) -> Response:
    """Return why something is not shown or not done: as a page, or as JSON where that is asked for."""
    wants_json = request.headers.get("accept", "").startswith("application/json")
    if request.scope["path"].startswith("/api/") or wants_json or not hasattr(request.state, "visitor"):
        return Response(json.dumps({"error": why}), status, media_type="application/json")
    try:
        request.state.page = page_values(request)
    except StateFolderError:
        return Response(f"{why}\n", status, media_type="text/plain")
    return render(request, "refusal.html", {"status": status, "why": why}, status)
