"""Requests that the API refuses, and how."""

import pytest

from tests.simulator.caller import UNKNOWN_ID, Caller

KEYS_WRONG = "The access key or the secret key is wrong or missing."


@pytest.mark.parametrize("keys", [None, ("demo", "wrong"), ("wrong", "demo"), ("", ""), ("demö", "demo")])
@pytest.mark.parametrize("path", ["/builds", "/parts/settings_presets", "/no/such/place"])
def test_without_the_right_keys_everything_is_401(
    eiger: Caller, keys: tuple[str, str] | None, path: str
) -> None:
    stranger = Caller(eiger.url, keys)
    with stranger.session:
        assert stranger.refusal("GET", path) == (401, KEYS_WRONG)
    assert eiger.control("GET", "journal")[-1]["authorized"] is False


@pytest.mark.parametrize(
    "header", ["Basic", "Basic !!!", "Bearer ZGVtbzpkZW1v", "Basic ZGVtbw==", "ZGVtbzpkZW1v"]
)
def test_odd_authorization_headers_are_401(eiger: Caller, header: str) -> None:
    stranger = Caller(eiger.url, keys=None)
    with stranger.session:
        reply = stranger.call("GET", "/users", headers={"Authorization": header})
    assert reply.status_code == 401
    assert reply.headers["WWW-Authenticate"] == 'Basic realm="Eiger"'


def test_an_upload_with_wrong_keys_is_refused_after_it_was_read(eiger: Caller) -> None:
    stranger = Caller(eiger.url, ("demo", "wrong"))
    with stranger.session:
        assert stranger.upload(b"x" * 2_000_000).json() == {"message": KEYS_WRONG}
    assert eiger.control("GET", "world")["parts"] == []


def test_an_unknown_path_is_404(eiger: Caller) -> None:
    assert eiger.refusal("GET", "/jobs") == (404, "There is nothing at this address.")


@pytest.mark.parametrize("path", ["/builds/%0A", "/builds/%C3%93V%0Ax", "/parts/a%2520b"])
def test_odd_paths_are_refused_the_contracts_way(eiger: Caller, path: str) -> None:
    assert eiger.refusal("GET", path)[0] == 400


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", "/builds", "GET"),
        ("POST", "/builds/approved", "GET, PUT, DELETE"),
        ("PUT", f"/devices/{UNKNOWN_ID}", "GET, POST"),
        ("PATCH", f"/devices/{UNKNOWN_ID}/queue", "GET, POST"),
        ("GET", "/parts/upload_stl", "POST"),
    ],
)
def test_a_wrong_method_is_405_with_the_allowed_ones(
    eiger: Caller, method: str, path: str, allow: str
) -> None:
    reply = eiger.call(method, path)
    assert (reply.status_code, reply.headers["Allow"]) == (405, allow)
    assert reply.json() == {"message": f"{method} is not allowed here."}


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/builds/42", "build_id must be a uuid, not '42'."),
        (f"/devices/{UNKNOWN_ID}/queue/42", "queued_job_id must be a uuid, not '42'."),
        ("/parts/slice_status/42", "slice_job_id must be a uuid, not '42'."),
    ],
)
def test_an_invalid_id_is_400(eiger: Caller, path: str, message: str) -> None:
    assert eiger.refusal("GET", path) == (400, message)


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("/builds/{}", 404, "build"),
        ("/devices/{}", 404, "device"),
        ("/devices/{}/queue", 404, "device"),
        ("/print_jobs/{}", 404, "print job"),
        ("/print_jobs/{}/scan_report", 404, "print job"),
        ("/printed_parts/{}", 404, "printed part"),
        ("/printed_parts/{}/scan_report", 404, "printed part"),
        ("/parts/{}", 500, "part"),
        ("/parts/slice_status/{}", 500, "slice job"),
        ("/part_versions/{}", 500, "part version"),
        ("/part_versions/{}/download", 500, "part version"),
    ],
)
def test_an_unknown_id_is_answered_as_the_contract_maps_it(
    eiger: Caller, path: str, status: int, kind: str
) -> None:
    assert eiger.refusal("GET", path.format(UNKNOWN_ID)) == (status, f"No {kind} has the id {UNKNOWN_ID}.")


