"""What every reply means: each class of error with the sentence that a person reads."""

import json
from datetime import UTC, datetime

import pytest

from tests.eiger.server import ID
from workflow.eiger.models import Build, ScanReport, SliceStatus
from workflow.eiger.operations import (
    DISABLE_APPROVED_BUILDS,
    GET_PRINTED_PART_SCAN_REPORT,
    GET_SLICE_STATUS,
    LIST_BUILDS,
    PRINT_TO_PRINTER,
    READ_BUILD,
    SEND_BUILD_TO_BACKLOG,
    UPLOAD_STL,
    Operation,
)
from workflow.eiger.protocol import (
    no_response_error,
    parse_empty_response,
    parse_response,
    parse_scan_report,
    raise_for_status,
)
from workflow.eiger.response import NoResponseReason, Response
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

NOW = datetime(2026, 8, 1, tzinfo=UTC)
BASE = "https://www.eiger.io/api/v3"
PAGE = b"<html><body>Sign in</body></html>"
LINK = "https://bucket.example/x?X-Amz-Signature=abc"


def reply(status: int, message: str = "", body: bytes | None = None, **headers: str) -> Response:
    content = json.dumps({"message": message}).encode() if body is None else body
    return Response(status, {name.replace("_", "-"): value for name, value in headers.items()}, content)


def refusal(operation: Operation, answer: Response) -> CloudError:
    with pytest.raises(CloudError) as caught:
        raise_for_status(operation, answer, NOW)
    return caught.value


@pytest.mark.parametrize(
    ("operation", "status", "kind", "sentence"),
    [
        (
            READ_BUILD,
            401,
            Unauthorized,
            "401: Eiger refuses the access keys. Check STLFLOW_ACCESS_KEY and STLFLOW_SECRET_KEY.",
        ),
        (
            READ_BUILD,
            403,
            Unauthorized,
            "403: Eiger does not allow readBuild with these access keys. The owner of the organization may "
            "have to ask Markforged for access to the API.",
        ),
        (READ_BUILD, 400, BadRequest, "400: Eiger refuses readBuild."),
        (
            LIST_BUILDS,
            404,
            NotFound,
            "404: Nothing answers listBuilds there. Does STLFLOW_EIGER_URL end with /api/v3?",
        ),
        (
            READ_BUILD,
            404,
            NotFound,
            "404: Eiger does not find what readBuild asks for. Was it deleted there?",
        ),
        (
            PRINT_TO_PRINTER,
            409,
            Conflict,
            "409: The printer is not ready. Look at the machine, clear what it asks for, then try again.",
        ),
        (
            UPLOAD_STL,
            413,
            BadRequest,
            "413: The file is too large for Eiger. Export it with coarser tolerances; the vendor advises to "
            "stay under 20 MB.",
        ),
        (
            READ_BUILD,
            429,
            RateLimited,
            "429: Too many requests for Eiger. stlflow slows down and continues by itself.",
        ),
        (
            READ_BUILD,
            408,
            Unreachable,
            "408: readBuild did not get through to Eiger. Nothing is lost.",
        ),
        (
            READ_BUILD,
            500,
            ServerError,
            "500: Eiger has a fault of its own in readBuild. stlflow tries again later.",
        ),
        (
            SEND_BUILD_TO_BACKLOG,
            503,
            ServerError,
            "503: Eiger has a fault of its own in sendBuildToBacklog. stlflow tries again later.",
        ),
        (
            READ_BUILD,
            504,
            ServerError,
            "504: Eiger has a fault of its own in readBuild. stlflow tries again later.",
        ),
    ],
)
def test_each_status_has_its_class_and_its_sentence(
    operation: Operation, status: int, kind: type[CloudError], sentence: str
) -> None:
    error = refusal(operation, reply(status, body=b""))
    assert type(error) is kind
    assert str(error) == sentence
    assert (error.status, error.operation) == (status, operation.id)


