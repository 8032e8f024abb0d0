"""The API's edge: from a request on the socket to its reply, by the contract.

Order of refusals: fault on order, 401, unknown path, 405, 400, then what the world says.
"""

from collections.abc import Mapping
from dataclasses import replace
from email.utils import format_datetime

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from workflow.simulator.answer_upload import UPLOAD, upload_stl
from workflow.simulator.contract_check import Match, Operation, match
from workflow.simulator.faults import Fault
from workflow.simulator.journal import Entry
from workflow.simulator.receiving import is_authorized, read_call
from workflow.simulator.responses import ANSWERS
from workflow.simulator.schema import Unfit
from workflow.simulator.simulation import Simulation
from workflow.simulator.views import at
from workflow.simulator.wire import Reply, Wire, answer_spoilt, spoilt_before
from workflow.simulator.world import NotReady, NotThere, Refused

BASE_PATH = "/api/v3"


class Api:
    """An ASGI application that answers for one simulation."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or spoil it as a fault wants, and write it down."""
        simulation = self._simulation
        wire = Wire(receive, send, simulation.pause)
        request = Request(scope, wire.receive)
        path = str(scope["path"]).removeprefix(BASE_PATH)
        matched = match(request.method, path)
        operation = matched.operation if matched else None
        operation_id = operation.id if operation else None
        now = at(simulation.clock.now()) or ""
        entry = simulation.journal.open(now, request.method, path, request.url.query, operation_id)
        entry.authorized = is_authorized(request, simulation.options)
        fault = simulation.faults.draw(operation_id) if operation_id else None
        try:
            await self._answer(request, wire, matched, fault, entry)
        except ClientDisconnect:
            entry.message = "The client went away."

    async def _answer(
        self, request: Request, wire: Wire, matched: Match | None, fault: Fault | None, entry: Entry
    ) -> None:
        if fault:
            entry.fault = fault.kind
            if fault.kind == "cut_before":
                return await wire.cut()
            if fault.kind == "delay":
                await wire.pause(fault.delay_seconds)
        reply = spoilt_before(fault) or await self._reply(request, matched, entry.authorized)
        entry.finish(reply.status, reply.effect, reply.message)
        await wire.drain()
        return await answer_spoilt(wire, self._dressed(reply), fault)

    async def _reply(self, request: Request, matched: Match | None, authorized: bool) -> Reply:
        if not authorized:
            challenge = {"WWW-Authenticate": 'Basic realm="Eiger"'}
            return _refusal(401, "The access key or the secret key is wrong or missing.", challenge)
        if matched is None:
            return _refusal(404, "There is nothing at this address.")
        if matched.operation is None:
            allow = {"Allow": ", ".join(matched.allowed)}
            return _refusal(405, f"{request.method} is not allowed here.", allow)
        try:
            return await self._operate(request, matched.operation, matched.ids)
        except Unfit as error:
            return _refusal(400, str(error))
        except Refused as error:
            return _refusal(_status_of(error, matched.operation), str(error))

    async def _operate(self, request: Request, operation: Operation, ids: Mapping[str, str]) -> Reply:
        if operation.id == UPLOAD:
            return await upload_stl(request, operation, self._simulation)
        call = await read_call(request, operation, ids)
        return ANSWERS[operation.id](call, self._simulation.views())

    def _dressed(self, reply: Reply) -> Reply:
        """Every reply tells the simulated time; every refusal has its reference."""
        headers = {"Date": format_datetime(self._simulation.clock.date(), usegmt=True), **reply.headers}
        if reply.status >= 400:
            headers["X-Reference-ID"] = str(self._simulation.next_reference())
        return replace(reply, headers=headers)


def _refusal(status: int, message: str, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(status, {"message": message}, headers or {})


def _status_of(error: Refused, operation: Operation) -> int:
    if isinstance(error, NotThere):
        return operation.not_found_status
    return 409 if isinstance(error, NotReady) else 400
