"""The same pages as JSON under /api, with an OpenAPI document made of their types."""

import hashlib
import json
import re
from asyncio import to_thread
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, Literal, get_type_hints

from pydantic import TypeAdapter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from workflow import __version__
from workflow.console.forms import LONGEST_FORM, require_role, with_body_limit
from workflow.console.render import respond
from workflow.console.views import Change, Done, Entry, Parameter, View

JSON = "application/json"
DONE = "what was done"
_CONVERTER = re.compile(r":[a-z]+}")


def api_path(entry: View | Change) -> str:
    """Return where an entry is in the API."""
    return f"/api{'/attention' if entry.path == '/' else entry.path}"


def api_routes(entries: Iterable[Entry]) -> Iterator[Route]:
    """Yield the routes of the API."""
    entries = tuple(entries)
    for entry in entries:
        if isinstance(entry, View) and entry.in_api:
            yield Route(api_path(entry), _read_endpoint(entry), methods=["GET"])
        elif isinstance(entry, Change):
            yield Route(api_path(entry), _change_endpoint(entry), methods=["POST"])

    def document() -> bytes:
        return json.dumps(openapi(entries)).encode()

    async def show_openapi(request: Request) -> Response:
        return respond_json(request, await to_thread(document))

    yield Route("/api/openapi.json", show_openapi, methods=["GET"])


def respond_json(request: Request, body: bytes) -> Response:
    """Return JSON with its ETag, or 304 if that is what the caller has."""
    etag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers={"ETag": etag})
    return respond(request, body, JSON, headers={"ETag": etag, "Cache-Control": "no-cache"})


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _read_endpoint(view: View) -> Callable[[Request], Any]:
    adapter_kind = get_type_hints(view.read)["return"]

    def read(request: Request) -> Response:
        return respond_json(request, _adapter(adapter_kind).dump_json(view.read(request)))

    async def endpoint(request: Request) -> Response:
        require_role(request, view.role)
        return await to_thread(read, request)

    return endpoint


def _change_endpoint(change: Change) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        require_role(request, change.role)
        form = _form_of(await _read_json(request))
        done = await to_thread(change.act, request, form)
        return respond(request, _adapter(Done).dump_json(Done(done) if isinstance(done, str) else done), JSON)

    return endpoint


async def _read_json(request: Request) -> dict[str, Any]:
    """Return the body: one JSON object. Its media type is what a page of another site can't send unasked."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != JSON:
        raise HTTPException(415, "Send application/json.")
    body = await with_body_limit(request, LONGEST_FORM).body()
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError):
        raise HTTPException(400, "The body is not JSON.") from None
    if not isinstance(sent, dict):
        raise HTTPException(400, "The body has to be a JSON object.")
    return sent


def _form_of(sent: dict[str, Any]) -> dict[str, list[str]]:
    return {
        name: [str(each) for each in value] if isinstance(value, list) else [str(value)]
        for name, value in sent.items()
        if value is not None
    }


def openapi(entries: Iterable[Entry]) -> dict[str, Any]:
    """Return the OpenAPI document."""
    views = {api_path(each): each for each in entries if isinstance(each, View) and each.in_api}
    changes = {api_path(each): each for each in entries if isinstance(each, Change)}
    kinds = {path: get_type_hints(view.read)["return"] for path, view in views.items()}
    shapes: list[tuple[str, Literal["serialization"], TypeAdapter[Any]]] = [
        (path, "serialization", _adapter(kind)) for path, kind in {**kinds, DONE: Done}.items()
    ]
    schemas, shared = TypeAdapter.json_schemas(shapes, ref_template="#/components/schemas/{model}")
    by_path = {str(path): _without_tuples(schema) for (path, _), schema in schemas.items()}
    paths: dict[str, Any] = {}
    for path, view in views.items():
        paths.setdefault(_CONVERTER.sub("}", path), {})["get"] = _describe_view(view, by_path[path])
    for path, change in changes.items():
        paths.setdefault(_CONVERTER.sub("}", path), {})["post"] = _describe_change(change, by_path[DONE])
    token = {"type": "http", "scheme": "bearer"}
    return {
        "openapi": "3.1.0",
        "info": {"title": "stlflow console", "version": __version__},
        "paths": paths,
        "components": {
            "schemas": _without_tuples(shared.get("$defs", {})),
            "securitySchemes": {"token": token},
        },
        "security": [{}, {"token": []}],
    }


def _without_tuples(schema: Any) -> Any:
    """Return a schema whose tuples are arrays: not every program knows `prefixItems`."""
    if isinstance(schema, list):
        return [_without_tuples(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {name: _without_tuples(value) for name, value in schema.items() if name != "prefixItems"}
    if (kinds := schema.get("prefixItems")) is not None:
        plain["items"] = kinds[0] if all(each == kinds[0] for each in kinds) else {}
    return plain


def _describe_view(view: View, schema: Any) -> dict[str, Any]:
    return {
        "summary": (view.read.__doc__ or "").strip().partition("\n")[0],
        "parameters": [*_path_parameters(view.path), *map(_query_parameter, view.parameters)],
        "responses": {
            "200": {"description": "What the page shows.", "content": {JSON: {"schema": schema}}},
            "304": {"description": "It is what the caller has: see ETag."},
            **_REFUSALS,
        },
    }


def _describe_change(change: Change, done: Any) -> dict[str, Any]:
    fields = {each.name: _field(each) for each in change.fields}
    schema = {"type": "object", "properties": fields}
    return {
        "summary": (change.act.__doc__ or "").strip().partition("\n")[0],
        "parameters": list(_path_parameters(change.path)),
        "requestBody": {"required": True, "content": {JSON: {"schema": schema}}},
        "responses": {
            "200": {"description": "What was done.", "content": {JSON: {"schema": done}}},
            **_REFUSALS,
        },
    }


def _field(parameter: Parameter) -> dict[str, Any]:
    shape: dict[str, Any] = {"description": parameter.description, "type": parameter.kind}
    return {**shape, "items": {"type": "integer", "minimum": 1}} if parameter.kind == "array" else shape


def _path_parameters(path: str) -> Iterator[dict[str, Any]]:
    for name, kind in re.findall(r"{(\w+)(?::(\w+))?}", path):
        schema = {"type": "integer", "minimum": 0} if kind == "int" else {"type": "string", "minLength": 1}
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _query_parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": "query",
        "description": parameter.description,
        "schema": {"type": parameter.kind},
    }


_ERROR = {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}
_REFUSALS = {
    code: {"description": why, "content": {JSON: {"schema": _ERROR}}}
    for code, why in (
        ("400", "Something in the request is wrong."),
        ("403", "The role does not allow it."),
        ("404", "There is no such thing."),
        ("409", "The state does not allow it."),
        ("413", "Too long."),
        ("415", "Not JSON."),
        ("401", "A token is needed."),
        ("429", "Too many wrong tokens."),
        ("502", "Eiger refused, or can't be reached."),
        ("503", "The database can't be read now."),
    )
}
