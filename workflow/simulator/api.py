"""From a request on the socket to its reply, as the contract says.

A request is refused in this order: injected fault, 401, unknown path, 405, 400, then what the world refuses.
The application has the control plane and the targets of signed links beside the API.
"""

import hmac
import json
from base64 import b64decode
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from email.utils import format_datetime
from urllib.parse import parse_qsl, urlencode

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from workflow.simulator import control, views
from workflow.simulator.connection import Connection, Reply
from workflow.simulator.contract import (
    ALSO_FORM_ENCODED,
    FORM_CONTENT_TYPE,
    JSON_CONTENT_TYPE,
    InvalidRequest,
    Operation,
    PathMatch,
    match_path,
    validate_body,
    validate_ids,
    validate_query,
)
from workflow.simulator.control import ControlPlane, Endpoint
from workflow.simulator.faults import Fault, early_fault_reply, send_with_fault
from workflow.simulator.operations import OPERATION_FUNCTIONS, Call
from workflow.simulator.options import SimulatorOptions
from workflow.simulator.simulation import JournalEntry, Simulation
from workflow.simulator.upload import UPLOAD_OPERATION_ID, upload_stl
from workflow.simulator.views import format_time
from workflow.simulator.world import DeviceNotReady, NotFound, Refused

MAX_JSON_BYTES = 1 << 20


def is_authorized(request: Request, options: SimulatorOptions) -> bool:
    """True if the request carries the right keys, as HTTP Basic."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    try:
        given = b64decode(token.strip(), validate=True)
    except ValueError:
        return False
    keys = f"{options.access_key}:{options.secret_key}"
    return scheme.lower() == "basic" and hmac.compare_digest(given, keys.encode())


async def read_call(request: Request, operation: Operation, ids: Mapping[str, str]) -> Call:
    """Return the checked call of a request with a JSON body, or with none. Raises InvalidRequest."""
    return Call(
        operation=operation,
        ids=validate_ids(operation, ids),
        query=validate_query(operation, request.query_params.multi_items()),
        body=validate_body(operation, await _read_json_body(request, operation)),
    )


async def _read_json_body(request: Request, operation: Operation) -> object:
    """Return the JSON body, None without one. Raises InvalidRequest."""
    if operation.body is None:
        return None
    raw = await _read_limited(request.stream())
    if not raw:
        return None
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type == FORM_CONTENT_TYPE and operation.id in ALSO_FORM_ENCODED:
        return dict(parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True))
    if content_type != JSON_CONTENT_TYPE:
        raise InvalidRequest(
            f"Send {JSON_CONTENT_TYPE}, not {content_type or 'a body without a content type'}."
        )
    try:
        value: object = json.loads(raw)
    except (ValueError, RecursionError):
        raise InvalidRequest("The body is not JSON.") from None
    if value is None:
        raise InvalidRequest("The body must be an object, not null.")
    return value


async def _read_limited(body: AsyncIterator[bytes]) -> bytes:
    whole = bytearray()
    async for chunk in body:
        if len(whole) <= MAX_JSON_BYTES:
            whole += chunk
    if len(whole) > MAX_JSON_BYTES:
        raise InvalidRequest(f"The body has more than {MAX_JSON_BYTES} bytes.")
    return bytes(whole)


BASE_PATH = "/api/v3"


class Api:
    """The ASGI application of the API, for one simulation."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the reply to one request, spoiled if a fault says so, and record it in the journal."""
        simulation = self._simulation
        wire = Connection(receive, send, simulation.pause)
        request = Request(scope, wire.receive)
        path = str(scope["path"]).removeprefix(BASE_PATH)
        matched = match_path(request.method, path)
        operation = matched.operation if matched else None
        operation_id = operation.id if operation else None
        now = format_time(simulation.clock.now()) or ""
        entry = simulation.journal.open(now, request.method, path, request.url.query, operation_id)
        entry.authorized = is_authorized(request, simulation.options)
        fault = simulation.faults.draw(operation_id) if operation_id else None
        try:
            await self._answer(request, wire, matched, fault, entry)
        except ClientDisconnect:
            entry.message = "The client left."

    async def _answer(
        self,
        request: Request,
        wire: Connection,
        matched: PathMatch | None,
        fault: Fault | None,
        entry: JournalEntry,
    ) -> None:
        if fault:
            entry.fault = fault.kind
            if fault.kind == "cut_before":
                return await wire.cut()
            if fault.kind == "endless_continue":
                return await wire.send_endless_continue()
            if fault.kind == "delay":
                await wire.pause(fault.delay_seconds)
            if fault.kind == "late_effect":
                await wire.buffer_request()
                await self._simulation.pause_simulated(fault.delay_seconds)
            if fault.kind == "endless_list":
                request = Request(_first_page(request.scope), wire.receive)
        reply = early_fault_reply(fault) or await self._reply(request, matched, entry.authorized)
        entry.finish(reply.status, reply.effect, reply.message)
        await wire.drain()
        return await send_with_fault(wire, self._with_standard_headers(reply), fault)

    async def _reply(self, request: Request, matched: PathMatch | None, authorized: bool) -> Reply:
        if not authorized:
            challenge = {"WWW-Authenticate": 'Basic realm="Eiger"'}
            return _error_reply(401, "The access key or the secret key is wrong or missing.", challenge)
        if matched is None:
            return _error_reply(404, "There is nothing at this address.")
        if matched.operation is None:
            allow = {"Allow": ", ".join(matched.allowed)}
            return _error_reply(405, f"{request.method} is not allowed here.", allow)
        try:
            return await self._call_operation(request, matched.operation, matched.ids)
        except InvalidRequest as error:
            return _error_reply(400, str(error))
        except Refused as error:
            return _error_reply(_error_status(error, matched.operation), str(error))

    async def _call_operation(self, request: Request, operation: Operation, ids: Mapping[str, str]) -> Reply:
        if operation.id == UPLOAD_OPERATION_ID:
            return await upload_stl(request, operation, self._simulation)
        call = await read_call(request, operation, ids)
        return OPERATION_FUNCTIONS[operation.id](call, self._simulation.views())

    def _with_standard_headers(self, reply: Reply) -> Reply:
        """Return the reply with the simulated time in `Date`, and a refusal with its reference id."""
        headers = {"Date": format_datetime(self._simulation.clock.date(), usegmt=True), **reply.headers}
        if reply.status >= 400:
            headers["X-Reference-ID"] = str(self._simulation.next_reference_id())
        return replace(reply, headers=headers)


