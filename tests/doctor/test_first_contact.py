"""The first contact: what is learnt from a simulated Eiger is how that one was set up."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import SecretStr

from tests.cloud import Cloud, simulated
from workflow.doctor.first_contact import (
    Observation,
    check_filters,
    follow_up_settings,
    observe_account,
    observed_document,
)
from workflow.doctor.first_upload import Pace, cube_stl, observe_upload
from workflow.eiger import EigerClient, RateLimiter
from workflow.mesh import MeshPolicy
from workflow.mesh.inspection import inspect_mesh
from workflow.settings import load_settings
from workflow.simulator import REALISTIC_QUIRKS, SimulatorOptions, options_like, running_simulator


def client_of(url: str, *, reads_only: bool = False) -> EigerClient:
    key = SecretStr("demo")
    return EigerClient(url, key, key, budget=RateLimiter(1000), reads_only=reads_only)


def turned(cloud: Cloud, limit_seconds: float = 60) -> Pace:
    """Return a pace by the simulator's clock, which a wait puts forward."""
    return Pace(limit_seconds, clock=lambda: simulated_seconds(cloud), sleep=cloud.advance)


def simulated_seconds(cloud: Cloud) -> float:
    return datetime.fromisoformat(cloud.world()["now"].replace("Z", "+00:00")).timestamp()


def learnt(client: EigerClient, pace: Pace | None = None) -> dict[str, object]:
    seen: list[Observation] = list(observe_account(client))
    if pace is not None:
        seen += observe_upload(client, None, pace)
    assert all(each.says.strip() for each in seen)
    return observed_document(seen, "2026-11-28T22:00:00+00:00")


def test_reading_alone_changes_nothing() -> None:
    with simulated(quirks=REALISTIC_QUIRKS) as cloud, client_of(cloud.url, reads_only=True) as client:
        document = learnt(client)
        assert {entry["method"] for entry in cloud.journal()} == {"GET"}
    assert document["filters"] == {"title": True, "created_from": True, "created_before": True, "order": True}
    assert document["unlisted_types"] == ["Sinter-1"]
    assert cast(dict[str, int], document["print_jobs"])["stale"] > 0
    assert "builds" not in document
    assert "@" not in json.dumps(document)  # no address of a person


@pytest.mark.parametrize(
    "options",
    [
        SimulatorOptions(slice_seconds=20, build_delay_seconds=6),
        SimulatorOptions(builds="manual", slice_seconds=4),
        SimulatorOptions(slice_seconds=4, quirks=frozenset({"other-titles", "no-units"})),
        SimulatorOptions(slice_seconds=4, units="in", scale=25.4, date_ahead_seconds=90),
    ],
    ids=["auto", "manual", "other titles, no units", "inches, clock ahead"],
)
def test_a_simulator_like_the_observed_one_behaves_like_it(options: SimulatorOptions, tmp_path: Path) -> None:
    with running_simulator(options) as url, client_of(url) as client:
        document = learnt(client, turned(Cloud(url)))
    file = tmp_path / "observed.json"
    file.write_text(json.dumps(document), "utf-8")
    like = options_like(file)
    again = SimulatorOptions(**cast(dict[str, Any], like))
    assert (again.builds, again.scale) == (options.builds, options.scale)
    assert again.units == options.units or "no-units" in options.quirks
    assert again.quirks >= options.quirks
    assert again.slice_seconds == pytest.approx(options.slice_seconds, abs=4)
    assert again.date_ahead_seconds == pytest.approx(options.date_ahead_seconds, abs=2)
    if options.builds == "auto":
        assert again.build_delay_seconds == pytest.approx(options.build_delay_seconds, abs=4)


def test_a_refused_read_is_said_and_the_rest_goes_on() -> None:
    with simulated() as cloud, client_of(cloud.url, reads_only=True) as client:
        cloud.fault("listUsers", "status", times=9, status=403)
        document = learnt(client)
    assert document["users"] is None
    assert document["approvals"] is False


def test_filters_that_are_ignored_are_found() -> None:
    """The simulator obeys its filters; a list of builds that is not the newest shows what is then said."""
    with simulated() as cloud, client_of(cloud.url) as client:
        listed = list(client.list_builds(order="desc"))
        stranger = listed[0].model_copy(update={"id": "not-in-the-list"})
        assert check_filters(client, [stranger, *listed[1:]])["title"] is False
        older = listed[0].model_copy(update={"created_at": datetime(2020, 1, 1, tzinfo=UTC)})
        assert check_filters(client, [older, listed[0]])["order"] is False


def test_the_settings_that_follow_can_be_loaded() -> None:
    assert follow_up_settings({"units": "mm", "scale": 1.0, "builds": "auto", "build_delay_seconds": 2}) == {}
    wanted = follow_up_settings({"units": "in", "scale": 1.0, "builds": "auto", "build_delay_seconds": 200})
    assert wanted == {"accepted_units": "in", "build_wait_seconds": 1000}
    assert load_settings(**wanted).accepted_units == "in"
    assert follow_up_settings({"builds": "manual"}) == {"build_wait_seconds": 0}


def test_the_cube_is_printable(tmp_path: Path) -> None:
    file = tmp_path / "cube.stl"
    file.write_bytes(cube_stl())
    report = inspect_mesh(file, "cube.stl", MeshPolicy())
    assert (report.verdict, report.watertight, report.size_mm) == ("accept", True, (20.0, 20.0, 20.0))
    assert report.volume_cm3 == pytest.approx(8.0)
    assert report.area_cm2 == pytest.approx(24.0)
