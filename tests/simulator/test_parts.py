"""From upload to build: slicing by the clock, builds made by Eiger or by a person, approvals."""

from collections.abc import Iterator

import pytest

from tests.simulator.caller import UNKNOWN_ID, Caller, binary, calling, cube, cube_facets
from workflow.simulator import SimulatorOptions


@pytest.fixture(scope="module")
def slow_server() -> Iterator[Caller]:
    options = SimulatorOptions(slice_seconds=100, build_delay_seconds=50)
    with calling(options) as caller:
        yield caller


@pytest.fixture
def slow(slow_server: Caller) -> Caller:
    """A simulator that slices for 100 s, on a clock that stops until it is advanced."""
    slow_server.control("POST", "reset")
    slow_server.control("POST", "clock", {"rate": 0})
    return slow_server


def status(eiger: Caller, part: dict[str, str]) -> str:
    return str(eiger.get(f"/parts/slice_status/{part['slice_job_id']}")["status"])


def titled(eiger: Caller, title: str) -> list[dict[str, object]]:
    items: list[dict[str, object]] = eiger.get("/builds", filter__title__eq=title)["items"]
    return items


def test_slicing_and_the_build_follow_the_clock(slow: Caller) -> None:
    part = slow.part(cube())
    seen = [status(slow, part)]
    for seconds in (10, 20, 60, 10):
        slow.advance(seconds)
        seen.append(status(slow, part))
    assert seen == ["REQUESTED", "QUEUED", "IN_PROGRESS", "IN_PROGRESS", "COMPLETED"]
    assert slow.get(f"/part_versions/{part['part_version_id']}")["sliced"] is True
    assert titled(slow, "bracket") == []
    slow.advance(50)
    (build,) = titled(slow, "bracket")
    detail = slow.get(f"/builds/{build['id']}")
    assert [version["id"] for version in detail["part_versions"]] == [part["part_version_id"]]
    assert detail["part_count"] == 1


def test_a_part_version_is_not_sliced_before_its_time(slow: Caller) -> None:
    part = slow.part(cube())
    assert slow.get(f"/part_versions/{part['part_version_id']}")["sliced"] is False


def test_a_slicing_can_be_canceled_and_then_no_build_comes(slow: Caller) -> None:
    part = slow.part(cube())
    slow.control("POST", "slices", {"slice_job_id": part["slice_job_id"], "status": "CANCELED"})
    slow.advance(1000)
    assert status(slow, part) == "CANCELED"
    assert titled(slow, "bracket") == []


def test_an_open_mesh_ends_as_error_without_a_build(eiger: Caller) -> None:
    part = eiger.part(binary(cube_facets()[1:]), "open.stl")
    assert status(eiger, part) == "ERROR"
    assert titled(eiger, "open") == []


def test_the_build_follows_the_mesh(eiger: Caller) -> None:
    build = eiger.get(f"/builds/{eiger.build(size_mm=20)}")
    assert build["ccs_primary_required"] == 8
    assert build["estimated_print_seconds"] == 300 + 8 * 200 + 250 * 8
    assert (build["ccs_secondary_required"], build["ccs_tertiary_required"]) == (None, None)
    assert build["sliced"] is True


@pytest.mark.parametrize(
    ("preset", "series", "primary", "secondary"),
    [
        ("Onyx", "Desktop Series", "Onyx", "None"),
        ("Onyx with carbon fiber", "Desktop Series", "Onyx", "Carbon Fiber"),
        ("17-4 PH", "Metal X", "17-4 PH", "None"),
        ("ULTEM 9085", "FX20", "ULTEM™ 9085 Filament", "None"),
    ],
)
def test_the_preset_decides_series_and_material(
    eiger: Caller, preset: str, series: str, primary: str, secondary: str
) -> None:
    build = eiger.get(f"/builds/{eiger.build(preset=preset)}")
    shown = (build["device_series"], build["primary_material"], build["secondary_material"])
    assert shown == (series, primary, secondary)


def test_without_a_preset_the_vendors_default_is_used(eiger: Caller) -> None:
    part = eiger.part(cube())
    assert eiger.get(f"/part_versions/{part['part_version_id']}")["primary_material"] == "Onyx"
    assert eiger.control("GET", "world")["part_versions"][0]["preset"] == "Vendor default"


def test_with_manual_builds_none_is_made() -> None:
    with calling(SimulatorOptions(slice_seconds=0, builds="manual")) as eiger:
        parts = [eiger.part(cube(), f"{name}.stl") for name in ("left", "right")]
        assert titled(eiger, "left") == []
        ids = [part["part_version_id"] for part in parts]
        alone = eiger.control("POST", "builds", {"part_version_id": ids[0]})
        both = eiger.control("POST", "builds", {"part_version_ids": ids, "title": "pair"})
        assert (alone["title"], alone["part_count"]) == ("left", 1)
        assert (both["title"], both["part_count"], both["ccs_primary_required"]) == ("pair", 2, 2)
        assert len(titled(eiger, "pair")) == 1


def test_a_part_knows_its_version(eiger: Caller) -> None:
    version = eiger.get(f"/part_versions/{eiger.part(cube())['part_version_id']}")
    part = eiger.get(f"/parts/{version['part_id']}")
    assert part["latest_partversion"] == version["id"]
    assert part["part_versions"] == [version["id"]]


