"""Injected faults: what a client sees, and the effect all the same."""

import socket
import time
from collections import Counter

import pytest
import requests

from tests.simulator.caller import Caller, cube
from tests.waiting import until
from workflow.simulator.faults import FAULT_KINDS, Fault, FaultInjector, InvalidFault, parse_fault


def jobs(eiger: Caller) -> int:
    return len(eiger.control("GET", "world")["print_jobs"])


@pytest.mark.parametrize(
    ("kind", "error", "effects"),
    [
        ("cut_before", requests.ConnectionError, 0),
        ("cut_after", requests.ConnectionError, 1),
        ("truncated", requests.exceptions.ChunkedEncodingError, 1),
    ],
)
def test_connections_that_are_cut(eiger: Caller, kind: str, error: type[Exception], effects: int) -> None:
    build = eiger.build()
    eiger.fault("sendBuildToBacklog", kind)
    with pytest.raises(error):
        eiger.send("POST", f"/backlog/{build}")
    assert jobs(eiger) == effects
    assert eiger.made(f"/backlog/{build}")["state"] == "Backlogged"
    entry = eiger.control("GET", "journal")[-2]
    assert entry["fault"] == kind
    assert (entry["effect"] is not None) == bool(effects)
    assert entry["status"] == (201 if effects else None)


def test_a_cut_during_an_upload(eiger: Caller) -> None:
    eiger.fault("uploadStl", "cut_before")
    with pytest.raises(requests.ConnectionError):
        eiger.upload(b"x" * 5_000_000)
    assert eiger.control("GET", "world")["parts"] == []


def test_a_status_with_retry_after(eiger: Caller) -> None:
    build = eiger.build()
    eiger.fault("*", "status", status=429, retry_after_seconds=2.5)
    reply = eiger.send("POST", f"/backlog/{build}")
    assert (reply.status_code, reply.headers["Retry-After"]) == (429, "2.5")
    assert reply.json() == {"message": "Fault on order: 429."}
    assert jobs(eiger) == 0


@pytest.mark.parametrize(
    ("kind", "content_type", "body", "effects"),
    [
        ("not_json", "application/json", '{"items": [{"id": <', 1),
        ("wrong_type", "text/plain; charset=utf-8", '{"id":', 1),
        ("error_page", "text/html", "<!DOCTYPE html>", 0),
    ],
)
def test_bodies_that_are_not_the_contracts(
    eiger: Caller, kind: str, content_type: str, body: str, effects: int
) -> None:
    build = eiger.build()
    eiger.fault("sendBuildToBacklog", kind)
    reply = eiger.send("POST", f"/backlog/{build}")
    assert reply.headers["Content-Type"] == content_type
    assert reply.text.startswith(body)
    assert reply.status_code == (201 if effects else 200)
    assert jobs(eiger) == effects


@pytest.mark.parametrize("kind", ["delay", "slow"])
def test_replies_that_take_their_time_are_whole(eiger: Caller, kind: str) -> None:
    whole = eiger.get("/users")
    eiger.fault("listUsers", kind, delay_seconds=0.1)
    began = time.monotonic()
    assert eiger.get("/users") == whole
    assert time.monotonic() - began >= 0.1


def test_an_effect_comes_after_the_client_has_left(eiger: Caller) -> None:
    build = eiger.build()
    eiger.fault("sendBuildToBacklog", "late_effect", delay_seconds=600)
    with pytest.raises(requests.Timeout):
        eiger.call("POST", f"/backlog/{build}", json={}, timeout=0.3)
    assert jobs(eiger) == 0
    eiger.advance(600)
    assert until(lambda: jobs(eiger) == 1)
    (entry,) = (each for each in eiger.control("GET", "journal") if each["fault"])
    assert (entry["fault"], entry["effect"]["asked_for"]) == ("late_effect", "backlog")


def test_an_upload_arrives_after_the_client_has_left(eiger: Caller) -> None:
    eiger.fault("uploadStl", "late_effect", delay_seconds=600)
    with pytest.raises(requests.Timeout):
        eiger.call("POST", "/parts/upload_stl", files={"stlFile": ("late.stl", cube())}, timeout=0.3)
    assert eiger.control("GET", "world")["part_versions"] == []
    eiger.advance(600)
    assert until(lambda: bool(eiger.control("GET", "world")["part_versions"]))


