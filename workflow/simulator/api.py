"""The API's edge: from a request on the socket to its reply, by the contract.

Order of refusals: fault on order, 401, unknown path, 405, 400, then what the world says.
"""

import asyncio
import hmac
import json
from base64 import b64decode
from collections.abc import AsyncIterator, Mapping
from email.utils import format_datetime
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from workflow.simulator import library, stl
from workflow.simulator.call import Call
from workflow.simulator.contract_check import (
    ALSO_FORM_ENCODED,
    FORM,
    JSON,
    Match,
    Operation,
    checked_body,
    checked_ids,
    checked_query,
    match,
)
from workflow.simulator.faults import Fault
from workflow.simulator.journal import Entry
from workflow.simulator.responses import ANSWERS
from workflow.simulator.schema import Unfit
from workflow.simulator.simulation import Simulation
from workflow.simulator.upload import FILE_FIELD, read_form
from workflow.simulator.views import at
from workflow.simulator.wire import ERROR_PAGE, Reply, Wire, answer_spoilt, spoilt_before
from workflow.simulator.world import NotReady, NotThere, Refused

BASE_PATH = "/api/v3"
JSON_BYTES = 1 << 20
UPLOAD = "uploadStl"


class Api:
    """An ASGI application that answers for one simulation."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or spoil it as a fault wants, and write it down."""
        wire = Wire(receive, send)
        request = Request(scope, wire.receive)
        path = str(scope["path"]).removeprefix(BASE_PATH)
        matched = match(request.method, path)
        operation = matched.operation if matched else None
        simulation = self._simulation
        entry = simulation.journal.open(
            at(simulation.clock.now()) or "",
            request.method,
            path,
            request.url.query,
            operation.id if operation else None,
        )
        fault = simulation.faults.draw(operation.id) if operation else None
        entry.authorized = self._authorized(request)
        try:
            await self._answer(request, wire, matched, fault, entry)
        except ClientDisconnect:
            entry.message = "The client went away."

    async def _answer(
        self, request: Request, wire: Wire, matched: Match | None, fault: Fault | None, entry: Entry
    ) -> None:
        entry.fault = fault.kind if fault else None
        if fault and fault.kind == "cut_before":
            return await wire.cut()
        if fault and fault.kind == "delay":
            await asyncio.sleep(fault.delay_seconds)
        if fault and fault.kind == "error_page":
            entry.status = 200
            await wire.drain()
            return await wire.send(200, ERROR_PAGE, self._date(), "text/html")
        reply = (fault and spoilt_before(fault)) or await self._reply(request, matched, entry.authorized)
        entry.finish(reply.status, reply.effect, reply.message)
        reply = self._dressed(reply)
        await wire.drain()
        return await (answer_spoilt(wire, reply, fault) if fault else wire.answer(reply))

    async def _reply(self, request: Request, matched: Match | None, authorized: bool) -> Reply:
        if not authorized:
            challenge = {"WWW-Authenticate": 'Basic realm="Eiger"'}
            return _refusal(401, "The access key or the secret key is wrong or missing.", challenge)
        if matched is None:
            return _refusal(404, "There is nothing at this address.")
        operation = matched.operation
        if operation is None:
            allow = {"Allow": ", ".join(matched.allowed)}
            return _refusal(405, f"{request.method} is not allowed here.", allow)
        try:
            return await self._operate(request, operation, matched.ids)
        except (Unfit, stl.NotStl) as error:
            return _refusal(400, str(error))
        except Refused as error:
            return _refusal(_status_of(error, operation), str(error))

    async def _operate(self, request: Request, operation: Operation, ids: Mapping[str, str]) -> Reply:
        call_ids = checked_ids(operation, ids)
        query = checked_query(operation, request.query_params.multi_items())
        if operation.id == UPLOAD:
            return await self._upload(request, operation)
        body = checked_body(operation, await _body(request, operation))
        return ANSWERS[operation.id](Call(operation, call_ids, query, body), self._simulation.views())

    async def _upload(self, request: Request, operation: Operation) -> Reply:
        """Store the file, measure it beside the event loop, and take it into the library."""
        target = self._simulation.next_upload()
        form = await read_form(request.headers.get("content-type", ""), request.stream(), target)
        try:
            stored = form.file
            if stored is None:
                raise Unfit(f"{FILE_FIELD} must be a file.")
            fields = checked_body(operation, {**form.fields, FILE_FIELD: stored.name})
            measured = await asyncio.to_thread(stl.measure, target)
            version = library.add_part(
                self._simulation.present(), stored, measured,
                preset_id=_optional(fields, "settingsPresetId"),
                user_id=_optional(fields, "userId"), folder_id=_optional(fields, "folderId"),
            )  # fmt: skip
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        made = {"slice_job_id": version.slice_job_id, "part_version_id": version.id}
        effect = {"made": "part_version", "id": version.id, "title": version.title, "sha256": stored.sha256}
        return Reply(201, made, effect=effect | {"slice_job": version.slice_job_id})

    def _authorized(self, request: Request) -> bool:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        try:
            given = b64decode(token.strip(), validate=True)
        except ValueError:
            return False
        keys = f"{self._simulation.options.access_key}:{self._simulation.options.secret_key}"
        return scheme.lower() == "basic" and hmac.compare_digest(given, keys.encode())

    def _dressed(self, reply: Reply) -> Reply:
        """Every reply tells the simulated time; every refusal has its reference."""
        headers = {**self._date(), **reply.headers}
        if reply.status >= 400:
            headers["X-Reference-ID"] = str(self._simulation.next_reference())
        return Reply(reply.status, reply.body, headers, reply.effect)

    def _date(self) -> dict[str, str]:
        return {"Date": format_datetime(self._simulation.clock.now(), usegmt=True)}


def _refusal(status: int, message: str, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(status, {"message": message}, headers or {})


def _status_of(error: Refused, operation: Operation) -> int:
    if isinstance(error, NotThere):
        return operation.not_found_status
    return 409 if isinstance(error, NotReady) else 400


def _optional(fields: Mapping[str, object], name: str) -> str | None:
    value = fields.get(name)
    return None if value is None else str(value)


async def _body(request: Request, operation: Operation) -> object:
    """Read the JSON body; None if there is none. Raises Unfit."""
    if operation.body is None:
        return None
    raw = await _bounded(request.stream())
    if not raw:
        return None
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type == FORM and operation.id in ALSO_FORM_ENCODED:
        return dict(parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True))
    if content_type != JSON:
        raise Unfit(f"Send {JSON}, not {content_type or 'a body without a content type'}.")
    try:
        value: object = json.loads(raw)
    except (ValueError, RecursionError):
        raise Unfit("The body is no JSON.") from None
    if value is None:
        raise Unfit("The body must be an object, not null.")
    return value


async def _bounded(body: AsyncIterator[bytes]) -> bytes:
    whole = bytearray()
    async for chunk in body:
        if len(whole) <= JSON_BYTES:
            whole += chunk
    if len(whole) > JSON_BYTES:
        raise Unfit(f"The body has more than {JSON_BYTES} bytes.")
    return bytes(whole)
