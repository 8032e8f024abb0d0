"""The control plane: journal, world, clock, and what people do in Eiger."""

import json
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from tests.simulator.caller import UNKNOWN_ID, Caller, cube


def wrong(eiger: Caller, path: str, body: object) -> str:
    reply = eiger.session.post(f"{eiger.root}/_sim/{path}", json=body)
    assert reply.status_code == 400
    return str(reply.json()["message"])


def test_no_keys_are_needed(eiger: Caller) -> None:
    with Caller(eiger.url, keys=None).session as stranger:
        assert stranger.get(f"{eiger.root}/_sim/").json()["builds"] == "auto"


def test_the_journal_has_each_request_and_its_effect(eiger: Caller) -> None:
    build = eiger.build()
    job = eiger.made(f"/backlog/{build}", {"dueDate": "2026-12-24"})
    entries = eiger.control("GET", "journal")
    assert [entry["number"] for entry in entries] == list(range(1, len(entries) + 1))
    upload, sent = entries[1], entries[-1]
    assert upload["operation"] == "uploadStl"
    assert upload["effect"]["made"] == "part_version"
    assert upload["effect"]["title"] == "bracket"
    assert (sent["method"], sent["path"], sent["status"]) == ("POST", f"/backlog/{build}", 201)
    assert sent["authorized"] is True
    assert sent["effect"] == {
        "made": "print_job", "id": job["id"], "asked_for": "backlog", "build": build, "device": None,
    }  # fmt: skip


def test_the_journal_has_refusals(eiger: Caller) -> None:
    eiger.refusal("GET", "/builds/42")
    (entry,) = eiger.control("GET", "journal")
    assert (entry["status"], entry["effect"]) == (400, None)
    assert entry["message"] == "build_id must be a uuid, not '42'."


def test_the_journal_can_be_read_on_from_a_number(eiger: Caller) -> None:
    for _ in range(3):
        eiger.get("/users")
    assert [entry["number"] for entry in eiger.control("GET", "journal", since=1)] == [2, 3]
    assert eiger.control("GET", "journal", since=99) == []
    reply = eiger.session.get(f"{eiger.root}/_sim/journal", params={"since": "x"})
    assert reply.json() == {"message": "since must be the number of an entry, not 'x'."}


def test_the_journal_holds_no_keys(eiger: Caller) -> None:
    with Caller(eiger.url, ("sesame-access", "sesame-secret")).session as stranger:
        stranger.get(f"{eiger.url}/users")
    assert "sesame" not in json.dumps(eiger.control("GET", "journal"))


def test_control_requests_are_not_in_the_journal(eiger: Caller) -> None:
    eiger.control("GET", "world")
    assert eiger.control("GET", "journal") == []


def test_the_world_starts_empty_and_shows_everything_on_request(eiger: Caller) -> None:
    world, everything = eiger.control("GET", "world"), eiger.control("GET", "world", everything="true")
    for kind in ("parts", "part_versions", "builds", "print_jobs"):
        assert world[kind] == []
        assert everything[kind]
    assert not any(world["queues"].values())
    assert sum(len(queue) for queue in everything["queues"].values()) == 2
    assert all(user["email"].endswith("@example.com") for user in world["users"])


def test_the_world_shows_what_waits_where(eiger: Caller) -> None:
    anvil, build = eiger.device("Anvil")["id"], eiger.build()
    queued = eiger.made(f"/devices/{anvil}/queue", {"build": build})
    (row,) = eiger.control("GET", "world")["queues"][anvil]
    assert (row["id"], row["build_id"], row["state"]) == (queued["id"], build, "Queued")


def seen(eiger: Caller) -> list[Any]:
    eiger.build()
    return [eiger.get("/builds")["items"][-1]["id"], eiger.get("/devices")["items"][0]["id"]]


def test_a_reset_restores_the_start_with_the_same_ids(eiger: Caller) -> None:
    before = seen(eiger)
    eiger.fault("*", "status")
    eiger.control("POST", "reset")
    assert eiger.control("GET", "journal") == []
    assert eiger.control("GET", "faults") == []
    assert seen(eiger) == before


