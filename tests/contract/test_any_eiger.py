"""What the product relies on, checked on the simulator, and with --live on the real Eiger.

On the real service it only reads, unless --live-writes is given. Even then it starts no machine and changes
no approval.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from itertools import islice, pairwise
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.contract.subjects import SUBJECTS, Subject, subject_named
from tests.stl import box
from tests.waiting import until
from workflow.eiger import (
    BuildFilter,
    DeviceFilter,
    EigerClient,
    PrintJobFilter,
    RateLimiter,
    RetryPolicy,
    UserFilter,
)
from workflow.errors import CloudError, NotFound, Unauthorized

A_FEW = 5
NOBODY = "00000000-0000-4000-8000-000000000000"
SLICE_SECONDS = 600.0


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    asked = SUBJECTS if metafunc.config.getoption("--live") else SUBJECTS[:-1]
    metafunc.parametrize("subject", asked, indirect=True, scope="module")


@pytest.fixture(scope="module")
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    with subject_named(request.param, request.config) as opened:
        yield opened


@pytest.fixture
def eiger(subject: Subject) -> EigerClient:
    return subject.client


@pytest.fixture
def writable(subject: Subject) -> EigerClient:
    if not subject.writes:
        pytest.skip("changes something: only with --live-writes")
    return subject.client


def test_wrong_keys_are_refused(subject: Subject) -> None:
    wrong, once = SecretStr("nobody-has-this-key"), RetryPolicy(attempts=1)
    with EigerClient(subject.url, wrong, wrong, budget=RateLimiter(2), retry=once) as stranger:
        with pytest.raises(Unauthorized):
            next(stranger.list_devices(), None)
        with pytest.raises(Unauthorized):
            stranger.get_org_settings_presets()


@pytest.mark.parametrize(
    "ask",
    [
        EigerClient.read_build,
        EigerClient.read_device,
        EigerClient.list_device_queue,
        EigerClient.read_part,
        EigerClient.read_part_version,
        EigerClient.get_slice_status,
        EigerClient.read_print_job,
        EigerClient.read_printed_part,
    ],
)
def test_an_id_that_nobody_has_is_not_found(eiger: EigerClient, ask: Callable[..., object]) -> None:
    with pytest.raises(NotFound):
        ask(eiger, NOBODY)


def test_builds_are_listed_newest_first_and_read_one_by_one(eiger: EigerClient) -> None:
    builds = list(islice(eiger.list_builds(page_size=A_FEW), A_FEW))
    times = [build.created_at for build in builds if build.created_at]
    assert all(newer >= older for newer, older in pairwise(times))
    for build in builds[:2]:
        read = eiger.read_build(build.id)
        assert (read.id, read.title) == (build.id, build.title)


def test_builds_are_found_by_title_and_time(eiger: EigerClient) -> None:
    if (newest := next(eiger.list_builds(page_size=1), None)) is None:
        pytest.skip("there are no builds")
    titled = list(islice(eiger.list_builds(BuildFilter(title=newest.title)), A_FEW))
    assert newest.id in {build.id for build in titled}
    assert all(build.title == newest.title for build in titled)
    future = datetime.now(UTC) + timedelta(days=1)
    assert next(eiger.list_builds(BuildFilter(created_from=future)), None) is None


def test_pages_hold_the_same_as_one_list(eiger: EigerClient) -> None:
    whole = [device.id for device in eiger.list_devices()]
    assert [device.id for device in eiger.list_devices(page_size=2)] == whole


def test_devices_say_as_much_in_the_list_as_alone(eiger: EigerClient) -> None:
    for device in islice(eiger.list_devices(), A_FEW):
        assert eiger.read_device(device.id).name == device.name
        assert eiger.list_device_queue(device.id).device.id == device.id
        assert device.id in {each.id for each in eiger.list_devices(DeviceFilter(name=device.name))}


def test_a_machine_that_prints_shows_its_progress(eiger: EigerClient) -> None:
    active = next((device.active_job for device in eiger.list_devices() if device.active_job), None)
    if active is None:
        pytest.skip("no machine prints now")
    assert active.id
    assert active.build is not None


def test_print_jobs_are_found_by_build_and_state(eiger: EigerClient) -> None:
    job = next((each for each in islice(eiger.list_print_jobs(), 20) if each.build), None)
    if job is None or job.build is None:
        pytest.skip("there are no print jobs")
    wanted = PrintJobFilter(build=job.build.id, state=job.state)
    assert job.id in {each.id for each in eiger.list_print_jobs(wanted)}
    assert eiger.read_print_job(job.id).id == job.id


def test_printed_parts_are_read(eiger: EigerClient) -> None:
    for part in islice(eiger.list_printed_parts(page_size=A_FEW), 2):
        assert eiger.read_printed_part(part.id).id == part.id


def test_presets_and_users_have_names(eiger: EigerClient) -> None:
    assert all(preset.title for preset in eiger.get_org_settings_presets())
    user = next(eiger.list_users(), None)
    if user is not None and user.email:
        assert user in list(eiger.list_users(UserFilter(email=user.email)))


def test_approvals_are_in_use_or_not(eiger: EigerClient) -> None:
    approved = eiger.list_approved_builds()
    assert approved is None or all(build.id for build in approved)


def test_a_part_goes_up_is_sliced_and_comes_back(writable: EigerClient, tmp_path: Path) -> None:
    stl, title = box(11, 12, 13), f"stlflow contract {datetime.now(UTC):%Y%m%d %H%M%S}"
    made = writable.upload_stl(BytesIO(stl), f"{title}.stl")
    assert until(lambda: writable.get_slice_status(made.slice_job_id).ended, SLICE_SECONDS)
    version = writable.read_part_version(made.part_version_id)
    assert version.title.startswith(title)
    assert made.part_version_id in writable.read_part(version.part_id or "").part_versions
    assert writable.download_part_version(version.id, tmp_path / "back.stl") == len(stl)
    assert (tmp_path / "back.stl").read_bytes() == stl


def test_a_build_waits_for_a_person_and_is_withdrawn(writable: EigerClient) -> None:
    sliced = (each for each in islice(writable.list_builds(), 20) if each.sliced)
    build = next((each for each in sliced if not is_waiting(writable, each.id)), None)
    if build is None:
        pytest.skip("there is no sliced build that waits nowhere; withdrawing would take others' requests")
    asked = writable.send_build_to_job_request_queue(build.id)
    try:
        assert asked.state == "Backlogged"
        assert writable.read_print_job(asked.id).id == asked.id
    finally:
        writable.remove_build_from_job_request_queue(build.id)


def test_a_build_waits_for_a_machine_and_is_withdrawn(writable: EigerClient) -> None:
    found = next(
        (
            (device.id, build.id)
            for build in islice(writable.list_builds(), 20)
            for device in writable.list_devices()
            if build.sliced and device.device_series == build.device_series and device.active_job
        ),
        None,
    )
    if found is None:
        pytest.skip("no machine is busy with its bed while a build would fit it")
    device_id, build_id = found
    queued = writable.append_to_device_queue(device_id, build_id)
    try:
        assert queued.id in {entry.id for entry in writable.list_device_queue(device_id).queue}
        assert writable.read_device_queue(device_id, queued.id).id == queued.id
    finally:
        writable.remove_from_device_queue(device_id, queued.id)
    with pytest.raises(CloudError):
        writable.remove_from_device_queue(device_id, queued.id)


def is_waiting(eiger: EigerClient, build_id: str) -> bool:
    waiting = PrintJobFilter(build=build_id, state="Backlogged")
    return next(eiger.list_print_jobs(waiting), None) is not None