@pytest.mark.parametrize(("place", "asked_for"), [("backlog", "backlog"), ("job-requests", "job_request")])
def test_a_build_sent_to_people_waits_backlogged(eiger: Caller, place: str, asked_for: str) -> None:
    build = eiger.build()
    job = eiger.made(f"/{place}/{build}", {"dueDate": "2026-12-24"})
    assert job["state"] == "Backlogged"
    (found,) = eiger.get("/print_jobs", filter__build__eq=build, filter__state__eq="Backlogged")["items"]
    assert (found["id"], found["device"], found["build"]["id"]) == (job["id"], None, build)
    (row,) = eiger.control("GET", "world")["print_jobs"]
    assert (row["asked_for"], row["due_date"]) == (asked_for, "2026-12-24")


def test_each_post_makes_a_job_of_its_own(eiger: Caller) -> None:
    build = eiger.build()
    assert eiger.made(f"/backlog/{build}")["id"] != eiger.made(f"/backlog/{build}", {})["id"]
    assert len(eiger.get("/print_jobs", filter__build__eq=build)["items"]) == 2


def test_an_unknown_build_is_400_where_the_contract_has_no_404(eiger: Caller) -> None:
    assert eiger.refusal("POST", f"/backlog/{UNKNOWN_ID}") == (400, f"No build has the id {UNKNOWN_ID}.")


def test_a_job_request_can_be_removed_once(eiger: Caller) -> None:
    build = eiger.build()
    eiger.made(f"/job-requests/{build}")
    eiger.made(f"/backlog/{build}")
    assert eiger.send("DELETE", f"/job-requests/{build}").status_code == 204
    (left,) = eiger.control("GET", "world")["print_jobs"]
    assert left["asked_for"] == "backlog"
    expected = (404, f"The build {build} is not in the job requests.")
    assert eiger.refusal("DELETE", f"/job-requests/{build}") == expected


def test_approvals_replace_one_another_and_can_be_switched_off(eiger: Caller) -> None:
    first, second = eiger.build("first.stl"), eiger.build("second.stl")
    assert eiger.call("GET", "/builds/approved").status_code == 204
    assert eiger.get(f"/builds/{first}")["approved"] is None
    assert eiger.send("PUT", "/builds/approved", {"builds": [first]}).status_code == 204
    assert eiger.send("PUT", "/builds/approved", {"builds": [second]}).status_code == 204
    assert [build["id"] for build in eiger.get("/builds/approved")["items"]] == [second]
    assert eiger.get(f"/builds/{first}")["approved"] is False
    assert [build["id"] for build in eiger.get("/builds", filter__approved__eq="true")["items"]] == [second]
    assert eiger.refusal("POST", f"/backlog/{first}") == (
        400,
        f"The build {first} is not approved for printing.",
    )
    assert eiger.send("DELETE", "/builds/approved").status_code == 204
    assert eiger.get(f"/builds/{first}")["approved"] is None
    assert eiger.get("/builds", filter__approved__eq="null")["items"]


def test_an_unknown_build_approves_nothing(eiger: Caller) -> None:
    build = eiger.build()
    assert eiger.refusal("PUT", "/builds/approved", {"builds": [build, UNKNOWN_ID]})[0] == 404
    assert eiger.call("GET", "/builds/approved").status_code == 204


def test_the_stl_can_be_downloaded_for_30_seconds(eiger: Caller) -> None:
    part = eiger.part(cube(12), "bracket.stl")
    url = eiger.get(f"/part_versions/{part['part_version_id']}/download")["url"]
    assert eiger.session.get(url, auth=("no", "keys")).content == cube(12)
    eiger.advance(31)
    late = eiger.session.get(url)
    assert (late.status_code, late.json()["message"]) == (
        403,
        "This link has expired or is not valid.",
    )


def test_a_link_works_for_its_own_target_only(eiger: Caller) -> None:
    first, second = (eiger.part(cube(), name)["part_version_id"] for name in ("a.stl", "b.stl"))
    url = eiger.get(f"/part_versions/{first}/download")["url"]
    assert eiger.session.get(url.replace(first, second)).status_code == 403
    assert eiger.session.get(url.split("?")[0]).status_code == 403


def test_previews_are_pictures(eiger: Caller) -> None:
    picture = eiger.session.get(eiger.get(f"/builds/{eiger.build()}")["preview_url"])
    assert picture.headers["content-type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("options", "units", "scale", "factor"),
    [
        (SimulatorOptions(slice_seconds=0), "mm", 1, 1.0),
        (SimulatorOptions(slice_seconds=0, units="in"), "in", 1, 25.4),
        (SimulatorOptions(slice_seconds=0, scale=25.4), "mm", 25.4, 25.4),
    ],
)
def test_units_and_scale_of_an_import(
    options: SimulatorOptions, units: str, scale: float, factor: float
) -> None:
    with calling(options) as eiger:
        settings = eiger.get(f"/part_versions/{eiger.part(cube())['part_version_id']}")["settings"]
        assert (settings["units"], settings["scale"]) == (units, scale)
        (build,) = titled(eiger, "bracket")
        assert build["ccs_primary_required"] == pytest.approx(factor**3, rel=1e-3)
