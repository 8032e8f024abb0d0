"""Where the simulator deviates from the contract, each with its reason.

The contract lacks statuses that every service needs. No other test ignores a deviation.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Beside:
    """A status that the contract does not list for these operations."""

    status: str
    reason: str
    operations: tuple[str, ...]


BESIDE = (
    Beside(
        "401",
        "No operation can be used without keys, whether the contract lists 401 or not.",
        (
            "readDeviceQueue", "readPart", "uploadStl", "getSliceStatus", "getOrgSettingsPresets",
            "readPartVersion", "readSignedURL",
        ),
    ),
    Beside(
        "400",
        "A parameter or body that does not fit has to be refused; 400 is what the others answer.",
        (
            "listBuilds", "listApprovedBuilds", "approveBuilds", "listDevices", "readDevice",
            "listDeviceQueue", "removeFromDeviceQueue", "readDeviceQueue",
            "removeBuildFromJobRequestQueue", "listPrintJobs", "listPrintedParts",
        ),
    ),
    Beside(
        "404",
        "The vendor's sample expects 404 for an unknown printer; and what is not there can't be removed.",
        ("printToPrinter", "removeBuildFromJobRequestQueue"),
    ),
)  # fmt: skip

REFUSED_THOUGH_WELL_FORMED: Mapping[str, str] = {
    "sendBuildToBacklog": "An unknown build is 400: the contract has no 404 here.",
    "sendBuildToJobRequestQueue": "An unknown build is 400: the contract has no 404 here.",
    "approveBuilds": "The contract lets every body be absent, but `builds` is required inside.",
    "printToPrinter": "A build that does not fit the printer is 400, as in the vendor's sample script.",
    "appendToDeviceQueue": "A build that does not fit the printer is 400, as when printing.",
    "uploadStl": "The contract calls the file a text (`format: file-path`); a text is no STL.",
}
"""Operations that refuse some well-formed requests with 400."""

NOT_FOUND_IS_500 = "The contract itself maps 500 to resourceNotFoundError on these operations."
HEADER_CARRIES_TEXT = "The contract describes an object in a header; the simulator writes it there as JSON."
