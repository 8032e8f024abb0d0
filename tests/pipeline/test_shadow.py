"""Shadow mode: real drops, rules and reads; not one writing call, not one moved file."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cloud import Cloud, simulated
from tests.pipeline.conftest import QUICK, shared_inspector
from tests.stl import box, open_box
from tests.waiting import until
from workflow.assembly import running_service
from workflow.eiger import EigerClient, make_client
from workflow.ledger import Ledger
from workflow.model import Submission, SubmissionState
from workflow.pipeline.service import Service
from workflow.pipeline.shadow_report import Agreement, ShadowRow, compare_with_own_jobs
from workflow.routing import load_rules
from workflow.settings import Settings, load_settings, shadow_settings

FAULTS = (("*", "status"), ("*", "cut_before"), ("*", "truncated"), ("*", "not_json"), ("*", "error_page"))


def shadowed(folder: Path, cloud: Cloud, **changes: object) -> Settings:
    """Return the settings of a shop in shadow mode, whose inbox is there."""
    inbox = folder / "share" / "inbox"
    inbox.mkdir(parents=True, exist_ok=True)
    settings = load_settings(
        share=inbox.parent,
        state=folder / "state",
        eiger_url=cloud.url,
        access_key="demo",
        secret_key="demo",
        **{**QUICK, **changes},
    )
    return shadow_settings(settings)


@contextmanager
def watching(settings: Settings) -> Iterator[Service]:
    with running_service(settings, shared_inspector=shared_inspector(), shadow=True) as service:
        yield service


def drop(settings: Settings, path: str, content: bytes) -> Path:
    place = (settings.read_only_inbox or Path()) / path
    place.parent.mkdir(parents=True, exist_ok=True)
    unfinished = place.with_suffix(".part")
    unfinished.write_bytes(content)
    return unfinished.rename(place)


def ended(ledger: Ledger, count: int) -> bool:
    seen = ledger.all()
    return len(seen) == count and all(each.step is None for each in seen)


def by_path(ledger: Ledger) -> dict[str, Submission]:
    return {each.path: each for each in ledger.all()}


def writing_calls(cloud: Cloud) -> int:
    return sum(entry["method"] != "GET" for entry in cloud.journal())


def rows(service: Service, settings: Settings, client: EigerClient) -> dict[str, ShadowRow]:
    rulebook = load_rules(settings.rules or Path())
    return {row.path: row for row in compare_with_own_jobs(service.ledger, client, rulebook, settings.zone)}


def send_by_hand(client: EigerClient, cloud: Cloud, name: str, preset: str, device: str = "") -> None:
    """Do what an operator does: upload, slice, send to a printer or to the job requests."""
    preset_id = next(each.id for each in client.get_org_settings_presets() if each.title == preset)
    made = client.upload_stl(io.BytesIO(box()), name, settings_preset_id=preset_id)
    assert until(lambda: client.get_slice_status(made.slice_job_id).completed)
    build = next(
        each["id"] for each in cloud.world()["builds"] if made.part_version_id in each["part_version_ids"]
    )
    if device:
        client.append_to_device_queue(cloud.device(device)["id"], build)
    else:
        client.send_build_to_job_request_queue(build)


def test_what_was_dropped_is_forecast_beside_what_the_shop_printed(tmp_path: Path) -> None:
    with simulated() as cloud:
        settings = shadowed(tmp_path, cloud)
        with watching(settings) as service, make_client(settings) as operator:
            places = {
                drop(settings, path, content): content
                for path, content in (
                    ("bracket.stl", box(21)),
                    ("metal/nozzle.stl", box(22)),
                    ("rush/hinge.stl", box(23)),
                    ("rush/lever.stl", box(24)),
                    ("open.stl", open_box(25)),
                    ("alone.stl", box(26)),
                )
            }
            assert until(lambda: ended(service.ledger, 6)), by_path(service.ledger)
            assert writing_calls(cloud) == 0
            seen = by_path(service.ledger)
            assert seen["bracket.stl"].state is SubmissionState.CANCELED
            assert seen["open.stl"].state is SubmissionState.HELD

            send_by_hand(operator, cloud, "bracket.stl", "Onyx")
            send_by_hand(operator, cloud, "nozzle.stl", "Onyx")
            send_by_hand(operator, cloud, "open.stl", "Onyx")
            devices = service.ledger.decisions.read(seen["rush/hinge.stl"].id)["routing"].devices or ()
            soonest = rows(service, settings, operator)["rush/hinge.stl"].forecast
            assert soonest.is_open
            assert "build.print_hours" in soonest.text
            names = [each.name for each in devices if each.series == "Desktop Series"]
            send_by_hand(operator, cloud, "hinge.stl", "Onyx", names[0])
            chosen = rows(service, settings, operator)["rush/hinge.stl"].forecast.device
            other = next(name for name in names if name != chosen)
            send_by_hand(operator, cloud, "lever.stl", "Onyx", other)
            report = rows(service, settings, operator)
        assert all(place.read_bytes() == content for place, content in places.items())
        assert sorted(each.name for each in settings.state.parents[1].parent.iterdir()) == ["share", "state"]
        assert sorted(each.name for each in (tmp_path / "share").iterdir()) == ["inbox"]

    assert report["bracket.stl"].agreement is Agreement.AGREED
    assert report["metal/nozzle.stl"].why == "preset 17-4 PH; the shop's build is of Onyx"
    assert report["open.stl"].agreement is Agreement.DIFFERED
    assert report["open.stl"].why.startswith("hold: ")
    assert report["rush/lever.stl"].agreement is Agreement.DIFFERED
    assert other in report["rush/lever.stl"].why
    assert report["rush/hinge.stl"].agreement is not Agreement.NOT_COMPARED
    assert report["alone.stl"].why == "no build of this name and time in Eiger"


@pytest.mark.parametrize("drops", [pytest.param(10), pytest.param(500, marks=pytest.mark.long)])
def test_a_night_with_faults_makes_no_writing_call(
    tmp_path: Path, drops: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for cached in ("PRESETS", "DEVICES"):  # a night's reads, in seconds
        monkeypatch.setattr(f"workflow.pipeline.cloud_cache.{cached}_TTL_SECONDS", 0.02)
    with simulated() as cloud:
        settings = shadowed(tmp_path, cloud, request_timeout_seconds=2.0)
        kinds = (box, open_box, box, box)
        with watching(settings) as service:
            for kind, fault in FAULTS:
                cloud.fault(kind, fault, times=drops, probability=0.15)
            for number in range(drops):
                folder = ("", "rush/", "metal/")[number % 3]
                drop(settings, f"{folder}part {number}.stl", kinds[number % 4](10 + number / 7))
            assert until(lambda: ended(service.ledger, drops), 900), service.ledger.count_by_state()
            counted = service.ledger.count_by_state()
        calls = cloud.journal()
        assert writing_calls(cloud) == 0
        assert any(entry["fault"] for entry in calls)
        assert {each for each, count in counted.items() if count} == {
            SubmissionState.CANCELED,
            SubmissionState.HELD,
        }
        assert len(list((settings.read_only_inbox or Path()).rglob("*.stl"))) == drops
        print(f"{drops} drops, {len(calls)} calls, of them 0 writing; {counted}")
