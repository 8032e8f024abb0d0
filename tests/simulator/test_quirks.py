"""Behavior of the real service beyond the contract, each by its name."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.simulator.caller import Caller, calling, cube
from workflow.simulator import QUIRKS, REALISTIC_QUIRKS, SimulatorOptions


def quirky(*names: str) -> SimulatorOptions:
    return SimulatorOptions(slice_seconds=0, quirks=frozenset(names))


def test_open_enums() -> None:
    with calling(quirky("open-enums")) as eiger:
        assert eiger.device("FX10")["device_series"] == "FX10"
        assert eiger.device("Ingot")["device_type"] == "Sinter-1"


def test_without_it_every_enum_is_closed(eiger: Caller) -> None:
    assert not any("FX10" in device["name"] for device in eiger.get("/devices")["items"])
    assert eiger.device("Ingot")["device_type"] == "Unknown"


def test_stale_printing() -> None:
    with calling(quirky("stale-printing")) as eiger:
        printing = eiger.get("/print_jobs", filter__state__eq="Printing", page_size=100)["items"]
        active = {
            device["active_job"]["id"] for device in eiger.get("/devices")["items"] if "active_job" in device
        }
        stale = [job for job in printing if job["id"] not in active]
        assert len(stale) == 42
        assert all(job["ended_at"] is None for job in stale)
        began = sorted(datetime.fromisoformat(job["created_at"]) for job in stale)
        assert timedelta(days=110) < began[-1] - began[0] < timedelta(days=125)
        assert len({job["device"]["id"] for job in stale}) > 2


def test_null_device() -> None:
    with calling(quirky("null-device")) as eiger:
        bolt = eiger.device("Bolt")["id"]
        (job,) = eiger.get("/print_jobs", filter__device__eq=bolt)["items"]
        assert (job["state"], job["device"]) == ("Printing", None)


def test_progress_on_device_only() -> None:
    with calling(quirky("progress-on-device-only")) as eiger:
        active = eiger.device("Bolt")["active_job"]
        job = eiger.get(f"/print_jobs/{active['id']}")
        assert active["progress"] > 0
        assert [job[name] for name in ("progress", "current_layer", "layer_count")] == [None, None, None]


def test_extra_fields() -> None:
    with calling(quirky("extra-fields")) as eiger:
        job = eiger.get("/print_jobs")["items"][0]
        assert job["initiator"]["email"].endswith("@example.com")
        assert "ccs_fiber_required" in job["build"]
        assert "maintenance_status" in eiger.device("Anvil")


def test_costs_are_whole_and_ultem_needs_support() -> None:
    with calling(quirky("extra-fields")) as eiger:
        builds = {build["title"]: build for build in eiger.get("/builds")["items"]}
        elbow, guide = builds["duct elbow"], builds["cable guide"]
        assert elbow["ccs_tertiary_required"] > elbow["ccs_primary_required"]
        assert [title for title in builds if builds[title]["ccs_tertiary_required"]] == ["duct elbow"]
        costs = guide["standard_costs"]
        assert list(costs) == ["primary", "secondary", "tertiary", "fiber", "total"]
        assert costs["total"] == pytest.approx(costs["primary"] + costs["fiber"])
        assert guide["ccs_fiber_required"] > 0


def test_only_plastic_printers_report_maintenance() -> None:
    with calling(quirky("extra-fields", "open-enums")) as eiger:
        devices = eiger.get("/devices")["items"]
        without = {device["name"] for device in devices if "maintenance_status" not in device}
        assert without == {"Metal X - Hammer", "Sinter-1 - Ingot"}
        (nozzle,) = eiger.device("Anvil")["maintenance_status"]
        assert list(nozzle.values()) == ["Plastic Nozzle", "Up to Date", 99]


def test_past_jobs() -> None:
    with calling(quirky("past-jobs", "extra-fields")) as eiger:
        since = (datetime.now(UTC) - timedelta(days=91)).strftime("%Y-%m-%dT%H:%M:%SZ")
        ended = eiger.get("/print_jobs", filter__ended_at__ge=since, page__size=1000)["items"]
        states = {"Completed": 128, "Canceled": 46, "Failed": 19, "Unknown": 2}
        assert Counter(job["state"] for job in ended) == states
        assert Counter(job["source"] for job in ended) == {"Eiger": 162, "Device": 33}
        assert sum(job["queued_at"] is None for job in ended) == 118
        assert {job["printing_state"] for job in ended} == {"Unknown"}
        assert {job["initiator"] is None for job in ended if job["source"] == "Device"} == {True}
        ultem = [job["build"]["ccs_tertiary_required"] for job in ended].count(252.0)
        assert (ultem, len(ended)) == (27, 195)
        assert all(job["created_at"] < job["ended_at"] < utc_now() for job in ended)


def test_print_jobs_are_listed_by_the_time_they_were_made_however_they_came_to_be() -> None:
    with calling(quirky("past-jobs", "stale-printing")) as eiger:
        asked = str(eiger.made(f"/job-requests/{eiger.build()}", {})["id"])
        eiger.made(f"/devices/{eiger.device('Bolt')['id']}/queue", {"build": eiger.build()})
        eiger.made(f"/backlog/{eiger.build()}", {})
        eiger.control("POST", "start", {"print_job_id": asked, "device_id": eiger.device("Anvil")["id"]})
        for query in ({}, {"filter__device__eq": eiger.device("Anvil")["id"]}):
            created = [
                job["created_at"] for job in eiger.get("/print_jobs", page__size=1000, **query)["items"]
            ]
            assert created == sorted(created, reverse=True)
        latest = eiger.get("/print_jobs", page__size=100)["items"]
        assert Counter(job["state"] for job in latest)["Printing"] > 10


def utc_now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_a_deaf_printer() -> None:
    with calling(quirky("deaf-printer")) as eiger:
        anvil = eiger.device("Anvil")["id"]
        job = eiger.made(f"/devices/{anvil}", {"build": eiger.build()})
        eiger.advance(86_400)
        assert "active_job" not in eiger.get(f"/devices/{anvil}")
        assert eiger.get(f"/print_jobs/{job['id']}")["state"] == "Printing"


def test_other_titles() -> None:
    with calling(quirky("other-titles")) as eiger:
        version_id = eiger.part(cube())["part_version_id"]
        newest = eiger.get("/builds", sort__order="desc", page__size=1)["items"][0]
        build = eiger.get(f"/builds/{newest['id']}")
        assert [version["id"] for version in build["part_versions"]] == [version_id]
        assert build["title"] != build["part_versions"][0]["title"] == "bracket"


def test_one_part() -> None:
    with calling(quirky("one-part")) as eiger:
        versions = [
            eiger.get(f"/part_versions/{eiger.part(cube(), name)['part_version_id']}")
            for name in ("a.stl", "b.stl")
        ]
        assert [version["version_number"] for version in versions] == [1, 2]
        assert {version["title"] for version in versions} == {"a"}
        part = eiger.get(f"/parts/{versions[1]['part_id']}")
        assert part["part_versions"] == [version["id"] for version in versions]
        assert part["latest_partversion"] == versions[1]["id"]


def test_no_units() -> None:
    with calling(quirky("no-units")) as eiger:
        assert "settings" not in eiger.get(f"/part_versions/{eiger.part(cube())['part_version_id']}")


def test_the_realistic_quirks_were_seen() -> None:
    never_seen = {
        "deaf-printer", "other-titles", "one-part", "no-units", "queue-keeps-id", "request-makes-job",
    }  # fmt: skip
    assert set(QUIRKS) - REALISTIC_QUIRKS == never_seen


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"quirks": frozenset({"loud"})}, "No quirk 'loud'; there are deaf-printer, extra-fields"),
        ({"builds": "never"}, "builds is auto or manual, not 'never'"),
        ({"slice_seconds": -1.0}, "Seconds are 0 or more"),
        ({"scale": 0.0}, "The scale is above 0"),
        ({"slice_seconds": float("nan")}, "Seconds are 0 or more"),
        ({"operator_seconds": float("inf")}, "Seconds are 0 or more"),
        ({"scale": float("inf")}, "The scale is above 0"),
    ],
)
def test_options_that_do_not_exist(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SimulatorOptions(**options)


def test_options_do_not_show_their_keys() -> None:
    assert "sesame" not in repr(SimulatorOptions(access_key="sesame", secret_key="sesame"))
