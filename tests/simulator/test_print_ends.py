"""Prints that end in other ways than by their time, and builds that an operator starts."""

from typing import Any

import pytest

from tests.simulator.caller import Caller, calling
from workflow.simulator import SimulatorOptions

CUBE_SECONDS = 300 + 8 * 100 + 250 * 1


def shop_with(*quirks: str) -> SimulatorOptions:
    return SimulatorOptions(slice_seconds=0, quirks=frozenset(quirks), operator_seconds=0)


def printing(shop: Caller) -> str:
    """Start a print on Anvil; return its job."""
    job = shop.made(f"/devices/{shop.device('Anvil')['id']}", {"build": shop.build()})
    return str(job["id"])


def job_of(shop: Caller, job_id: str) -> dict[str, Any]:
    job: dict[str, Any] = shop.get(f"/print_jobs/{job_id}")
    return job


@pytest.mark.parametrize("state", ["Failed", "Canceled", "Unknown"])
def test_a_print_ends_as_it_is_told(state: str) -> None:
    with calling(shop_with()) as shop:
        shop.control("POST", "clock", {"rate": 0})
        job = printing(shop)
        shop.control("POST", "prints", {"print_job_id": job, "state": state})
        assert "active_job" not in shop.get(f"/devices/{shop.device('Anvil')['id']}")
        shop.control("POST", "clock", {"advance_seconds": 2 * CUBE_SECONDS})
        assert job_of(shop, job)["state"] == state
        assert job_of(shop, job)["ended_at"] is not None


def test_a_job_that_was_canceled_before_the_printer_took_it_stays_canceled() -> None:
    with calling(SimulatorOptions(slice_seconds=0, take_seconds=60, operator_seconds=600)) as shop:
        shop.control("POST", "clock", {"rate": 0})
        job = printing(shop)
        shop.control("POST", "prints", {"print_job_id": job, "state": "Canceled"})
        shop.control("POST", "clock", {"advance_seconds": 120})
        assert "active_job" not in shop.get(f"/devices/{shop.device('Anvil')['id']}")
        assert job_of(shop, job)["started_at"] is None


def test_a_printer_that_went_offline_takes_its_job_when_it_is_back() -> None:
    with calling(SimulatorOptions(slice_seconds=0, take_seconds=60)) as shop:
        shop.control("POST", "clock", {"rate": 0})
        job, anvil = printing(shop), shop.device("Anvil")["id"]
        shop.control("POST", "devices", {"device_id": anvil, "state": "Offline"})
        shop.control("POST", "clock", {"advance_seconds": 120})
        assert shop.device("Anvil")["state"] == "Offline"
        shop.control("POST", "devices", {"device_id": anvil, "state": "Ready"})
        shop.control("POST", "clock", {"advance_seconds": 60})
        assert shop.get(f"/devices/{anvil}")["active_job"]["id"] == job


def test_a_queue_goes_on_after_its_printer_was_away() -> None:
    with calling(SimulatorOptions(slice_seconds=0, operator_seconds=60)) as shop:
        shop.control("POST", "clock", {"rate": 0})
        anvil, build = shop.device("Anvil")["id"], shop.build()
        shop.control("POST", "devices", {"device_id": anvil, "state": "Offline"})
        shop.made(f"/devices/{anvil}/queue", {"build": build})
        shop.control("POST", "clock", {"advance_seconds": 120})
        shop.control("POST", "devices", {"device_id": anvil, "state": "Ready"})
        shop.control("POST", "clock", {"advance_seconds": 60})
        assert shop.device("Anvil")["state"] == "Printing"


def test_a_queue_goes_on_after_a_print_that_failed_at_once() -> None:
    with calling(SimulatorOptions(slice_seconds=0, take_seconds=100, operator_seconds=60)) as shop:
        shop.control("POST", "clock", {"rate": 0})
        anvil = shop.device("Anvil")["id"]
        shop.made(f"/devices/{anvil}", {"build": shop.build(preset="Nylon White")})
        shop.made(f"/devices/{anvil}/queue", {"build": shop.build()})
        shop.control("POST", "clock", {"advance_seconds": 160})
        assert shop.device("Anvil")["state"] == "Printing"