@pytest.mark.parametrize(
    ("path", "query", "message"),
    [
        ("/builds", {"page__size": 1001}, "page[size] must be at most 1000, not 1001."),
        ("/builds", {"page__number": 0}, "page[number] must be at least 1, not 0."),
        ("/builds", {"sort__by": "name"}, "sort[by] must be one of created_at, title, not 'name'."),
        ("/builds", {"filter__sliced__eq": "yes"}, "filter[sliced][eq] must be true or false, not 'yes'."),
        (
            "/builds",
            {"filter__created_at__ge": "yesterday"},
            "filter[created_at][ge] must be a time like 2026-01-31T08:00:00Z, not 'yesterday'.",
        ),
        ("/builds", {"filter__name__eq": "x"}, "filter[name][eq] is not a parameter of listBuilds."),
        ("/print_jobs", {"filter__build__eq": "x"}, "filter[build][eq] must be a uuid, not 'x'."),
        (
            "/printed_parts",
            {"filter__notes__eq": "n" * 256},
            "filter[notes][eq] must have at most 255 characters, not 256.",
        ),
    ],
)
def test_parameters_that_do_not_fit_are_400(
    eiger: Caller, path: str, query: dict[str, str | int], message: str
) -> None:
    assert eiger.refusal("GET", path, **query) == (400, message)


@pytest.mark.parametrize(
    ("method", "path", "body", "message"),
    [
        (
            "POST",
            f"/backlog/{UNKNOWN_ID}",
            {"due_date": "2026-01-31"},
            "'due_date' is not a field here; there is dueDate.",
        ),
        (
            "POST",
            f"/job-requests/{UNKNOWN_ID}",
            {"dueDate": "31.01.2026"},
            "dueDate must be a date like 2026-01-31, not '31.01.2026'.",
        ),
        ("POST", f"/devices/{UNKNOWN_ID}", None, "build is missing."),
        ("POST", f"/devices/{UNKNOWN_ID}/queue", {"build": "x"}, "build must be a uuid, not 'x'."),
        ("PUT", "/builds/approved", {"builds": "x"}, "builds must be a list, not 'x'."),
        ("PUT", "/builds/approved", ["x"], "The body must be an object, not ['x']."),
    ],
)
def test_bodies_that_do_not_fit_are_400(
    eiger: Caller, method: str, path: str, body: object, message: str
) -> None:
    assert eiger.refusal(method, path, body) == (400, message)


@pytest.mark.parametrize(
    ("content_type", "body", "message"),
    [
        ("application/json", b"{", "The body is not JSON."),
        ("application/json", b"\xff", "The body is not JSON."),
        ("application/json", b"[" * 100_000, "The body is not JSON."),
        ("application/json", b"null", "The body must be an object, not null."),
        ("application/json", b" " * (1 << 20) + b"{}", "The body has more than 1048576 bytes."),
        ("text/plain", b"{}", "Send application/json, not text/plain."),
        ("application/x-www-form-urlencoded", b"dueDate=2026-01-31", "Send application/json, not applic"),
    ],
)
def test_a_body_that_is_not_json_is_400(eiger: Caller, content_type: str, body: bytes, message: str) -> None:
    reply = eiger.call("POST", f"/backlog/{UNKNOWN_ID}", data=body, headers={"Content-Type": content_type})
    assert reply.status_code == 400
    assert reply.json()["message"].startswith(message)


def test_every_reply_has_the_simulated_time(eiger: Caller) -> None:
    before = eiger.call("GET", "/users").headers["Date"]
    eiger.advance(86_400 * 365)
    after = eiger.call("GET", "/users").headers["Date"]
    assert before.endswith("GMT")
    assert int(after.split()[3]) >= int(before.split()[3]) + 1


def test_references_differ(eiger: Caller) -> None:
    seen = {eiger.call("GET", "/nowhere").headers["X-Reference-ID"] for _ in range(3)}
    assert len(seen) == 3


def test_one_connection_serves_refusals_and_answers_alike(eiger: Caller) -> None:
    for _ in range(3):
        assert eiger.refusal("POST", f"/devices/{UNKNOWN_ID}", {"build": 1})[0] == 400
        assert eiger.call("GET", "/users").status_code == 200
