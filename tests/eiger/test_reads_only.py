"""A client that only reads: one place refuses every operation that changes something."""

from collections.abc import Callable, Iterator
from datetime import date
from io import BytesIO

import pytest
from pydantic import SecretStr

from tests.cloud import Cloud, simulated
from tests.stl import box
from workflow.eiger import OPERATIONS, EigerClient, RateLimiter
from workflow.errors import WriteRefused

ID = "2f1c9d0e-1a2b-4c3d-8e4f-0123456789ab"
WRITES: dict[str, Callable[[EigerClient], object]] = {
    "sendBuildToBacklog": lambda client: client.send_build_to_backlog(ID, date(2027, 1, 1)),
    "approveBuilds": lambda client: client.approve_builds([ID]),
    "disableApprovedBuilds": lambda client: client.disable_approved_builds(),
    "printToPrinter": lambda client: client.print_to_printer(ID, ID),
    "appendToDeviceQueue": lambda client: client.append_to_device_queue(ID, ID),
    "removeFromDeviceQueue": lambda client: client.remove_from_device_queue(ID, ID),
    "sendBuildToJobRequestQueue": lambda client: client.send_build_to_job_request_queue(ID),
    "removeBuildFromJobRequestQueue": lambda client: client.remove_build_from_job_request_queue(ID),
    "uploadStl": lambda client: client.upload_stl(BytesIO(box()), "part.stl"),
}


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with simulated() as running:
        yield running


def test_every_writing_operation_of_the_contract_is_tried_here() -> None:
    assert set(WRITES) == {each.id for each in OPERATIONS if not each.reads}


@pytest.mark.parametrize("operation", sorted(WRITES))
def test_nothing_is_written(cloud: Cloud, operation: str) -> None:
    key = SecretStr("demo")
    with EigerClient(cloud.url, key, key, budget=RateLimiter(1000), reads_only=True) as client:
        with pytest.raises(WriteRefused, match=operation):
            WRITES[operation](client)
        assert client.ping().presets
    assert [each["operation"] for each in cloud.journal() if each["method"] != "GET"] == []