def test_an_error_says_what_the_service_says_and_its_number_for_support() -> None:
    error = refusal(READ_BUILD, reply(400, "No build\r\n here", x_reference_id="4711"))
    assert str(error) == "400: Eiger refuses readBuild. It says: No build here (Eiger's reference 4711)"
    assert error.reference_id == "4711"


def test_an_error_repeats_no_link() -> None:
    assert LINK not in str(refusal(READ_BUILD, reply(500, f"failed at {LINK}")))


def test_retry_after_comes_with_the_error() -> None:
    assert refusal(READ_BUILD, reply(429, retry_after="7")).retry_after_seconds == 7.0
    assert refusal(READ_BUILD, reply(503)).retry_after_seconds is None


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Part version not found", NotFound),
        ("resource Not Found", NotFound),
        ("No slice job has the id 1.", NotFound),
        ("The part does not exist", NotFound),
        ("Could not find part", NotFound),
        ("Internal server error", ServerError),
        ("An unknown error occurred", ServerError),
        ("no healthy upstream", ServerError),
        ("", ServerError),
    ],
)
def test_500_of_a_part_is_not_found_only_when_it_says_so(message: str, kind: type[CloudError]) -> None:
    """A real fault looks the same by contract, and giving up on it would lose the submission."""
    assert type(refusal(GET_SLICE_STATUS, reply(500, message))) is kind


def test_500_elsewhere_is_a_fault_whatever_it_says() -> None:
    assert type(refusal(READ_BUILD, reply(500, "Build not found"))) is ServerError


@pytest.mark.parametrize(("status", "timed_out"), [(502, False), (504, True)])
def test_a_gateway_that_lost_sight_of_an_effect_leaves_the_outcome_unknown(
    status: int, timed_out: bool
) -> None:
    error = refusal(SEND_BUILD_TO_BACKLOG, reply(status, body=PAGE))
    assert isinstance(error, OutcomeUnknown)
    assert error.timed_out is timed_out
    assert str(error) == (
        f"{status}: A web page answers sendBuildToBacklog, not Eiger. Eiger may or may not have done it: "
        "check there before sending it again."
    )
    assert "Eiger lost sight of sendBuildToBacklog." in str(refusal(SEND_BUILD_TO_BACKLOG, reply(status)))


BLOCKED = (
    "A web page answers readBuild, not Eiger. A proxy or firewall blocks it. "
    "Have Eiger's address allowed there."
)


@pytest.mark.parametrize("status", [400, 401, 403, 405, 409, 418, 451])
def test_a_block_page_of_a_proxy_is_reported_as_that(status: int) -> None:
    """Not as missing rights, and no file is held for it."""
    error = refusal(READ_BUILD, reply(status, body=PAGE))
    assert type(error) is Unreachable
    assert str(error) == f"{status}: {BLOCKED}"
    assert error.can_retry


@pytest.mark.parametrize("status", [500, 503, 520])
def test_a_fault_with_a_web_page_is_reported_as_that(status: int) -> None:
    error = refusal(READ_BUILD, reply(status, body=PAGE))
    assert type(error) is ServerError
    assert str(error) == (
        f"{status}: A web page answers readBuild, not Eiger. A proxy or Eiger's front end has a fault. "
        "stlflow tries again later."
    )


@pytest.mark.parametrize(
    ("status", "kind"), [(407, Unreachable), (408, Unreachable), (413, BadRequest), (429, RateLimited)]
)
def test_what_a_front_end_may_say_for_eiger_keeps_its_meaning(status: int, kind: type[CloudError]) -> None:
    error = refusal(UPLOAD_STL, reply(status, body=PAGE))
    assert type(error) is kind
    assert "web page" not in str(error)


@pytest.mark.parametrize("operation", [SEND_BUILD_TO_BACKLOG, PRINT_TO_PRINTER, UPLOAD_STL])
def test_429_means_that_nothing_was_done(operation: Operation) -> None:
    for body in (b"", PAGE):
        error = refusal(operation, reply(429, body=body, retry_after="9"))
        assert type(error) is RateLimited
        assert error.retry_after_seconds == 9.0