def test_a_late_effect_is_answered_if_the_client_waits(eiger: Caller) -> None:
    build = eiger.build()
    eiger.control("POST", "clock", {"rate": 100})
    eiger.fault("sendBuildToBacklog", "late_effect", delay_seconds=10)
    assert eiger.made(f"/backlog/{build}")["state"] == "Backlogged"


def test_a_head_that_trickles_is_whole_in_the_end(eiger: Caller) -> None:
    whole = eiger.get("/users")
    eiger.fault("listUsers", "trickled_headers", delay_seconds=0.2)
    began = time.monotonic()
    assert eiger.get("/users") == whole
    assert time.monotonic() - began >= 0.2
    assert eiger.get("/users") == whole


def test_continues_come_until_the_client_leaves(eiger: Caller) -> None:
    build = eiger.build()
    eiger.fault("sendBuildToBacklog", "endless_continue")
    host, port = eiger.root.removeprefix("http://").split(":")
    request = f"POST /api/v3/backlog/{build} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(request.encode())
        received = b""
        while received.count(b"HTTP/1.1 100 Continue") < 5:
            received += connection.recv(1000)
    assert b" 200 " not in received
    assert jobs(eiger) == 0


def test_a_list_never_ends(eiger: Caller) -> None:
    eiger.fault("listUsers", "endless_list", times=None)
    first, far = (eiger.get("/users", page__size=2, page__number=number) for number in (1, 1000))
    assert first == far
    assert first["has_more_items"] is True
    assert len(first["items"]) == 2


def test_a_204_can_be_spoiled(eiger: Caller) -> None:
    eiger.fault("disableApprovedBuilds", "not_json")
    eiger.fault("disableApprovedBuilds", "wrong_type")
    assert eiger.send("DELETE", "/builds/approved").text.startswith('{"items"')
    assert eiger.send("DELETE", "/builds/approved").status_code == 204
    eiger.fault("disableApprovedBuilds", "truncated")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        eiger.send("DELETE", "/builds/approved")


def test_a_fault_applies_to_its_operation_a_number_of_times(eiger: Caller) -> None:
    eiger.fault("listUsers", "status", times=2)
    codes = [eiger.call("GET", path).status_code for path in ("/builds", "/users", "/users", "/users")]
    assert codes == [200, 503, 503, 200]
    assert eiger.control("GET", "faults")[0]["hits"] == 2


def test_faults_can_be_removed(eiger: Caller) -> None:
    eiger.fault("*", "status", times=None)
    assert eiger.control("DELETE", "faults") == []
    assert eiger.call("GET", "/users").status_code == 200


def test_the_same_seed_gives_the_same_faults() -> None:
    drawn = []
    for seed in (1, 1, 2):
        faults = FaultInjector(seed)
        faults.add_faults([Fault("*", "status", times=None, probability=0.5)])
        drawn.append([faults.draw("listUsers") is not None for _ in range(100)])
    assert drawn[0] == drawn[1] != drawn[2]
    assert 30 < Counter(drawn[0])[True] < 70


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ([], "A fault is an object with an operation and a kind."),
        ({"operation": "*"}, "kind is missing."),
        (
            {"operation": "jobs", "kind": "slow"},
            "operation 'jobs' is none of the contract's, nor '*'.",
        ),
        ({"operation": "*", "kind": "fire"}, f"kind 'fire' is none of {', '.join(FAULT_KINDS)}."),
        (
            {"operation": "*", "kind": "slow", "seconds": 1},
            "'seconds' is not a field of a fault; there is delay_seconds, kind, operation, probability, "
            "retry_after_seconds, status, times.",
        ),
        (
            {"operation": "*", "kind": "status", "status": 200},
            "status must be a whole number of at least 400 and at most 599.",
        ),
        (
            {"operation": "*", "kind": "slow", "times": 1.5},
            "times must be a whole number of at least 1 and at most inf.",
        ),
        (
            {"operation": "*", "kind": "slow", "probability": "often"},
            "probability must be a number of at least 0 and at most 1.",
        ),
    ],
)
def test_invalid_faults_are_refused(order: object, message: str) -> None:
    with pytest.raises(InvalidFault) as refused:
        parse_fault(order)
    assert str(refused.value) == message
