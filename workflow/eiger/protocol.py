"""From responses to values or errors: what Eiger's answers mean, without any input or output.

Where the contract or the service leaves room, the reading is the one that can't lose or double work:

- 500 under /parts and /part_versions is "not found" by contract. A real fault looks the same, so it
  counts as not found only when the message says so; otherwise it is retried like any 5xx.
- 502 and 504 on an effect come from a gateway that lost sight of it: the outcome is unknown.
- A response that can't be read says nothing about the effect: the outcome is unknown.
- An error that is a web page comes from a proxy, a firewall or a front end, not from Eiger's API: neither an
  id nor the keys nor the file are at fault.
"""

import re
from contextlib import suppress
from datetime import datetime
from http import HTTPStatus
from typing import TypeVar

from pydantic import BaseModel, SecretStr, ValidationError

from workflow.eiger.exchange_limits import MAX_RESPONSE_BYTES
from workflow.eiger.models import ScanReport
from workflow.eiger.operations import Operation
from workflow.eiger.response import NoResponseReason, Response, extract_error_message, url_origin
from workflow.errors import (
    BadRequest,
    CloudError,
    Conflict,
    ContractBroken,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    ServerError,
    Unauthorized,
    Unreachable,
)

M = TypeVar("M", bound=BaseModel)
NOTHING_LOST = "Nothing is lost."
CHECK_EIGER_FIRST = "Eiger may or may not have done it: check there before sending it again."
_SAYS_NOT_FOUND = re.compile(
    r"(?i)not found|no such|(not|n.t) (exist|find|be found)|\bno [a-z ]{1,40} (has|with) (the|this|that) id\b"
)
_GATEWAY_ERRORS = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT})
_NOT_FOUND_STATUSES = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_SAME_FROM_ANYBODY = frozenset(
    {
        HTTPStatus.PROXY_AUTHENTICATION_REQUIRED,
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.TOO_MANY_REQUESTS,
    }
)
_ERROR_CLASSES: dict[int, type[CloudError]] = {
    HTTPStatus.UNAUTHORIZED: Unauthorized,
    HTTPStatus.FORBIDDEN: Unauthorized,
    HTTPStatus.PROXY_AUTHENTICATION_REQUIRED: Unreachable,
    HTTPStatus.REQUEST_TIMEOUT: Unreachable,
    HTTPStatus.CONFLICT: Conflict,
    HTTPStatus.TOO_MANY_REQUESTS: RateLimited,
}


def parse_response(operation: Operation, shape: type[M], response: Response, now: datetime) -> M:
    """Return the value in a response. Raises the CloudError that its status or content means."""
    raise_for_status(operation, response, now)
    try:
        return shape.model_validate_json(response.body, context=response.redact_body)
    except ValidationError as error:
        raise unreadable_response_error(operation, response, _first_validation_error(error)) from None


def parse_empty_response(operation: Operation, response: Response, now: datetime) -> None:
    """Raise CloudError unless the effect happened; the contract's status for that is 204."""
    raise_for_status(operation, response, now)
    if response.is_html:
        raise unreadable_response_error(operation, response, "")


def parse_scan_report(operation: Operation, response: Response, now: datetime) -> ScanReport:
    """Return the link to a report: the contract puts the whole answer into the Location header.

    A header can't carry the object that the contract describes, so the body is believed first, then
    a header with the object in it, then a header that is a plain link, redirect or not. Nobody
    follows it. Raises CloudError.
    """
    location = response.headers.get("location", "")
    if response.status >= HTTPStatus.BAD_REQUEST or not location:
        return parse_response(operation, ScanReport, response, now)
    for answer in (response.body, location.encode()):
        with suppress(ValidationError):
            return ScanReport.model_validate_json(answer, context=response.redact)
    return ScanReport(scan_report_url=SecretStr(location))


def raise_for_status(operation: Operation, response: Response, now: datetime) -> None:
    """Raise the error that the status means; a 2xx passes."""
    if HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES:
        return
    if response.status < HTTPStatus.BAD_REQUEST:
        raise _redirect_error(operation, response)
    kind = _error_class(operation, response)
    error = kind(
        _error_message(kind, operation, response),
        operation=operation.id,
        status=response.status,
        reference_id=response.reference_id,
        retry_after_seconds=response.retry_after_seconds(now),
    )
    if isinstance(error, OutcomeUnknown):
        error.timed_out = response.status == HTTPStatus.GATEWAY_TIMEOUT
    raise error


def unreadable_response_error(operation: Operation, response: Response, mistake: str) -> CloudError:
    """Return the error for a good status whose content the contract does not allow."""
    what = "a web page" if response.is_html else f"something that the contract does not allow{mistake}"
    text = f"{response.status}: Eiger answers {operation.id} with {what}."
    advice = f" {CHECK_EIGER_FIRST}" if not operation.reads else " Is STLFLOW_EIGER_URL right?"
    kind = ContractBroken if operation.reads else OutcomeUnknown
    return kind(
        text + advice, operation=operation.id, status=response.status, reference_id=response.reference_id
    )