def test_an_end_that_eiger_never_hears_of() -> None:
    with calling(shop_with()) as shop:
        shop.control("POST", "clock", {"rate": 0})
        job = printing(shop)
        shop.control("POST", "prints", {"print_job_id": job, "state": "Printing"})
        shop.control("POST", "clock", {"advance_seconds": 2 * CUBE_SECONDS})
        assert (job_of(shop, job)["state"], job_of(shop, job)["ended_at"]) == ("Printing", None)
        assert shop.device("Anvil")["state"] == "Ready"


def test_a_machine_that_is_offline_reports_the_end_when_it_is_back() -> None:
    with calling(shop_with()) as shop:
        shop.control("POST", "clock", {"rate": 0})
        job, anvil = printing(shop), shop.device("Anvil")["id"]
        shop.control("POST", "devices", {"device_id": anvil, "state": "Offline"})
        assert "active_job" not in shop.get(f"/devices/{anvil}")
        shop.control("POST", "clock", {"advance_seconds": 3 * CUBE_SECONDS})
        assert job_of(shop, job)["ended_at"] is None
        shop.control("POST", "devices", {"device_id": anvil, "state": "Printing"})
        shop.control("POST", "clock", {"advance_seconds": 60})
        ended = job_of(shop, job)
        assert ended["state"] == "Completed"
        assert ended["ended_at"] < ended["updated_at"]


@pytest.mark.parametrize("quirk", ["request-makes-job", "extra-fields"])
def test_an_operator_starts_a_job_request(quirk: str) -> None:
    with calling(shop_with(quirk)) as shop:
        shop.control("POST", "clock", {"rate": 0})
        asked = str(shop.made(f"/job-requests/{shop.build()}", {})["id"])
        anvil = shop.device("Anvil")["id"]
        started = shop.control("POST", "start", {"print_job_id": asked, "device_id": anvil})
        active = shop.get(f"/devices/{anvil}")["active_job"]
        assert active["id"] == started["id"]
        assert (active["id"] == asked) is (quirk != "request-makes-job")
        found = shop.get(f"/print_jobs?filter[device][eq]={anvil}")["items"]
        assert [job["id"] for job in found] == [active["id"]]


def test_a_job_request_is_taken_away() -> None:
    with calling(shop_with()) as shop:
        asked = str(shop.made(f"/job-requests/{shop.build()}", {})["id"])
        shop.control("POST", "prints", {"print_job_id": asked, "state": "Removed"})
        assert asked not in {job["id"] for job in shop.get("/print_jobs")["items"]}


def test_a_started_entry_of_a_queue_may_keep_its_id() -> None:
    with calling(shop_with("queue-keeps-id")) as shop:
        anvil = shop.device("Anvil")["id"]
        queued = shop.made(f"/devices/{anvil}/queue", {"build": shop.build()})
        shop.control("POST", "attend", {"device_id": anvil})
        assert shop.get(f"/devices/{anvil}")["active_job"]["id"] == queued["id"]


def test_progress_moves_once_per_layer() -> None:
    with calling(shop_with("progress-per-layer")) as shop:
        shop.control("POST", "clock", {"rate": 0})
        printing(shop)
        seen = []
        for _ in range(12):
            shop.control("POST", "clock", {"advance_seconds": 10})
            active = shop.get(f"/devices/{shop.device('Anvil')['id']}")["active_job"]
            seen.append((active["progress"], active["current_layer"]))
        shop.control("POST", "clock", {"advance_seconds": 240})
        before = shop.get(f"/devices/{shop.device('Anvil')['id']}")["active_job"]
        shop.control("POST", "clock", {"advance_seconds": 1})
        after = shop.get(f"/devices/{shop.device('Anvil')['id']}")["active_job"]
        assert {percent for percent, layer in seen if layer is None} == {0}
        assert before["current_layer"] is not None
        assert before["progress"] > 0
        assert (after["progress"] == before["progress"]) is (
            after["current_layer"] == before["current_layer"]
        )


def test_a_machine_may_be_missing_in_the_list() -> None:
    with calling(shop_with()) as shop:
        anvil = shop.device("Anvil")
        shop.control("POST", "devices", {"device_id": anvil["id"], "state": "Ready", "listed": False})
        assert anvil["id"] not in {device["id"] for device in shop.get("/devices")["items"]}