@pytest.mark.parametrize("status", [501, 503, 505, 599])
def test_only_500_can_mean_not_found(status: int) -> None:
    assert type(refusal(GET_SLICE_STATUS, reply(status, "Slice job not found"))) is ServerError


def test_404_with_a_web_page_is_no_word_of_eiger() -> None:
    error = refusal(READ_BUILD, reply(404, body=PAGE))
    assert type(error) is ContractBroken
    assert str(error) == "404: A web page answers readBuild, not Eiger. Is STLFLOW_EIGER_URL right?"


def test_a_redirect_is_refused_with_the_way_out() -> None:
    error = refusal(LIST_BUILDS, reply(301, location="https://www.eiger.io/api/v3/builds?key=x"))
    assert type(error) is ContractBroken
    assert str(error) == (
        "301: listBuilds is sent on to https://www.eiger.io, and the keys do not go there. Set "
        "STLFLOW_EIGER_URL to Eiger's own address: https://www.eiger.io/api/v3, with https and www."
    )


def test_a_redirect_after_an_effect_may_mean_that_it_was_done() -> None:
    assert type(refusal(SEND_BUILD_TO_BACKLOG, reply(303, location="/x"))) is OutcomeUnknown


def test_an_answer_is_read() -> None:
    assert (
        parse_response(GET_SLICE_STATUS, SliceStatus, reply(200, body=b'{"status": "QUEUED"}'), NOW).status
        == "QUEUED"
    )


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (PAGE, "200: Eiger answers readBuild with a web page. Is STLFLOW_EIGER_URL right?"),
        (
            b'{"id": ',
            "200: Eiger answers readBuild with something that the contract does not allow (it is not JSON). "
            "Is STLFLOW_EIGER_URL right?",
        ),
        (
            b"[]",
            "200: Eiger answers readBuild with something that the contract does not allow (the whole: Input "
            "should be an object). Is STLFLOW_EIGER_URL right?",
        ),
        (
            json.dumps({"id": ID, "title": LINK, "part_count": "many", "sliced": True}).encode(),
            "200: Eiger answers readBuild with something that the contract does not allow (part_count: Input "
            "should be a valid integer, unable to parse string as an integer). Is STLFLOW_EIGER_URL right?",
        ),
    ],
)
def test_an_answer_that_the_contract_does_not_allow(body: bytes, sentence: str) -> None:
    with pytest.raises(ContractBroken) as caught:
        parse_response(READ_BUILD, Build, reply(200, body=body), NOW)
    assert str(caught.value) == sentence


def test_an_unreadable_answer_to_an_effect_tells_nothing_about_the_effect() -> None:
    with pytest.raises(OutcomeUnknown) as caught:
        parse_response(UPLOAD_STL, Build, reply(201, body=PAGE), NOW)
    assert str(caught.value) == (
        "201: Eiger answers uploadStl with a web page. Eiger may or may not have done it: check there before "
        "sending it again."
    )
    assert not caught.value.timed_out


def test_an_effect_without_content() -> None:
    parse_empty_response(DISABLE_APPROVED_BUILDS, reply(204, body=b""), NOW)
    with pytest.raises(OutcomeUnknown, match="with a web page"):
        parse_empty_response(DISABLE_APPROVED_BUILDS, reply(200, body=PAGE), NOW)


@pytest.mark.parametrize(
    ("answer", "link"),
    [
        (reply(200, body=json.dumps({"scan_report_url": LINK}).encode()), LINK),
        (reply(200, body=b'{"scan_report_url": null}'), None),
        (reply(200, body=b"", location=json.dumps({"scan_report_url": LINK})), LINK),
        (reply(200, body=b"", location='{"scan_report_url": null}'), None),
        (reply(200, body=b"", location=LINK), LINK),
        (reply(302, body=b"", location=LINK), LINK),
    ],
)
def test_a_scan_report_wherever_the_service_puts_it(answer: Response, link: str | None) -> None:
    report = parse_scan_report(GET_PRINTED_PART_SCAN_REPORT, answer, NOW)
    assert isinstance(report, ScanReport)
    found = report.scan_report_url
    assert (found.get_secret_value() if found else None) == link


