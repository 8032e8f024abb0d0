"""Every operation, carried out successfully: its response fits the contract."""

import json
from collections.abc import Mapping

import pytest
import requests
import schemathesis
from schemathesis.core.failures import Failure, FailureGroup

from tests.contract.amended import amended_contract
from tests.contract.disagreements import BESIDE, REFUSED_THOUGH_WELL_FORMED
from tests.simulator.caller import Caller, calling, cube
from workflow.contract import contract
from workflow.simulator import REALISTIC_QUIRKS, SimulatorOptions
from workflow.simulator.contract import operations

CUBE_SECONDS = 300 + 8 * 100 + 250 * 1
SCHEMA = schemathesis.openapi.from_dict(amended_contract())


class Tour:
    """One call of each operation; keeps each response by operationId."""

    def __init__(self, eiger: Caller) -> None:
        self._eiger = eiger
        self.seen: dict[str, requests.Response] = {}

    def visit(self, operation_id: str, /, body: object = None, **ids: str) -> requests.Response:
        operation = operations()[operation_id]
        reply = self._eiger.send(operation.method, operation.path.format(**ids), body)
        assert reply.ok, f"{operation_id}: {reply.text}"
        self.seen[operation_id] = reply
        return reply

    def parts_and_builds(self) -> str:
        self.seen["uploadStl"] = self._eiger.upload(cube())
        made = self.seen["uploadStl"].json()
        self.visit("getSliceStatus", slice_job_id=made["slice_job_id"])
        version = self.visit("readPartVersion", part_version_id=made["part_version_id"]).json()
        self.visit("readSignedURL", part_version_id=version["id"])
        self.visit("readPart", part_id=version["part_id"])
        self.visit("getOrgSettingsPresets")
        build = str(self.visit("listBuilds").json()["items"][-1]["id"])
        self.visit("readBuild", build_id=build)
        self.visit("approveBuilds", {"builds": [build]})
        self.visit("listApprovedBuilds")
        self.visit("sendBuildToBacklog", {"dueDate": "2026-12-24"}, build_id=build)
        self.visit("sendBuildToJobRequestQueue", build_id=build)
        self.visit("removeBuildFromJobRequestQueue", build_id=build)
        return build

    def devices_and_prints(self, build: str) -> None:
        device = str(self._eiger.device("Anvil")["id"])
        queued = self.visit("appendToDeviceQueue", {"build": build}, device_id=device).json()
        self.visit("listDeviceQueue", device_id=device)
        self.visit("readDeviceQueue", device_id=device, queued_job_id=queued["id"])
        self.visit("removeFromDeviceQueue", device_id=device, queued_job_id=queued["id"])
        job = self.visit("printToPrinter", {"build": build}, device_id=device).json()
        self._eiger.advance(CUBE_SECONDS / 2)
        self.visit("readDevice", device_id=device)
        self.visit("listDevices")
        self.visit("readPrintJob", print_job_id=job["id"])
        self.visit("listPrintJobs")
        printed = self.visit("listPrintedParts").json()["items"][0]
        self.visit("readPrintedPart", printed_part_id=printed["id"])
        self.visit("getPrintJobPartScanReport", print_job_id=job["id"])
        self.visit("getPrintedPartScanReport", printed_part_id=printed["id"])
        self.visit("listUsers")
        self.visit("disableApprovedBuilds")


def toured(options: SimulatorOptions) -> Mapping[str, requests.Response]:
    with calling(options) as eiger:
        tour = Tour(eiger)
        tour.devices_and_prints(tour.parts_and_builds())
    return tour.seen


@pytest.fixture(scope="module")
def plain() -> Mapping[str, requests.Response]:
    return toured(SimulatorOptions(slice_seconds=0))


def fault_of(operation_id: str, reply: requests.Response) -> str | None:
    """Return how a response breaks the contract; None if it does not."""
    operation = operations()[operation_id]
    assert reply.status_code in operation.statuses
    try:
        SCHEMA[operation.path][operation.method].validate_response(reply)
    except Failure as failure:
        return failure.message
    except FailureGroup as group:
        return " ".join(str(failure) for failure in group.exceptions)
    return None


@pytest.mark.parametrize("operation_id", sorted(operations()))
def test_it_answers_as_the_contract_says(plain: Mapping[str, requests.Response], operation_id: str) -> None:
    assert fault_of(operation_id, plain[operation_id]) is None


def test_the_check_itself_notices_a_missing_field(plain: Mapping[str, requests.Response]) -> None:
    broken = requests.Response()
    broken.status_code, broken.headers = 200, plain["readBuild"].headers
    broken.request, broken.url = plain["readBuild"].request, plain["readBuild"].url
    view = plain["readBuild"].json()
    del view["title"]
    broken._content = json.dumps(view).encode()
    assert "title" in (fault_of("readBuild", broken) or "")


def test_the_header_carries_the_object_of_the_contract(plain: Mapping[str, requests.Response]) -> None:
    location = plain["getPrintedPartScanReport"].headers["Location"]
    assert json.loads(location) == {"scan_report_url": None}


def test_with_the_realistic_quirks_only_the_open_enums_deviate() -> None:
    seen = toured(SimulatorOptions(slice_seconds=0, quirks=REALISTIC_QUIRKS))
    faults = {name: fault_of(name, reply) for name, reply in seen.items()}
    assert {name for name, fault in faults.items() if fault} == {"listDevices"}
    kinds = {"FX10", "Sinter-1"}
    outside = [device["device_type"] in kinds for device in seen["listDevices"].json()["items"]]
    assert sum(outside) == 2


def test_the_listed_deviations_are_not_in_the_contract() -> None:
    for beside in BESIDE:
        for name in beside.operations:
            assert int(beside.status) not in operations()[name].statuses, f"{name} lists {beside.status}"
    assert REFUSED_THOUGH_WELL_FORMED.keys() <= operations().keys()
    assert "servers" in contract()