def _first_page(scope: Scope) -> Scope:
    asked = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    without_page = urlencode([(name, value) for name, value in asked if name != "page[number]"])
    return {**scope, "query_string": without_page.encode()}


def _error_reply(status: int, message: str, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(status, {"message": message}, headers or {})


def _error_status(error: Refused, operation: Operation) -> int:
    if isinstance(error, NotFound):
        return operation.not_found_status
    return 409 if isinstance(error, DeviceNotReady) else 400


ONE_PIXEL_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f64540"
    "0000000049454e44ae426082"
)


def make_app(simulation: Simulation) -> ASGIApp:
    """Return the application; the API answers every path under its base, unknown ones too."""
    api = Api(simulation)
    other_routes = Starlette(
        routes=[
            Mount(control.CONTROL_PATH, routes=ControlPlane(simulation).routes()),
            Route(f"{views.SIGNED_LINKS_PATH}/{{kind}}/{{row_id}}", _signed_link_endpoint(simulation)),
        ]
    )

    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        is_api = scope["type"] == "http" and f"{scope['path']}/".startswith(f"{BASE_PATH}/")
        await (api if is_api else other_routes)(scope, receive, send)

    return route


def _signed_link_endpoint(simulation: Simulation) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        kind, row_id = request.path_params["kind"], request.path_params["row_id"]
        views, asked = simulation.views(), request.query_params
        what, expires, signature = f"{kind}/{row_id}", asked.get("expires", ""), asked.get("signature", "")
        if not views.links.verify(what, expires, signature, views.world.now):
            return JSONResponse({"message": "This link has expired or is not valid."}, 403)
        if kind != "stl":
            return Response(ONE_PIXEL_PNG, media_type="image/png")
        version = views.world.part_versions.get(row_id)  # none after a reset
        stl = None if version is None else version.stl
        return FileResponse(stl.path, media_type="model/stl") if stl else Response(status_code=404)

    return endpoint