def no_response_error(
    operation: Operation,
    lost: NoResponseReason,
    base_url: str,
    timeout_seconds: float,
    max_megabytes: float = MAX_RESPONSE_BYTES / 2**20,
) -> CloudError:
    """Return the error for a request that got no whole response."""
    not_connected = {
        NoResponseReason.NOT_TRUSTED: f"No safe connection to {base_url}: its certificate is not trusted. If "
        "a proxy of the company reads along, set STLFLOW_CA_BUNDLE to the file with its certificate.",
        NoResponseReason.PROXY: f"No connection to {base_url}: the proxy (setting proxy, or HTTPS_PROXY) "
        f"does not let us through. {NOTHING_LOST}",
        NoResponseReason.NO_CONNECTION: f"No connection to {base_url}: is the network up? {NOTHING_LOST}",
    }
    if lost in not_connected:
        return Unreachable(not_connected[lost], operation=operation.id)
    if lost is NoResponseReason.TOO_LARGE and operation.reads:
        text = (
            f"The answer to {operation.id} from {base_url} is larger than {max_megabytes:g} MB, "
            "and stlflow stops reading it."
        )
        return ContractBroken(text, operation=operation.id)
    what = (
        f"{timeout_seconds:g} s without a whole answer to {operation.id} from {base_url}."
        if lost is NoResponseReason.TIMED_OUT
        else f"The connection to {base_url} was cut during {operation.id}."
    )
    if operation.reads:
        return Unreachable(f"{what} {NOTHING_LOST}", operation=operation.id)
    error = OutcomeUnknown(f"{what} {CHECK_EIGER_FIRST}", operation=operation.id)
    error.timed_out = lost is NoResponseReason.TIMED_OUT
    return error


def _is_foreign_page(response: Response) -> bool:
    """True if not Eiger's API answers, but a proxy; some statuses mean the same from either."""
    return response.is_html and response.status not in _SAME_FROM_ANYBODY


def _error_class(operation: Operation, response: Response) -> type[CloudError]:
    if response.status in _NOT_FOUND_STATUSES:
        return ContractBroken if response.is_html else NotFound
    if response.status in _GATEWAY_ERRORS and not operation.reads:
        return OutcomeUnknown
    if (
        response.status == HTTPStatus.INTERNAL_SERVER_ERROR
        and operation.hides_not_found
        and _SAYS_NOT_FOUND.search(extract_error_message(response))
    ):
        return NotFound
    if response.status < HTTPStatus.INTERNAL_SERVER_ERROR and _is_foreign_page(response):
        return Unreachable
    rest = BadRequest if response.status < HTTPStatus.INTERNAL_SERVER_ERROR else ServerError
    return _ERROR_CLASSES.get(response.status, rest)


def _error_message(kind: type[CloudError], operation: Operation, response: Response) -> str:
    """Return the message: the status first, then what to do, then the service's own words."""
    if _is_foreign_page(response):
        return f"{response.status}: {_foreign_page_advice(kind, operation)}"
    said = extract_error_message(response)
    quoted = f" It says: {said}" if said else ""
    reference = f" (Eiger's reference {response.reference_id})" if response.reference_id else ""
    return f"{response.status}: {_error_advice(kind, operation, response.status)}{quoted}{reference}"


def _foreign_page_advice(kind: type[CloudError], operation: Operation) -> str:
    advice = {
        ContractBroken: "Is STLFLOW_EIGER_URL right?",
        OutcomeUnknown: CHECK_EIGER_FIRST,
        ServerError: "A proxy or Eiger's front end has a fault. stlflow tries again later.",
    }.get(kind, "A proxy or firewall blocks it. Have Eiger's address allowed there.")
    return f"A web page answers {operation.id}, not Eiger. {advice}"


def _error_advice(kind: type[CloudError], operation: Operation, status: int) -> str:
    if status == HTTPStatus.FORBIDDEN:
        return (
            f"Eiger does not allow {operation.id} with these access keys. The owner of the organization "
            "may have to ask Markforged for access to the API."
        )
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return (
            "The file is too large for Eiger. Export it with coarser tolerances; "
            "the vendor advises to stay under 20 MB."
        )
    sentences: dict[type[CloudError], str] = {
        Unauthorized: "Eiger refuses the access keys. Check STLFLOW_ACCESS_KEY and STLFLOW_SECRET_KEY.",
        NotFound: _not_found_advice(operation),
        Conflict: "The printer is not ready. Look at the machine, clear what it asks for, then try again.",
        RateLimited: "Too many requests for Eiger. stlflow slows down and continues by itself.",
        Unreachable: f"{operation.id} did not get through to Eiger. {NOTHING_LOST}",
        BadRequest: f"Eiger refuses {operation.id}.",
        OutcomeUnknown: f"Eiger lost sight of {operation.id}. {CHECK_EIGER_FIRST}",
    }
    return sentences.get(kind, f"Eiger has a fault of its own in {operation.id}. stlflow tries again later.")


def _not_found_advice(operation: Operation) -> str:
    if "{" in operation.path:
        return f"Eiger does not find what {operation.id} asks for. Was it deleted there?"
    return f"Nothing answers {operation.id} there. Does STLFLOW_EIGER_URL end with /api/v3?"


def _redirect_error(operation: Operation, response: Response) -> CloudError:
    """A redirect elsewhere never gets the keys; after an effect it may even mean that it was done."""
    where = url_origin(response.headers.get("location", ""))
    text = (
        f"{response.status}: {operation.id} is sent on to {where}, and the keys do not go there. Set "
        "STLFLOW_EIGER_URL to Eiger's own address: https://www.eiger.io/api/v3, with https and www."
    )
    kind = ContractBroken if operation.reads else OutcomeUnknown
    return kind(text, operation=operation.id, status=response.status, reference_id=response.reference_id)


def _first_validation_error(error: ValidationError) -> str:
    """Return which field is wrong, never its value: that may be a link or a name."""
    mistake = error.errors()[0]
    if mistake["type"] == "json_invalid":
        return " (it is not JSON)"
    place = ".".join(str(step) for step in mistake["loc"]) or "the whole"
    return f" ({place}: {mistake['msg']})"
