"""The client against the simulated Eiger, over real HTTP: every operation, every fault."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
import requests
from pydantic import SecretStr

from tests.cloud import Cloud, simulated
from tests.eiger.server import ACCESS, ID
from tests.stl import box
from workflow.eiger import (
    Build,
    BuildFilter,
    DeviceFilter,
    EigerClient,
    PrintedPartFilter,
    PrintJobFilter,
    RateLimiter,
    RetryPolicy,
    Timeouts,
    UserFilter,
)
from workflow.errors import (
    BadRequest,
    CloudError,
    ContractBroken,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    ServerError,
    Unauthorized,
    Unreachable,
)

PART = box()


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with simulated(slice_seconds=0) as running:
        yield running


def client_at(cloud: Cloud, secret: str = "demo", read_seconds: float = 10.0) -> EigerClient:
    return EigerClient(
        cloud.url,
        SecretStr("demo"),
        SecretStr(secret),
        budget=RateLimiter(10_000),
        timeouts=Timeouts(5, read_seconds, read_seconds),
        retry=RetryPolicy(attempts=1),
    )


@pytest.fixture
def client(cloud: Cloud) -> Iterator[EigerClient]:
    with client_at(cloud) as ready:
        yield ready


@pytest.fixture
def build(client: EigerClient) -> Build:
    """A build that is ours alone."""
    made = client.upload_stl(BytesIO(PART), "bracket.stl")
    assert client.get_slice_status(made.slice_job_id).completed
    since = (made.server_time or datetime.now(UTC)) - timedelta(minutes=5)
    newest = client.list_builds(BuildFilter(created_from=since), sort_by="created_at", order="desc")
    return next(
        each
        for each in newest
        if any(part.id == made.part_version_id for part in client.read_build(each.id).part_versions)
    )


def fitting_device(client: EigerClient, build: Build) -> str:
    return next(
        each.id
        for each in client.list_devices()
        if each.device_series == build.device_series and each.state == "Ready"
    )


def test_a_part_on_its_way_to_a_build(client: EigerClient) -> None:
    preset = client.get_org_settings_presets()[1]
    user = next(client.list_users())
    made = client.upload_stl(BytesIO(PART), "Gehäuse 1.stl", settings_preset_id=preset.id, user_id=user.id)
    version = client.read_part_version(made.part_version_id)
    assert "Gehäuse 1" in version.title
    part = client.read_part(version.part_id or "")
    assert made.part_version_id in part.part_versions
    found = client.read_build(next(client.list_builds(BuildFilter(title=version.title))).id)
    assert [each.id for each in found.part_versions] == [version.id]


def test_a_build_on_its_way_to_a_person(client: EigerClient, build: Build) -> None:
    backlogged = client.send_build_to_backlog(build.id, date(2027, 3, 1))
    requested = client.send_build_to_job_request_queue(build.id, None)
    assert backlogged.state == requested.state == "Backlogged"
    listed = list(client.list_print_jobs(PrintJobFilter(build=build.id, state="Backlogged"), page_size=1))
    assert {each.id for each in listed} == {backlogged.id, requested.id}
    assert all(each.build is not None and each.build.id == build.id for each in listed)
    assert client.read_print_job(backlogged.id).state == "Backlogged"
    client.remove_build_from_job_request_queue(build.id)


def test_a_build_on_its_way_to_a_device(client: EigerClient, build: Build) -> None:
    device_id = fitting_device(client, build)
    queued = client.append_to_device_queue(device_id, build.id)
    waiting = client.list_device_queue(device_id)
    assert waiting.device.id == device_id
    assert waiting.queue[-1].id == queued.id
    assert waiting.queue[-1].build.id == build.id
    assert client.read_device_queue(device_id, queued.id).id == queued.id
    client.remove_from_device_queue(device_id, queued.id)
    assert all(entry.id != queued.id for entry in client.list_device_queue(device_id).queue)


def test_a_machine_that_is_reported_to_print(cloud: Cloud, client: EigerClient, build: Build) -> None:
    device_id = fitting_device(client, build)
    started = client.print_to_printer(device_id, build.id)
    requests.post(f"{cloud.control}/clock", json={"advance_seconds": 60}, timeout=60).raise_for_status()
    active = client.read_device(device_id).active_job
    assert active is not None
    assert active.id == started.id
    assert active.build is not None
    assert active.build.id == build.id


def test_approvals_on_and_off(client: EigerClient, build: Build) -> None:
    assert client.list_approved_builds() is None
    client.approve_builds([build.id])
    assert [each.id for each in client.list_approved_builds(page_size=1) or ()] == [build.id]
    client.disable_approved_builds()
    assert client.list_approved_builds() is None


def test_printed_parts_and_their_reports(client: EigerClient) -> None:
    part = next(client.list_printed_parts(sort_by="printed_at", order="desc"))
    assert client.read_printed_part(part.id).id == part.id
    client.get_printed_part_scan_report(part.id)
    assert part.print_job is not None
    reports = client.get_print_job_part_scan_report(part.print_job.id)
    assert part.id in {report.printed_part_id for report in reports}


def test_a_part_version_comes_back_as_it_was_sent(client: EigerClient, build: Build, tmp_path: Path) -> None:
    version = client.read_build(build.id).part_versions[0]
    assert client.read_signed_url(version.id).url.get_secret_value().startswith("http")
    assert client.download_part_version(version.id, tmp_path / "back.stl") == len(PART)
    assert (tmp_path / "back.stl").read_bytes() == PART


def test_lists_come_in_pages_of_any_size(client: EigerClient) -> None:
    names = [device.name for device in client.list_devices()]
    assert len(names) > 3
    assert [device.name for device in client.list_devices(page_size=2)] == names
    assert [device.name for device in client.list_devices(order="desc", page_size=3)] == names[::-1]


def test_filters_filter(client: EigerClient) -> None:
    device, user = next(client.list_devices()), next(client.list_users())
    assert [each.id for each in client.list_devices(DeviceFilter(name=device.name))] == [device.id]
    assert [each.id for each in client.list_users(UserFilter(email=user.email))] == [user.id]
    assert list(client.list_printed_parts(PrintedPartFilter(state="Washing", notes="no such note"))) == []
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert list(client.list_builds(BuildFilter(created_from=tomorrow))) == []


def test_wrong_keys(cloud: Cloud) -> None:
    with client_at(cloud, secret=ACCESS) as client, pytest.raises(Unauthorized) as caught:
        client.get_org_settings_presets()
    assert str(caught.value).startswith("401: Eiger refuses the access keys. Check STLFLOW_ACCESS_KEY")
    assert caught.value.reference_id is not None


def test_ids_that_nobody_has(client: EigerClient) -> None:
    for ask in (
        client.read_build,
        client.read_device,
        client.read_print_job,
        client.read_part,
        client.read_part_version,
        client.get_slice_status,
    ):
        with pytest.raises(NotFound, match=ID):
            ask(ID)


def test_a_build_that_does_not_fit(client: EigerClient, build: Build) -> None:
    other = next(each.id for each in client.list_devices() if each.device_series == "Metal X")
    with pytest.raises(BadRequest, match=r"^400: Eiger refuses appendToDeviceQueue\. It says: "):
        client.append_to_device_queue(other, build.id)


EFFECTS: dict[str, Callable[[EigerClient, str], object]] = {
    "sendBuildToBacklog": lambda client, build_id: client.send_build_to_backlog(build_id),
    "sendBuildToJobRequestQueue": lambda client, build_id: client.send_build_to_job_request_queue(build_id),
    "uploadStl": lambda client, _: client.upload_stl(BytesIO(PART), "again.stl"),
}
FAULTS: list[tuple[str, dict[str, int], type[CloudError], type[CloudError]]] = [
    ("cut_before", {}, Unreachable, OutcomeUnknown),
    ("cut_after", {}, Unreachable, OutcomeUnknown),
    ("truncated", {}, Unreachable, OutcomeUnknown),
    ("not_json", {}, ContractBroken, OutcomeUnknown),
    ("error_page", {}, ContractBroken, OutcomeUnknown),
    ("status", {"status": 429}, RateLimited, RateLimited),
    ("status", {"status": 500}, ServerError, ServerError),
    ("status", {"status": 503}, ServerError, ServerError),
    ("status", {"status": 504}, ServerError, OutcomeUnknown),
]


@pytest.mark.parametrize(("kind", "details", "of_question", "of_effect"), FAULTS)
def test_faults_and_what_the_client_makes_of_them(
    cloud: Cloud,
    client: EigerClient,
    build: Build,
    kind: str,
    details: dict[str, int],
    of_question: type[CloudError],
    of_effect: type[CloudError],
) -> None:
    cloud.fault("readBuild", kind, **details)
    with pytest.raises(CloudError) as question:
        client.read_build(build.id)
    assert type(question.value) is of_question
    for operation, effect in EFFECTS.items():
        cloud.fault(operation, kind, **details)
        before = requests_of(cloud, operation)
        with pytest.raises(CloudError) as caught:
            effect(client, build.id)
        assert type(caught.value) is of_effect
        assert requests_of(cloud, operation) == before + 1


def test_an_effect_whose_reply_is_cut_off_is_found_by_looking(
    cloud: Cloud, client: EigerClient, build: Build
) -> None:
    cloud.fault("sendBuildToBacklog", "cut_after")
    with pytest.raises(OutcomeUnknown):
        client.send_build_to_backlog(build.id)
    assert len(list(client.list_print_jobs(PrintJobFilter(build=build.id)))) == 1


def test_a_wrong_content_type_does_not_hide_an_answer(
    cloud: Cloud, client: EigerClient, build: Build
) -> None:
    cloud.fault("sendBuildToBacklog", "wrong_type")
    assert client.send_build_to_backlog(build.id).state == "Backlogged"


def test_a_slow_answer_leaves_the_outcome_unknown(cloud: Cloud, build: Build) -> None:
    cloud.fault("sendBuildToBacklog", "delay", delay_seconds=0.5)
    with client_at(cloud, read_seconds=0.1) as client, pytest.raises(OutcomeUnknown) as caught:
        client.send_build_to_backlog(build.id)
    assert caught.value.timed_out


def requests_of(cloud: Cloud, operation: str) -> int:
    return sum(entry["operation"] == operation for entry in cloud.journal())


def test_lists_always_say_their_order(cloud: Cloud, client: EigerClient) -> None:
    for listing in (
        client.list_builds,
        client.list_devices,
        client.list_print_jobs,
        client.list_printed_parts,
        client.list_users,
    ):
        next(iter(listing()), None)
        assert re.search(r"sort(\[|%5B)order(\]|%5D)", json.dumps(cloud.journal()[-1])), listing
