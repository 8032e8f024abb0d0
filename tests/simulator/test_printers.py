"""Devices, their queues and their prints, on a clock that stops until it is advanced."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.simulator.caller import UNKNOWN_ID, Caller, calling
from workflow.simulator import SimulatorOptions

CUBE_SECONDS = 300 + 8 * 100 + 250 * 1
OPERATOR_SECONDS = 300


@pytest.fixture
def shop(eiger: Caller) -> Caller:
    eiger.control("POST", "clock", {"rate": 0})
    return eiger


def read(shop: Caller, name: str) -> dict[str, Any]:
    device: dict[str, Any] = shop.get(f"/devices/{shop.device(name)['id']}")
    return device


def test_the_fleet_has_devices_of_many_kinds(shop: Caller) -> None:
    devices = shop.get("/devices")["items"]
    assert len(devices) == 9
    assert [device["name"] for device in devices] == sorted(device["name"] for device in devices)
    assert {device["device_series"] for device in devices} == {
        "Desktop Series", "Industrial Series", "FX20", "Metal X", "Sinter-1",
    }  # fmt: skip
    assert {"Ready", "Printing", "Offline", "Low on Material", "Print Bed Needs Clearing"} == {
        device["state"] for device in devices
    }


def test_an_offline_device_reports_no_materials(shop: Caller) -> None:
    assert not {"loaded_primary_material", "ccs_primary_remaining", "active_job"} & read(shop, "Dowel").keys()


def test_an_idle_device_has_no_active_job(shop: Caller) -> None:
    assert "active_job" not in read(shop, "Anvil")
    assert read(shop, "Anvil")["loaded_primary_material"] == "Onyx"


def test_a_device_read_alone_has_the_keys_of_the_list(shop: Caller) -> None:
    for device in shop.get("/devices")["items"]:
        assert shop.get(f"/devices/{device['id']}") == device


def test_a_longer_queue_has_a_longer_estimate(shop: Caller) -> None:
    anvil, build = shop.device("Anvil")["id"], shop.build()
    first = shop.made(f"/devices/{anvil}/queue", {"build": build})
    second = shop.made(f"/devices/{anvil}/queue", {"build": build})
    listed = shop.get(f"/devices/{anvil}/queue")
    assert [queued["id"] for queued in listed["queue"]] == [first["id"], second["id"]]
    assert listed["queue"][0]["build"]["id"] == build
    assert listed["device"]["queue_length"] == 2
    assert listed["device"]["queue_estimated_time_seconds"] == 2 * CUBE_SECONDS


def test_an_entry_can_be_removed_once(shop: Caller) -> None:
    anvil = shop.device("Anvil")["id"]
    queued = shop.made(f"/devices/{anvil}/queue", {"build": shop.build()})
    path = f"/devices/{anvil}/queue/{queued['id']}"
    assert shop.get(path)["state"] == "Queued"
    assert shop.send("DELETE", path).status_code == 204
    assert shop.get(path)["state"] == "Removed"
    assert shop.get(f"/devices/{anvil}/queue")["queue"] == []
    assert shop.refusal("DELETE", path) == (404, f"The queued job {queued['id']} no longer waits: Removed.")


def test_an_entry_is_in_one_queue_only(shop: Caller) -> None:
    anvil, other = shop.device("Anvil")["id"], shop.device("Bolt")["id"]
    queued = shop.made(f"/devices/{anvil}/queue", {"build": shop.build()})
    status, message = shop.refusal("GET", f"/devices/{other}/queue/{queued['id']}")
    assert (status, "is not in the queue of Mark Two - Bolt" in message) == (404, True)


@pytest.mark.parametrize("path", ["/devices/{}", "/devices/{}/queue"])
@pytest.mark.parametrize(
    ("device", "message"),
    [
        (
            "Flange",
            "The build is sliced for Desktop Series; X7 - Flange is in the Industrial Series.",
        ),
        ("Ingot", "The device Sinter-1 - Ingot is a furnace: it can't print."),
    ],
)
def test_a_device_that_cannot_print_it_refuses(shop: Caller, path: str, device: str, message: str) -> None:
    place = path.format(shop.device(device)["id"])
    assert shop.refusal("POST", place, {"build": shop.build()}) == (400, message)


def test_an_unknown_build_or_device_is_404(shop: Caller) -> None:
    anvil = shop.device("Anvil")["id"]
    unknown = (404, f"No build has the id {UNKNOWN_ID}.")
    assert shop.refusal("POST", f"/devices/{anvil}", {"build": UNKNOWN_ID}) == unknown
    assert shop.refusal("POST", f"/devices/{anvil}/queue", {"build": UNKNOWN_ID}) == unknown
    assert shop.refusal("POST", f"/devices/{UNKNOWN_ID}", {"build": shop.build()})[0] == 404


@pytest.mark.parametrize(
    ("device", "state"), [("Dowel", "Offline"), ("Cam", "Print Bed Needs Clearing"), ("Bolt", "Printing")]
)
def test_a_device_that_is_not_ready_answers_409(shop: Caller, device: str, state: str) -> None:
    found = shop.device(device)
    refused = shop.refusal("POST", f"/devices/{found['id']}", {"build": shop.build()})
    assert refused == (409, f"The device {found['name']} is not ready: {state}.")


def test_the_life_of_a_print(shop: Caller) -> None:
    anvil, build = shop.device("Anvil")["id"], shop.build()
    job = shop.made(f"/devices/{anvil}", {"build": build})
    assert shop.refusal("POST", f"/devices/{anvil}", {"build": build})[0] == 409
    device = read(shop, "Anvil")
    assert (device["state"], device["active_job"]["id"]) == ("Printing", job["id"])
    assert device["active_job"]["printing_state"] == "Downloading"
    assert device["active_job"]["current_layer"] is None
    shop.advance(100)
    assert read(shop, "Anvil")["active_job"]["printing_state"] == "Heating"

    shop.advance(CUBE_SECONDS / 2 - 100)
    active = read(shop, "Anvil")["active_job"]
    assert (active["printing_state"], active["progress"], active["layer_count"]) == ("Printing", 50, 100)
    assert 0 < active["current_layer"] < 100
    assert active["estimated_seconds_remaining"] == CUBE_SECONDS / 2
    assert read(shop, "Anvil")["ccs_primary_remaining"] == 612.5 - 0.5
    (printed,) = shop.get("/printed_parts", filter__state__eq="Printing")["items"][:1]
    assert shop.get(f"/print_jobs/{job['id']}")["progress"] == 50

    shop.advance(CUBE_SECONDS / 2)
    device = read(shop, "Anvil")
    assert (device["state"], "active_job" in device) == ("Print Finished", False)
    assert device["ccs_primary_remaining"] == 612.5 - 1
    ended = shop.get(f"/print_jobs/{job['id']}")
    assert (ended["state"], ended["printing_state"], ended["progress"]) == ("Completed", "Unknown", None)
    assert ended["ended_at"] is not None
    newest = shop.get("/printed_parts", filter__state__eq="Printed")["items"][0]
    assert newest["print_job"]["id"] == job["id"]
    assert printed["id"]

    shop.advance(OPERATOR_SECONDS)
    assert read(shop, "Anvil")["state"] == "Ready"


def test_a_printer_shows_its_job_after_the_chosen_time() -> None:
    with calling(SimulatorOptions(slice_seconds=0, take_seconds=60)) as slow:
        anvil = slow.device("Anvil")["id"]
        job = slow.made(f"/devices/{anvil}", {"build": slow.build()})
        slow.advance(30)
        assert "active_job" not in read(slow, "Anvil")
        slow.advance(30)
        assert read(slow, "Anvil")["active_job"]["id"] == job["id"]


def test_an_operator_works_through_a_queue(shop: Caller) -> None:
    anvil, build = shop.device("Anvil")["id"], shop.build()
    first, second = (shop.made(f"/devices/{anvil}/queue", {"build": build})["id"] for _ in range(2))
    shop.advance(OPERATOR_SECONDS - 1)
    assert read(shop, "Anvil")["state"] == "Ready"
    shop.advance(1)
    assert read(shop, "Anvil")["state"] == "Printing"
    assert shop.get(f"/devices/{anvil}/queue/{first}")["state"] == "Started"
    (waiting,) = shop.get(f"/devices/{anvil}/queue")["queue"]
    assert waiting["id"] == second
    job = shop.get("/print_jobs", filter__device__eq=anvil, filter__state__eq="Printing")["items"][0]
    assert job["queued_at"] is not None
    shop.advance(2 * (CUBE_SECONDS + OPERATOR_SECONDS))
    assert read(shop, "Anvil")["state"] == "Ready"
    assert read(shop, "Anvil")["queue_length"] == 0


def test_the_operator_can_be_sent(shop: Caller) -> None:
    cam = shop.device("Cam")
    assert shop.control("POST", "attend", {"device_id": cam["id"]})["state"] == "Ready"


def test_a_device_can_be_put_into_any_state(shop: Caller) -> None:
    anvil = shop.device("Anvil")["id"]
    shop.control("POST", "devices", {"device_id": anvil, "state": "Offline"})
    assert "loaded_primary_material" not in read(shop, "Anvil")
    assert shop.refusal("POST", f"/devices/{anvil}", {"build": shop.build()})[0] == 409


def test_the_operator_loads_what_the_next_print_needs(shop: Caller) -> None:
    cam, build = shop.device("Cam")["id"], shop.build()
    assert read(shop, "Cam")["loaded_primary_material"] == "Nylon White"
    shop.made(f"/devices/{cam}/queue", {"build": build})
    shop.control("POST", "attend", {"device_id": cam})
    device = read(shop, "Cam")
    assert (device["loaded_primary_material"], device["ccs_primary_remaining"]) == ("Onyx", 800)


def test_201_is_no_proof_of_a_print(shop: Caller) -> None:
    build = shop.build(preset="Nylon White")
    job = shop.made(f"/devices/{shop.device('Anvil')['id']}", {"build": build})
    assert shop.get(f"/print_jobs/{job['id']}")["state"] == "Failed"
    assert read(shop, "Anvil")["state"] == "Ready"


def test_scan_reports_are_made_some_time_after_the_request(shop: Caller) -> None:
    job = shop.made(f"/devices/{shop.device('Anvil')['id']}", {"build": shop.build()})
    shop.advance(CUBE_SECONDS + 1)
    path = f"/print_jobs/{job['id']}/scan_report"
    (report,) = shop.get(path)
    assert report["scan_report_url"] is None
    asking = f"/printed_parts/{report['printed_part_id']}/scan_report"
    assert shop.call("GET", asking).headers["Location"] == '{"scan_report_url":null}'
    shop.advance(60)
    (report,) = shop.get(path)
    assert report["scan_report_url"] in shop.call("GET", asking).headers["Location"]
    assert shop.session.get(report["scan_report_url"]).status_code == 200


def test_a_printed_part_can_be_read_alone(shop: Caller) -> None:
    printed = shop.get("/printed_parts")["items"][0]
    assert shop.get(f"/printed_parts/{printed['id']}") == printed


@pytest.fixture(scope="module")
def hasty() -> Iterator[Caller]:
    with calling(SimulatorOptions(slice_seconds=0, operator_seconds=0)) as caller:
        yield caller


def test_with_an_operator_at_hand_a_queue_starts_at_once(hasty: Caller) -> None:
    anvil = hasty.device("Anvil")["id"]
    hasty.made(f"/devices/{anvil}/queue", {"build": hasty.build()})
    assert read(hasty, "Anvil")["state"] == "Printing"