def test_the_clock_can_be_advanced(eiger: Caller) -> None:
    eiger.control("POST", "clock", {"rate": 0})
    before = eiger.control("GET", "")["now"]
    after = eiger.control("POST", "clock", {"advance_seconds": 3600})
    assert after["rate"] == 0
    passed = datetime.fromisoformat(after["now"]) - datetime.fromisoformat(before)
    assert passed == timedelta(hours=1)


@pytest.mark.parametrize("ahead", [600, -600])
def test_the_front_end_may_have_a_clock_of_its_own(eiger: Caller, ahead: int) -> None:
    eiger.control("POST", "clock", {"rate": 0, "date_ahead_seconds": ahead})
    now = datetime.fromisoformat(eiger.control("GET", "")["now"])
    told = parsedate_to_datetime(eiger.call("GET", "/builds").headers["Date"])
    assert (told - now.replace(microsecond=0)).total_seconds() == ahead


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("clock", {"advance_seconds": -1}, "The clock can't go back: advance_seconds must be 0 or more."),
        ("clock", {"rate": "fast"}, "rate must be a number."),
        ("clock", [], "The body must be an object."),
        ("clock", {"advance_seconds": 1e300}, "advance_seconds must be a number up to 1,000,000,000."),
        ("clock", {"rate": 1e300}, "rate must be a number up to 1,000,000,000."),
        ("faults", {"operation": [], "kind": "delay"}, "operation [] is none of the contract's, nor '*'."),
        ("faults", {"operation": "*", "kind": {}}, "kind {} is none of "),
        ("builds", {}, "part_version_ids must name at least one part version."),
        ("builds", {"part_version_id": UNKNOWN_ID}, f"No part version has the id {UNKNOWN_ID}."),
        ("slices", {"slice_job_id": UNKNOWN_ID}, f"No slice job has the id {UNKNOWN_ID}."),
        ("attend", {}, "No device has the id None."),
        ("devices", {"device_id": UNKNOWN_ID}, f"No device has the id {UNKNOWN_ID}."),
        ("faults", {"operation": "*"}, "kind is missing."),
        ("units", {"units": 5}, "units must be a word like mm, and scale must be above 0."),
        ("units", {"scale": -1}, "units must be a word like mm, and scale must be above 0."),
    ],
)
def test_a_wrong_control_request_is_400(eiger: Caller, path: str, body: object, message: str) -> None:
    assert wrong(eiger, path, body).startswith(message)
    assert eiger.get("/users")["items"]  # the clock still runs


@pytest.mark.parametrize("since", ["-1", "1.5", "²", "9" * 5000])
def test_a_number_that_no_entry_has_is_400(eiger: Caller, since: str) -> None:
    assert eiger.session.get(f"{eiger.root}/_sim/journal?since={since}", timeout=20).status_code == 400


def test_a_link_that_is_odd_or_outlived_its_file_is_refused(eiger: Caller) -> None:
    link = eiger.get(f"/part_versions/{eiger.part(cube())['part_version_id']}/download")["url"]
    odd = link.replace("expires=", "expires=" + "9" * 5000)
    assert eiger.session.get(odd, timeout=20).status_code == 403
    eiger.control("POST", "reset")
    assert eiger.session.get(link, timeout=20).status_code == 404


def test_preferred_units_apply_to_later_uploads(eiger: Caller) -> None:
    before = eiger.part(cube())["part_version_id"]
    assert eiger.control("POST", "units", {"units": "in"}) == {"units": "in", "scale": 1.0}
    after = eiger.part(cube())["part_version_id"]
    told = [eiger.get(f"/part_versions/{each}")["settings"]["units"] for each in (before, after)]
    assert told == ["mm", "in"]


def test_no_build_of_a_part_that_could_not_be_sliced(eiger: Caller) -> None:
    part = eiger.part(b"solid x\nendsolid x\n", "nothing.stl")
    message = wrong(eiger, "builds", {"part_version_id": part["part_version_id"]})
    assert message == "nothing is not sliced, so it can't be put into a build."


def test_a_slicing_that_has_ended_cannot_be_canceled(eiger: Caller) -> None:
    slicing = eiger.part(cube())["slice_job_id"]
    assert wrong(eiger, "slices", {"slice_job_id": slicing}) == "This slice job has already ended."
    message = wrong(eiger, "slices", {"slice_job_id": slicing, "status": "DONE"})
    assert message == "A slice job can be ended as CANCELED or ERROR."
