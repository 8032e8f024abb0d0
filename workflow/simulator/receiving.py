"""A request read and checked: who asks, and for what."""

import hmac
import json
from base64 import b64decode
from collections.abc import AsyncIterator, Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request

from workflow.simulator.call import Call
from workflow.simulator.contract_check import (
    ALSO_FORM_ENCODED,
    FORM,
    JSON,
    Operation,
    checked_body,
    checked_ids,
    checked_query,
)
from workflow.simulator.options import SimulatorOptions
from workflow.simulator.schema import Unfit

JSON_BYTES = 1 << 20


def is_authorized(request: Request, options: SimulatorOptions) -> bool:
    """Whether the request carries the right keys, as HTTP Basic."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    try:
        given = b64decode(token.strip(), validate=True)
    except ValueError:
        return False
    keys = f"{options.access_key}:{options.secret_key}"
    return scheme.lower() == "basic" and hmac.compare_digest(given, keys.encode())


async def read_call(request: Request, operation: Operation, ids: Mapping[str, str]) -> Call:
    """Read a request with a JSON body, or without one. Raises Unfit."""
    return Call(
        operation=operation,
        ids=checked_ids(operation, ids),
        query=checked_query(operation, request.query_params.multi_items()),
        body=checked_body(operation, await _body(request, operation)),
    )


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