def test_a_scan_report_that_is_refused() -> None:
    for status, kind in ((400, BadRequest), (404, NotFound)):
        with pytest.raises(kind):
            parse_scan_report(GET_PRINTED_PART_SCAN_REPORT, reply(status, location=LINK), NOW)
    with pytest.raises(ContractBroken):
        parse_scan_report(GET_PRINTED_PART_SCAN_REPORT, reply(200, body=b""), NOW)


@pytest.mark.parametrize(
    ("operation", "lost", "kind", "sentence"),
    [
        (
            SEND_BUILD_TO_BACKLOG,
            NoResponseReason.NO_CONNECTION,
            Unreachable,
            f"No connection to {BASE}: is the network up? Nothing is lost.",
        ),
        (
            READ_BUILD,
            NoResponseReason.NOT_TRUSTED,
            Unreachable,
            f"No safe connection to {BASE}: its certificate is not trusted. If a proxy of the company reads "
            "along, set STLFLOW_CA_BUNDLE to the file with its certificate.",
        ),
        (
            SEND_BUILD_TO_BACKLOG,
            NoResponseReason.PROXY,
            Unreachable,
            f"No connection to {BASE}: the proxy (setting proxy, or HTTPS_PROXY) does not let us through. "
            "Nothing is lost.",
        ),
        (
            READ_BUILD,
            NoResponseReason.TIMED_OUT,
            Unreachable,
            f"30 s without a whole answer to readBuild from {BASE}. Nothing is lost.",
        ),
        (
            READ_BUILD,
            NoResponseReason.CUT,
            Unreachable,
            f"The connection to {BASE} was cut during readBuild. Nothing is lost.",
        ),
        (
            UPLOAD_STL,
            NoResponseReason.TIMED_OUT,
            OutcomeUnknown,
            f"30 s without a whole answer to uploadStl from {BASE}. Eiger may or may not have done it: check "
            "there before sending it again.",
        ),
        (
            UPLOAD_STL,
            NoResponseReason.CUT,
            OutcomeUnknown,
            f"The connection to {BASE} was cut during uploadStl. Eiger may or may not have done it: check "
            "there before sending it again.",
        ),
        (
            READ_BUILD,
            NoResponseReason.TOO_LARGE,
            ContractBroken,
            f"The answer to readBuild from {BASE} is larger than 16 MB, and stlflow stops reading it.",
        ),
        (
            UPLOAD_STL,
            NoResponseReason.TOO_LARGE,
            OutcomeUnknown,
            f"The connection to {BASE} was cut during uploadStl. Eiger may or may not have done it: check "
            "there before sending it again.",
        ),
    ],
)
def test_no_reply_has_its_class_and_its_sentence(
    operation: Operation, lost: NoResponseReason, kind: type[CloudError], sentence: str
) -> None:
    error = no_response_error(operation, lost, BASE, 30.0)
    assert type(error) is kind
    assert str(error) == sentence
    assert error.status is None
    if isinstance(error, OutcomeUnknown):
        assert error.timed_out is (lost is NoResponseReason.TIMED_OUT)


@pytest.mark.parametrize("operation", [READ_BUILD, GET_SLICE_STATUS, SEND_BUILD_TO_BACKLOG, UPLOAD_STL])
def test_no_status_goes_without_an_error(operation: Operation) -> None:
    for status in range(300, 600):
        error = refusal(operation, reply(status, "x"))
        assert str(error).startswith(f"{status}: ")
        assert not (operation.reads and isinstance(error, OutcomeUnknown))
